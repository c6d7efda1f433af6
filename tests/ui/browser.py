"""A headless Chromium that is steered over its DevTools protocol, with real mouse and keys.

All that would leave loopback goes to a proxy of ours, which notes the address and refuses it.
"""

import base64
import itertools
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import websocket

_PATIENCE_S = 60  # there only to fail rather than hang
_NAMES = ("chromium", "chromium-browser", "google-chrome")


class Proxy:
    """Notes what is asked of the world outside, and refuses it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                line = connection.recv(4096).split(b"\r\n")[0]
                self.asked.append(line.decode(errors="replace"))
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    def close(self) -> None:
        self._socket.close()


class Page:
    """The one tab of the browser."""

    def __init__(
        self, address: str, domains: Sequence[str] = ("Page", "Network", "Runtime", "Log")
    ) -> None:
        self._socket = websocket.create_connection(
            address, timeout=_PATIENCE_S, suppress_origin=True
        )
        self._numbers = itertools.count(1)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        for domain in domains:
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call the protocol; events that come meanwhile are noted."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == number:
                assert "error" not in message, message
                return dict(message["result"])
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        kind, said = message.get("method"), message.get("params", {})
        if kind == "Network.requestWillBeSent":
            self.requests.append(said["request"]["url"])
        elif kind == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(said["exceptionDetails"]))
        elif kind == "Log.entryAdded" and said["entry"]["level"] == "error":
            self.complaints.append(said["entry"]["text"])

    def go(self, url: str) -> None:
        """Open an address."""
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript is."""
        found = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            if self.value(f"Boolean({condition})"):
                return
            time.sleep(0.02)
        raise AssertionError(f"Never true: {condition}; the page says {self.complaints}")

    def complained(self) -> list[str]:
        """Wait for the browser to complain; what it says, which is forgotten then."""
        deadline = time.monotonic() + _PATIENCE_S
        while not self.complaints and time.monotonic() < deadline:
            self.value("1")
            time.sleep(0.02)
        said, self.complaints = self.complaints, []
        return said

    def text(self, selector: str) -> str:
        """The text that a person sees in the first element that a selector finds."""
        return str(self.value(f"document.querySelector({json.dumps(selector)}).innerText"))

    def texts(self, selector: str) -> list[str]:
        """The texts of all elements that a selector finds."""
        found = f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.innerText)"
        return list(self.value(found))

    def click(self, selector: str) -> None:
        """Click into the middle of an element with the mouse."""
        self.wait(f"document.querySelector({json.dumps(selector)})")
        place = self.value(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'nearest', inline: 'nearest'});"
            " const r = e.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        x, y = place
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, selector: str, text: str) -> None:
        """Click into a field, empty it and type."""
        self.click(selector)
        self.value(f"document.querySelector({json.dumps(selector)}).select()")
        self.call("Input.insertText", text=text)

    def scroll(self, selector: str, top: int) -> None:
        """Scroll an element to so many pixels from its top."""
        self.value(f"void (document.querySelector({json.dumps(selector)}).scrollTop = {top})")

    def screenshot(self, path: Path) -> None:
        """Keep what is to be seen as a PNG image."""
        shot = self.call("Page.captureScreenshot", format="png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        self._socket.close()


def program() -> str:
    """The browser's program; fails, rather than skips, where there is none."""
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    raise AssertionError("There is no Chromium: apt-get install chromium.")


@contextmanager
def browser(folder: Path, width: int = 1440, height: int = 900) -> Iterator[tuple[Page, Proxy]]:
    """A browser without a past, and the proxy between it and the world."""
    proxy = Proxy()
    command = [
        program(),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--no-default-browser-check",
        "--no-pings",
        "--disable-background-networking",
        "--disable-features=AutofillServerCommunication",
        "--disable-component-update",
        "--disable-default-apps",
        "--disable-domain-reliability",
        "--disable-extensions",
        "--disable-sync",
        "--metrics-recording-only",
        # What the browser wants for itself goes nowhere: nothing listens on this port.
        "--proxy-server=127.0.0.1:9",
        f"--user-data-dir={folder}",
        f"--window-size={width},{height}",
        "--remote-debugging-port=0",
        "about:blank",
    ]
    with (folder / "chromium.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        page = Page(_address(folder, process, proxy))
        yield page, proxy
        page.close()
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        proxy.close()


def _address(folder: Path, process: "subprocess.Popen[bytes]", proxy: Proxy) -> str:
    """The address of a tab of its own, whose every request beyond loopback goes to the proxy."""
    port = folder / "DevToolsActivePort"
    deadline = time.monotonic() + _PATIENCE_S
    while not (port.is_file() and port.read_text().count("\n")):
        assert process.poll() is None, (folder / "chromium.log").read_text(errors="replace")
        assert time.monotonic() < deadline, "The browser does not listen."
        time.sleep(0.05)
    number, path = port.read_text().splitlines()
    whole = Page(f"ws://127.0.0.1:{number}{path}", domains=())
    server = f"127.0.0.1:{proxy.port}"
    made = whole.call("Target.createBrowserContext", proxyServer=server)
    target = whole.call(
        "Target.createTarget", url="about:blank", browserContextId=made["browserContextId"]
    )
    whole.close()
    return f"ws://127.0.0.1:{number}/devtools/page/{target['targetId']}"
