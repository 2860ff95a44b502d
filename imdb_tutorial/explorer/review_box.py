"""A text area that knows Ctrl+Enter, which ipywidgets' own does not, and the explorer's looks.

Text and button are one widget, because the messages of two widgets can overtake one another:
JupyterLab gives them to different threads of the kernel, and a click could classify an older text.
"""

import anywidget
import traitlets

SCRIPT = """
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
"""

LOOKS = """
.imdb-explorer {
  --imdb-ink: var(--jp-ui-font-color1, #222);
  --imdb-pale: var(--jp-ui-font-color2, #555);
  --imdb-line: var(--jp-border-color1, #bbb);
  --imdb-paper: var(--jp-layout-color1, #fff);
  --imdb-shade: var(--jp-layout-color2, #eee);
  --imdb-alarm: var(--jp-error-color1, #c62828);
  --imdb-blue: rgb(38, 115, 214);
  box-sizing: border-box;
  max-width: 100%;
  padding: 8px 12px;
  color: var(--imdb-ink);
  border: 1px solid var(--imdb-line);
  border-left: 6px solid var(--imdb-line);
  border-radius: 4px;
  overflow: hidden;
}
.imdb-explorer-busy { border-left: 6px dashed var(--imdb-blue); }
.imdb-explorer-answer { border-left: 6px solid var(--imdb-blue); }
.imdb-explorer-error { border-left: 6px double var(--imdb-alarm); }
.imdb-explorer .widget-html, .imdb-explorer .widget-html-content {
  height: auto; line-height: 1.5; overflow: visible; min-width: 0; max-width: 100%;
}
.imdb-explorer p { margin: 0.3em 0; }
.imdb-box { display: block; margin-bottom: 4px; }
.imdb-box > span { display: block; margin-bottom: 2px; font-weight: 600; }
.imdb-box textarea {
  box-sizing: border-box; display: block; width: 100%; min-height: 4em; padding: 6px;
  resize: vertical; font: inherit; line-height: 1.5; unicode-bidi: plaintext;
  color: var(--imdb-ink); background: var(--imdb-paper); border: 1px solid var(--imdb-line);
}
.imdb-box textarea:focus { outline: 2px solid var(--imdb-blue); outline-offset: -1px; }
.imdb-box textarea::placeholder { color: var(--imdb-pale); opacity: 1; }
.imdb-submit { display: flex; align-items: center; gap: 0.7em; color: var(--imdb-pale); }
.imdb-state { display: block; padding: 2px 8px; background: var(--imdb-shade); }
.imdb-explorer-error .imdb-state {
  color: var(--imdb-alarm); font-weight: 600; border: 1px solid var(--imdb-alarm);
}
.imdb-explorer-answer .imdb-state { border-bottom: 2px solid var(--imdb-blue); }
.imdb-explorer-busy .imdb-state::after {
  content: ""; display: inline-block; width: 0.7em; height: 0.7em; margin-left: 0.6em;
  border: 2px solid var(--imdb-blue); border-top-color: transparent; border-radius: 50%;
  animation: imdb-turn 1s linear infinite; vertical-align: -0.05em;
}
@keyframes imdb-turn { to { transform: rotate(360deg); } }
@media (prefers-reduced-motion: reduce) {
  .imdb-explorer-busy .imdb-state::after { animation: none; }
}
.imdb-cards {
  display: grid; gap: 10px; grid-template-columns: repeat(auto-fit, minmax(min(290px, 100%), 1fr));
}
.imdb-card {
  min-width: 0; padding: 4px 10px; border: 1px solid var(--imdb-line, #bbb); border-radius: 4px;
}
.imdb-model { font-weight: 600; overflow-wrap: anywhere; }
.imdb-verdict { font-size: 115%; }
.imdb-bar { max-width: none !important; }
.imdb-text { max-height: 24em; overflow: auto; padding: 2px 4px; contain: paint; }
.imdb-legend, .imdb-summary, .imdb-read { font-size: 92%; }
.imdb-legend > span { white-space: nowrap; }
.imdb-warning { padding: 2px 8px; border-left: 4px solid #d98b00; font-weight: 600; }
.imdb-explorer .imdb-card .imdb-message { color: var(--imdb-alarm); }
.imdb-message { overflow-wrap: anywhere; }
.imdb-table { max-height: 16em; overflow: auto; }
.imdb-explorer .imdb-table table { border-collapse: collapse; font-size: inherit; width: 100%; }
.imdb-explorer .imdb-table caption { text-align: left; font-weight: 600; }
.imdb-explorer .imdb-table th, .imdb-explorer .imdb-table td {
  padding: 2px 8px; text-align: left; border-bottom: 1px solid var(--imdb-line);
  white-space: normal; max-width: 30em;
}
.imdb-explorer .imdb-table td { white-space: nowrap; }
.imdb-explorer .imdb-table td:nth-child(-n + 2) {
  white-space: normal; overflow-wrap: break-word; min-width: 6em;
}
.imdb-explorer .imdb-table td:first-child { overflow-wrap: anywhere; min-width: 8em; }
.imdb-explorer .widget-checkbox input[type="checkbox"] { margin: 0 4px 0 0; align-self: center; }
.imdb-hidden {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}
"""


class ReviewBox(anywidget.AnyWidget):
    """A text area for a review, and the button to send it.

    Args:
        value: The text; it comes when the reader pauses in typing, leaves the box, or submits.
        submitted: Counts the clicks on the button and the times Ctrl+Enter (Cmd+Enter on
            a Mac) was pressed.
        announcement: What a screen reader says next.
        label: The line above the box.
        action: What stands on the button.
        placeholder: Shown while it is empty.
        rows: Its height in lines.
        delay_ms: How long a pause in typing must be, in milliseconds.
    """

    _esm = SCRIPT
    _css = LOOKS

    value = traitlets.Unicode("").tag(sync=True, echo_update=False)
    submitted = traitlets.Int(0)
    announcement = traitlets.Unicode("").tag(sync=True)
    label = traitlets.Unicode("A review, in English").tag(sync=True)
    action = traitlets.Unicode("Classify").tag(sync=True)
    placeholder = traitlets.Unicode("Type or paste a review").tag(sync=True)
    rows = traitlets.Int(5).tag(sync=True)
    delay_ms = traitlets.Int(400).tag(sync=True)

    def __init__(self, **values):
        super().__init__(**values)
        self._newest = 0
        self.on_msg(self._receive)

    def submit(self) -> None:
        """Do what a click on the button does."""
        self.submitted += 1

    def _receive(self, _, message: dict, __) -> None:
        if message["sent_at"] < self._newest:
            return  # overtaken, too
        self._newest = message["sent_at"]
        # As if the page had changed the state: a long text is not sent back to where it was typed.
        self.set_state({"value": message["value"]})
        if message["is_submitted"]:
            self.submit()
