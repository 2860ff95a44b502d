function render({ model, el }) {
  const make = (kind, className, text = "") =>
    Object.assign(document.createElement(kind), { className, textContent: text });
  const label = make("label", "imdb-box");
  const box = document.createElement("textarea");
  const button = make(
    "button", "jupyter-widgets jupyter-button widget-button mod-primary", model.get("action"));
  const row = make("div", "imdb-submit");
  const status = make("div", "imdb-hidden");
  label.append(make("span", "", model.get("label")), box);
  row.append(button, make("span", "", "or press Ctrl+Enter"));
  button.type = "button";
  box.rows = model.get("rows");
  box.placeholder = model.get("placeholder");
  box.dir = "auto";
  box.value = model.get("value");
  status.setAttribute("role", "status");
  // JupyterLab must not take keys typed here for its own, above all Ctrl+Enter.
  label.dataset.lmSuppressShortcuts = "true";
  el.append(label, row, status);

  let timer, isTouched = false;
  // A change of the state can be held back; a message cannot.
  const send = (isSubmitted) => {
    clearTimeout(timer);
    isTouched = false;
    // Half of a character pair cannot be sent.
    model.set("value", box.value.toWellFormed ? box.value.toWellFormed() : box.value);
    model.send({ value: model.get("value"), is_submitted: isSubmitted, sent_at: Date.now() });
  };
  const push = () => { if (isTouched) send(false); };
  const pull = () => {
    clearTimeout(timer);
    isTouched = false;
    if (box.value !== model.get("value")) box.value = model.get("value");
  };
  const announce = () => { status.textContent = model.get("announcement"); };
  box.addEventListener("input", () => {
    isTouched = true;
    clearTimeout(timer);
    timer = setTimeout(push, model.get("delay_ms"));
  });
  box.addEventListener("change", push);
  button.addEventListener("click", () => send(true));
  for (const kind of ["keydown", "keypress", "keyup"]) {
    box.addEventListener(kind, (event) => event.stopPropagation());
  }
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    send(true);
  });
  model.on("change:value", pull);
  model.on("change:announcement", announce);
  return () => {
    clearTimeout(timer);
    model.off("change:value", pull);
    model.off("change:announcement", announce);
  };
}
export default { render };
