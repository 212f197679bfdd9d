"""A client of yaml-language-server, headless: what an editor shows at a position of a config.

The server is the command in the environment variable YAML_LANGUAGE_SERVER, or ``yaml-language-server`` on the PATH
(``npm install yaml-language-server`` puts it into ``node_modules/.bin``).
"""

import json
import os
import shutil
import subprocess
from itertools import count

COMMAND = os.environ.get("YAML_LANGUAGE_SERVER") or shutil.which("yaml-language-server")
SETTINGS = {"yaml": {"completion": True, "hover": True, "validate": True, "schemaStore": {"enable": False}}}
CURSOR = "|"


class LanguageServer:
    """A running server; every text is a new document, whose schema is that of its modeline."""

    def __init__(self, directory):
        self.process = subprocess.Popen(
            [COMMAND, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.directory, self.ids, self.documents, self.published = directory, count(1), count(1), {}
        client = {"workspace": {"configuration": True}, "textDocument": {"publishDiagnostics": {}}}
        client["textDocument"]["completion"] = {"completionItem": {"documentationFormat": ["markdown", "plaintext"]}}
        client["textDocument"]["hover"] = {"contentFormat": ["markdown"]}
        self.request("initialize", {"processId": None, "rootUri": directory.as_uri(), "capabilities": client})
        self.notify("initialized", {})
        self.notify("workspace/didChangeConfiguration", {"settings": SETTINGS})

    def close(self):
        """End the server."""
        self.request("shutdown", None)
        self.notify("exit", None)
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def completions(self, text):
        """The text to insert and the description of each item that is offered at the cursor, ``|`` in the text.

        Those that insert several keys, or an item of a list, are left out: their description is an example.
        """
        result = self.request("textDocument/completion", self._at_cursor(text))
        items = result["items"] if isinstance(result, dict) else result or []
        offered = [(item["label"], (_inserted(item), _text(item.get("documentation")))) for item in items]
        return {label: item for label, item in offered if "```" not in item[1]}

    def hover(self, text):
        """What is shown for the word at the cursor."""
        return _text((self.request("textDocument/hover", self._at_cursor(text)) or {}).get("contents"))

    def diagnostics(self, text):
        """The messages about a document, each after its line and column."""
        uri = self._open(text)
        while uri not in self.published:
            self._receive()
        return [
            (each["range"]["start"]["line"] + 1, each["range"]["start"]["character"] + 1, each["message"])
            for each in self.published[uri]
        ]

    def request(self, method, params):
        """Send a request and return its result; messages of the server are handled meanwhile."""
        number = next(self.ids)
        self._send({"id": number, "method": method, "params": params})
        while (message := self._receive()).get("id") != number or "method" in message:
            pass
        assert "error" not in message, message
        return message["result"]

    def notify(self, method, params):
        """Send a notification."""
        self._send({"method": method, "params": params})

    def _open(self, text):
        uri = (self.directory / f"config{next(self.documents)}.yaml").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return uri

    def _at_cursor(self, text):
        before = text.partition(CURSOR)[0]
        position = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
        return {"textDocument": {"uri": self._open(text.replace(CURSOR, "", 1))}, "position": position}

    def _send(self, message):
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(content), content))
        self.process.stdin.flush()

    def _receive(self):
        """The next message; diagnostics are kept, and requests of the server are answered."""
        length = 0
        while (line := self.process.stdout.readline()) not in {b"\r\n", b""}:
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the server has ended"
        message = json.loads(self.process.stdout.read(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            self.published[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "method" in message and "id" in message:
            self._send({"id": message["id"], "result": self._answer(message)})
        return message

    @staticmethod
    def _answer(message):
        if message["method"] != "workspace/configuration":
            return None
        return [SETTINGS.get(item.get("section")) for item in message["params"]["items"]]


def _inserted(item):
    return item.get("textEdit", {}).get("newText") or item.get("insertText") or item["label"]


def _text(markup):
    return markup.get("value", "") if isinstance(markup, dict) else markup or ""
