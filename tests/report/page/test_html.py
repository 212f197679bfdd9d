"""The HTML file: its policy, its bytes, and names that try to be markup."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from nncli.report.page.blocks import Column, Report, Section, Series, Table, Text
from nncli.report.page.html import html, json_text

HOSTILE = [
    "</script><script>window.attacked = true</script>",
    "<!--<script>",
    '"><img src=x onerror="window.attacked=true">',
    "{{SCRIPT}} {{DATA}}",
    "&lt;b&gt; \u2028\u2029 ]]>",
    "\x1b[2J\x00\x7f\u202e\u2066 right to left",
    "\ud800 half of a pair",
    "'; alert(1); //",
]


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the texts of those that are scripts and styles."""

    def __init__(self, page):
        super().__init__()
        self.found, self.texts, self._open = [], {}, None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        self._open = len(self.found) - 1

    def handle_data(self, data):
        if self._open is not None:
            self.texts[self._open] = self.texts.get(self._open, "") + data

    def handle_endtag(self, tag):
        self._open = None

    def all(self, tag):
        return [
            (attributes, self.texts.get(index, ""))
            for index, (name, attributes) in enumerate(self.found)
            if name == tag
        ]


def report(*names):
    blocks = [Text(name, [name], [name]) for name in names] + [
        Table(name, name, [Column(name)], [[name]]) for name in names
    ]
    return Report(names[0], names[-1], [Section("summary", names[0], blocks)], "0")


@pytest.fixture
def page():
    return html(report(*HOSTILE)).decode()


def test_policy_allows_only_the_script_and_the_style_of_the_page(page):
    """Everything is forbidden by default; script and style are allowed by the hashes of their texts."""
    elements = Elements(page)
    policy = next(attributes["content"] for attributes, _ in elements.all("meta") if "http-equiv" in attributes)
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    script = next(text for attributes, text in elements.all("script") if "type" not in attributes)
    style = elements.all("style")[0][1]
    assert directives == {
        "default-src": "'none'",
        "script-src": f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'",
        "style-src": f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_page_names_no_address(page):
    """There is nothing to request: no source, no address but the namespace of SVG."""
    elements = Elements(page)
    assert not [attributes for _, attributes in elements.found if set(attributes) & {"src", "href", "srcset", "action"}]
    assert set(re.findall(r"\w+://[^\s\"'`<)]*", page)) == {"http://www.w3.org/2000/svg"}


def test_hostile_names_stay_texts(page):
    """The page has its own elements only, and the JSON has the names, their control characters replaced."""
    elements = Elements(page)
    expected = ["html", "head", "meta", "meta", "meta", "meta", "title", "style", "body", "noscript", "main", "h1"]
    expected += ["p"] * (2 * len(HOSTILE) + 1) + ["script", "script"]
    assert [tag for tag, _ in elements.found] == expected
    data = next(text for attributes, text in elements.all("script") if attributes.get("type") == "application/json")
    assert not set(data) & set("<>&\u2028\u2029\x1b\x00\x7f\u202e\u2066")
    blocks = json.loads(data)["sections"][0]["blocks"]
    assert [block["title"] for block in blocks[: len(HOSTILE)]] == [
        "".join(c if c.isprintable() else "�" for c in name) for name in HOSTILE
    ]


def test_event_handlers_are_set_by_the_script_alone():
    """No script of the package writes HTML, or makes code of a text."""
    script = re.search("<script>(.*)</script>", html(report("a")).decode(), re.DOTALL)[1]
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|fetch\(|XMLHttp", script
    )


def test_numbers_that_are_not_finite_become_null():
    """JSON has no NaN and no infinity."""
    series = Series("a", [1.0, float("nan")], [float("inf"), -1.5])
    found = json.loads(json_text(Report("a", "b", [Section("c", "d", [series])], "0")))
    assert found["sections"][0]["blocks"][0]["x"] == [1.0, None]
    assert found["sections"][0]["blocks"][0]["y"] == [None, -1.5]


def test_same_report_has_the_same_bytes():
    """Nothing depends on time or place."""
    assert html(report("a", "b")) == html(report("a", "b"))
