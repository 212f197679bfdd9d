"""A headless Chromium, driven over pipes by the DevTools protocol with the standard library alone."""

import json
import os
import shutil
import subprocess
import time
from contextlib import contextmanager

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe")
PATIENCE = 60  # seconds, on a busy machine too
KEYS = {" ": ("Space", 32), "Home": ("Home", 36), "End": ("End", 35), "ArrowLeft": ("ArrowLeft", 37)}
KEYS |= {"ArrowRight": ("ArrowRight", 39), "Tab": ("Tab", 9), "+": ("Equal", 187), "0": ("Digit0", 48)}


@contextmanager
def opened(path, profile):
    """A page that is opened from disk.

    Args:
        path: the HTML file.
        profile: an empty directory for the browser.
    """
    from_browser, to_browser = os.pipe(), os.pipe()

    pipes = f'exec "$@" 3<&{to_browser[0]} 4>&{from_browser[1]}'  # the browser reads 3 and writes 4
    process = subprocess.Popen(
        ["bash", "-c", pipes, "bash", BROWSER, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        pass_fds=(to_browser[0], from_browser[1]),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser[0])
    os.close(from_browser[1])
    try:
        yield Page(from_browser[0], to_browser[1], path)
    finally:
        process.terminate()
        process.wait(timeout=30)
        os.close(to_browser[1])
        os.close(from_browser[0])


class Page:
    """A page: what it logs, what it requests, and its keyboard and mouse."""

    def __init__(self, reading, writing, path):
        self._reading, self._writing, self._id, self._buffer, self._session = reading, writing, 0, b"", None
        self.events = []
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self._url = path.resolve().as_uri()
        self.load()

    def load(self, width=1280, scheme="light"):
        """Load the page, at a width in CSS pixels, light or dark; the events of the last one are forgotten."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.events = []
        self.call("Page.navigate", url=self._url)
        self.wait_for("document.readyState === 'complete' && document.querySelector('main') !== null")

    def call(self, method, **parameters):
        """Call a method of the protocol and return its result; events that come before it are kept."""
        self._id += 1
        message = {"id": self._id, "method": method, "params": parameters}
        message |= {"sessionId": self._session} if self._session else {}
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._id:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _read(self):
        while b"\0" not in self._buffer:
            chunk = os.read(self._reading, 1 << 16)
            assert chunk, "the browser has ended"
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def evaluate(self, expression):
        """The value of an expression; that of a promise once it is fulfilled."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait_for(self, condition):
        """Wait until an expression is true; after ``PATIENCE`` seconds the test fails."""
        deadline = time.monotonic() + PATIENCE
        while not self.evaluate(condition):
            assert time.monotonic() < deadline, condition
            time.sleep(0.02)

    def press(self, key):
        """Press and release a key."""
        code, number = KEYS[key]
        text = {"text": key} if len(key) == 1 else {}
        common = {"key": key, "code": code, "windowsVirtualKeyCode": number}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def drag(self, selector, start, end):
        """Drag the mouse over an element, from one fraction of its width to another; a click if they are equal."""
        box = self.evaluate(
            f"(() => {{ const found = document.querySelector({json.dumps(selector)}); "
            "found.scrollIntoView({block: 'center', behavior: 'instant'}); const box = found.getBoundingClientRect(); "
            "return [box.left, box.top, box.width, box.height]; })()"
        )
        places = [
            (box[0] + fraction * box[2], box[1] + box[3] / 2) for fraction in (start, (start + end) / 2, end, end)
        ]
        kinds = ("mousePressed", "mouseMoved", "mouseMoved", "mouseReleased")
        for kind, place in zip(kinds, places, strict=True):
            button = {"button": "left", "buttons": 1, "clickCount": 1}
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], **button)

    @property
    def messages(self):
        """What the page has logged: messages of its console, errors, and violations of its policy."""
        kinds = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}
        self.evaluate("0")  # takes the events that have come
        return [event for event in self.events if event.get("method") in kinds]

    @property
    def requests(self):
        """The addresses that the page has requested."""
        self.evaluate("0")
        requests = [event for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in requests]
