"""A real browser, headless: Chromium, spoken to over a pipe in the DevTools protocol.

https://chromedevtools.github.io/devtools-protocol/ says what the methods and their parameters are.
"""

import base64
import contextlib
import copy
import json
import os
import shlex
import shutil
import subprocess
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-pipe",
    "--window-size=1100,900",
)


def find_browser():
    """Return the path of an installed browser, or None. The variable CHROMIUM can name one."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page in one browser. Use it with `with`.

    :param program: the browser's path.
    :param profile: an empty folder for all that it keeps.
    """

    def __init__(self, program, profile):
        commands_in, self._commands = os.pipe()
        self._messages, messages_out = os.pipe()
        # the browser reads its file descriptor 3 and writes to 4
        plumbing = f'exec {shlex.quote(program)} "$@" 3<&{commands_in} 4>&{messages_out}'
        self._log = (profile / "log").open("wb")
        self._process = subprocess.Popen(
            ["bash", "-c", plumbing, "bash", *ARGUMENTS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(commands_in, messages_out),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        os.close(commands_in)
        os.close(messages_out)
        self._reader = os.fdopen(self._messages, "rb")
        self._number = 0
        self._session = None
        self._loads = 0
        self.complaints = []

    def __enter__(self):
        pages = self._do("Target.getTargets")["targetInfos"]
        self._attach(next(target["targetId"] for target in pages if target["type"] == "page"))
        return self

    def _attach(self, target):
        self._session = self._do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._do("Page.enable")
        self._do("Runtime.enable")
        self._do("Log.enable")

    @contextlib.contextmanager
    def another_page(self):
        """Open one more page in this browser, for the length of a block; its complaints are noted with the others."""
        page = copy.copy(self)
        page._session = None
        target = page._do("Target.createTarget", url="about:blank")["targetId"]
        page._attach(target)
        yield page
        page._session = None
        page._do("Target.closeTarget", targetId=target)

    def __exit__(self, *error):
        self._session = None
        try:
            self._do("Browser.close")
            self._process.wait(10)
        except (OSError, EOFError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._commands)
        self._reader.close()
        self._log.close()

    def open(self, url):
        """Go to a URL and wait until its page is loaded."""
        self._do("Page.navigate", url=url)
        self.wait_for("location.href !== 'about:blank' && document.readyState === 'complete'")

    def evaluate(self, expression):
        """Return the value of a JavaScript expression; a promise is awaited."""
        answer = self._do("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, f"{expression}: {answer['exceptionDetails']}"
        return answer["result"].get("value")

    def text(self, selector):
        """Return the text of the first element that a CSS selector finds."""
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")

    def wait_for(self, condition, seconds=20):
        """Wait until a JavaScript expression is true."""
        deadline = time.monotonic() + seconds
        while not self.evaluate(condition):
            assert time.monotonic() < deadline, f"still not true: {condition}\n{self.complaints}"
            time.sleep(0.05)

    def click(self, selector):
        """Click with the mouse on the first element that a CSS selector finds."""
        x, y = self.evaluate(
            f"(({{ left, top, width, height }}) => [left + width / 2, top + height / 2])((element => "
            "(element.scrollIntoView({block: 'center', behavior: 'instant'}), element.getBoundingClientRect()))"
            f"(document.querySelector({json.dumps(selector)})))"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self._do("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def follow(self, selector, seconds=20):
        """Click on a link, or on the button of a form, and wait until the page that it leads to is loaded."""
        loads = self._loads
        self.click(selector)
        deadline = time.monotonic() + seconds
        while self._loads == loads:
            assert time.monotonic() < deadline, f"no page was loaded after a click on {selector}\n{self.complaints}"
            self._do("Page.enable")  # does nothing; what the page tells meanwhile is noted
            time.sleep(0.02)

    def fill_in(self, selector, text):
        """Type a text into a field, in place of what it holds."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        self._do("Input.insertText", text=text)

    def choose_file(self, selector, path):
        """Choose a file in an `<input type="file">`."""
        root = self._do("DOM.getDocument")["root"]["nodeId"]
        node = self._do("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self._do("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def screenshot(self, path):
        """Write a picture of the whole page to a PNG file."""
        answer = self._do("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def _do(self, method, **parameters):
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self._next_message()
            if message.get("id") == self._number:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            self._note(message)

    def _next_message(self):
        data = b""
        while not data.endswith(b"\0"):
            byte = self._reader.read(1)
            if not byte:
                raise EOFError("the browser has ended")
            data += byte
        return json.loads(data[:-1])

    def _note(self, message):
        """Keep what the page complains about: exceptions, errors on its console, failed requests. Count loads."""
        if message["method"] == "Page.loadEventFired":
            self._loads += 1
        elif message["method"] == "Runtime.exceptionThrown":
            self.complaints.append(message["params"]["exceptionDetails"])
        elif message["method"] == "Runtime.consoleAPICalled" and message["params"]["type"] == "error":
            self.complaints.append(message["params"]["args"])
        elif message["method"] == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
            self.complaints.append(message["params"]["entry"])
