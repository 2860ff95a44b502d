"""JupyterLab in a real browser: one server and one Chromium for all browser tests."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
# A folder for pictures of the explorer.
SCREENSHOTS = os.environ.get("IMDB_TUTORIAL_SCREENSHOTS")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
KERNEL_READY = """async () => {
    const panel = window.jupyterapp?.shell.currentWidget;
    await panel?.sessionContext?.ready;
    const kernel = panel?.sessionContext?.session?.kernel;
    return kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
}"""
# JupyterLab draws only the cells in view, so the notebook's model is asked, not the page.
CELLS = """() => window.jupyterapp.shell.currentWidget.content.widgets
    .filter(cell => cell.model.type === 'code' && cell.model.sharedModel.getSource().trim())
    .map(cell => ({
        count: cell.model.executionCount,
        state: cell.model.executionState,
        outputs: cell.model.sharedModel.getOutputs(),
    }))"""

TELL_KERNEL = """async ([code, asked]) => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const request = { code, silent: true, user_expressions: { asked } };
    return (await kernel.requestExecute(request).done).content;
}"""


class Lab:
    """A JupyterLab server over a copy of the notebooks, with its address and its token."""

    def __init__(self, base: str, token: str, page):
        self.base = base
        self.token = token
        self.page = page

    def open(self, notebook: str) -> None:
        """Open a notebook and wait until its kernel is ready."""
        # A workspace of its own, or JupyterLab would open what the page before left open as well.
        workspace = secrets.token_hex(4)
        self.page.goto(
            f"{self.base}/lab/workspaces/{workspace}/tree/{notebook}?token={self.token}",
            wait_until="domcontentloaded",
        )
        self.page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=60_000)
        self.page.wait_for_function(KERNEL_READY, timeout=90_000)

    def tell_kernel(self, code: str, expression: str = "None") -> str:
        """Run code in the notebook's kernel, beside its cells; return what an expression gives."""
        reply = self.page.evaluate(TELL_KERNEL, [code, expression])
        assert reply["status"] == "ok", reply
        return reply["user_expressions"]["asked"]["data"]["text/plain"]

    def close(self) -> None:
        """Stop the notebook's kernel and close the page."""
        self.page.evaluate(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext.shutdown()"
        )
        self.page.close()

    def run_all(self, timeout_s: int) -> list[dict]:
        """Run every cell in a cleared notebook; return the code cells' counts and outputs."""
        execute = "name => { window.jupyterapp.commands.execute(name) }"
        self.page.evaluate(execute, "notebook:clear-all-cell-outputs")
        self.page.evaluate(execute, "notebook:run-all-cells")
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            cells = self.page.evaluate(CELLS)
            failed = any(o["output_type"] == "error" for c in cells for o in c["outputs"])
            if failed or all(c["count"] and c["state"] == "idle" for c in cells):
                return cells
            time.sleep(0.5)
        raise TimeoutError(f"the notebook did not end within {timeout_s} s: {cells}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium, or a skip that says what is missing."""
    if CHROMIUM is None:
        message = "no chromium found: install it (Debian: apt install chromium)"
        if os.environ.get("IMDB_TUTORIAL_REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=CHROMIUM_FLAGS
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab_address(browser, tmp_path_factory):
    """A JupyterLab server with private settings, over a copy of the notebooks."""
    root = tmp_path_factory.mktemp("lab")
    # As in a fresh clone, without what the lessons saved; the pictures show the reader's model.
    saved = () if SCREENSHOTS else ("results",)
    shutil.copytree(NOTEBOOKS, root / "notebooks", ignore=shutil.ignore_patterns(*saved))
    config = root / "config/labconfig"
    config.mkdir(parents=True)
    quiet = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (config / "page_config.json").write_text(json.dumps(quiet))
    port, token = _free_port(), secrets.token_hex(16)
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    # Begun before any test, so with the reader's feature cache, which the lessons share.
    env = {**os.environ, **{name: str(root / folder) for name, folder in folders.items()}}
    for setting in ("IMDB_TUTORIAL_PRESET", "IMDB_TUTORIAL_DTYPE"):
        env.pop(setting, None)
    log = (root / "lab.log").open("w")
    server = subprocess.Popen(
        [
            sys.executable,
            *("-m", "jupyterlab", "--no-browser", "--allow-root"),
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={token}",
            f"--ServerApp.root_dir={root / 'notebooks'}",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.extension_manager=readonly",
        ],
        env=env,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{base}/api/status?token={token}", timeout=5).close()
                break
            except OSError:
                assert server.poll() is None, (root / "lab.log").read_text()
                time.sleep(0.5)
        yield base, token
    finally:
        server.terminate()
        server.wait(20)
        log.close()


@pytest.fixture(scope="session")
def new_lab(browser, lab_address):
    """Return a function that opens a fresh page on the JupyterLab server."""
    size = {"width": 1280, "height": 900}
    sharp = 2 if SCREENSHOTS else 1
    return lambda: Lab(*lab_address, browser.new_page(viewport=size, device_scale_factor=sharp))


@pytest.fixture
def lab(new_lab):
    """A fresh page on the JupyterLab server."""
    opened = new_lab()
    yield opened
    opened.close()
