"""The topics that ``nncli explain`` has a page on: a Markdown file each in ``pages/``.

A page is a title, a summary in one sentence, paragraphs and formulas (indented by four spaces), then lines of these:

Also: other words for the topic, in the spelling of a name
Keys: the keys of a config that it concerns; [] stands for each item of a list
Try: a command
See: topics and components
"""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

PAGES = Path(__file__).parent / "pages"
LINES = re.compile(r"^(Also|Keys|Try|See): (.*)$", re.MULTILINE)


class Topic(NamedTuple):
    """A page.

    Args:
        name: the name of its file, by which it is asked for.
        title: its title.
        summary: its first sentence.
        text: its paragraphs and formulas.
        also: other words for it.
        keys: paths of keys in a config, with ``[]`` for each item of a list.
        commands: commands to try.
        related: topics and components.
    """

    name: str
    title: str
    summary: str
    text: str
    also: list[str]
    keys: list[str]
    commands: list[str]
    related: list[str]


def topic_names() -> list[str]:
    """The names of all topics, sorted."""
    return sorted(path.stem for path in PAGES.glob("*.md"))


def topics() -> list[Topic]:
    """All topics by name."""
    return [_read(name) for name in topic_names()]


def find_topic(word: str) -> Topic | None:
    """The topic that a word names, in any spelling; None if there is none."""
    name = re.sub(r"[\s-]+", "_", word.strip().lower())
    return next((topic for topic in topics() if name in {topic.name, *topic.also}), None)


@cache
def _read(name: str) -> Topic:
    content = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    lines: dict[str, list[str]] = {}
    for label, rest in LINES.findall(content):
        lines.setdefault(label, []).append(rest)
    title, summary, text = LINES.sub("", content).strip("\n").split("\n\n", 2)
    words = {label: ", ".join(lines.get(label, [])).split(", ") for label in ("Also", "Keys", "See") if label in lines}
    related, also, keys = words.get("See", []), words.get("Also", []), words.get("Keys", [])
    return Topic(name, title.lstrip("# "), summary, text.strip("\n"), also, keys, lines.get("Try", []), related)
