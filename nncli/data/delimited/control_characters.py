"""Control characters in the text of a table; they are errors, as they are a sign of damage."""

import re
from collections.abc import Iterator

import numpy as np

from nncli.data.delimited.problems import Problem
from nncli.data.delimited.rows import SPACE, TAB, Text, count_lines

CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")  # all but the tab and the line feed, in UTF-8


def control_characters(text: Text) -> tuple[Iterator[Problem], int]:
    """The problems of all control characters of a text, and their number."""
    if not _may_have_some(text.content):
        return iter(()), 0
    return (_problem(text, match) for match in CONTROL.finditer(text.content)), len(CONTROL.findall(text.content))


def _may_have_some(content: bytes) -> bool:
    """A fast check that rules out control characters in most texts; the search takes ten times as long."""
    characters = np.frombuffer(content, np.uint8)
    low, tabs = np.count_nonzero(characters < SPACE), np.count_nonzero(characters == TAB)
    return int(low - tabs) > count_lines(content) or b"\x7f" in content or b"\xc2" in content


def _problem(text: Text, match: re.Match[bytes]) -> Problem:
    content, start = text.content, match.start()
    line = text.first_line + content.count(b"\n", 0, start)
    column = len(content[content.rfind(b"\n", 0, start) + 1 : start].decode()) + 1
    code = ord(match[0].decode())
    if not code:
        return Problem(line, column, "a NUL byte; remove it")
    fix = "write encoding: cp1252, or remove it" if code >= 0x80 else "remove it"
    return Problem(line, column, f"control character U+{code:04X}; {fix}")
