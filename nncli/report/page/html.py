"""A report as one HTML file, which makes no request and runs no script but its own."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files

from nncli.config.diagnostics import sanitized_line
from nncli.report.page.blocks import Report, Text, as_json

ASSETS = files("nncli.report.page") / "assets"
SCRIPTS = (
    "elements.js",
    "colors.js",
    "chart.js",
    "player.js",
    "blocks.js",
    "page.js",
)  # in the order in which they run
STYLE = "page.css"


def html(report: Report) -> bytes:
    """The page of a report; the same bytes for the same report.

    The policy forbids every request; script and style are allowed by their hashes alone. All that the page shows is in
    one JSON document, whose texts the script makes text nodes of, so that they are never markup.
    """
    script = "".join(_asset(name) for name in SCRIPTS)
    style = _asset(STYLE)
    values = {
        "TITLE": escape(sanitized_line(report.title)),
        "POLICY": f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'",
        "STYLE": style,
        "SUMMARY": "".join(f"<p>{escape(sentence)}</p>" for sentence in _sentences(report)),
        "DATA": json_text(report),
        "SCRIPT": script,
    }
    page = re.sub(r"\{\{([A-Z]+)\}\}", lambda found: values[found[1]], _asset("page.html"))
    return page.encode()


def json_text(report: Report) -> str:
    """The report as JSON that cannot end the element that it is in."""
    text = json.dumps(as_json(report), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """The source of a policy that allows an element with this content."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _sentences(report: Report) -> list[str]:
    """The sentences of all texts, for a browser without script."""
    texts = [block for section in report.sections for block in section.blocks if isinstance(block, Text)]
    return [sanitized_line(sentence) for text in texts for sentence in (*text.warnings, *text.sentences)]
