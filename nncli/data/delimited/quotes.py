"""Quotes in delimited text as in RFC 4180: a field is quoted as a whole, and a quote within it is doubled."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nncli.config.diagnostics import counted, shown
from nncli.data.delimited.problems import Problem

Characters: TypeAlias = NDArray[np.uint8]
Positions: TypeAlias = NDArray[np.int64]

QUOTE = 34
EXCERPT = 60  # bytes


def outside_quotes(characters: Characters, positions: Positions) -> Positions:
    """The positions outside quotes: those with an even number of quotes before them; doubled quotes cancel."""
    quotes = np.flatnonzero(characters == QUOTE)
    return positions[np.searchsorted(quotes, positions) % 2 == 0] if len(quotes) else positions


def enclosing_quotes(characters: Characters) -> Positions:
    """The positions of quotes that are not content: those around a field, and the first of a doubled quote."""
    opening, _ = _opening_and_closing(characters)
    return np.concatenate((opening, np.flatnonzero(characters == QUOTE)[1::2]))


def quote_problem(text: bytes, ends: Positions, first_line: int) -> Problem | None:
    """The first misplaced or unclosed quote, at the line where it is opened; None if there is none.

    Args:
        text: complete rows; only a quoted field at the end may be incomplete.
        ends: the positions where the fields end.
        first_line: the line of the file where the text begins.
    """
    if b'"' not in text:
        return None
    opening, closing = _opening_and_closing(np.frombuffer(text, np.uint8))
    found = (*_within_field(text, ends, opening), *_before_text(text, ends, opening, closing))
    if found:
        _, position, message = min(found)
    elif len(opening) > len(closing):
        position, message = int(opening[-1]), "the quote that opens here is not closed: {}; close it, or write it twice"
        message = message.format(_excerpt(text, position))
    else:
        return None
    return Problem(first_line + text.count(b"\n", 0, position), 0, message)


def _opening_and_closing(characters: Characters) -> tuple[Positions, Positions]:
    """The positions of opening and of closing quotes; doubled quotes are neither."""
    quotes = np.flatnonzero(characters == QUOTE)
    opening, closing = quotes[::2], quotes[1::2]
    doubled = opening[1:] == closing[: len(opening) - 1] + 1
    opens, closes = np.ones(len(opening), bool), np.ones(len(closing), bool)
    opens[1:] = closes[: len(doubled)] = ~doubled
    return opening[opens], closing[closes]


def _within_field(text: bytes, ends: Positions, opening: Positions) -> list[tuple[int, int, str]]:
    """The first opening quote after text of its field: its position (twice), and the message."""
    starts = np.concatenate(([0], ends + 1))[np.searchsorted(ends, opening)]
    apart = np.flatnonzero(starts != opening)
    for start, quote in zip(starts[apart].tolist(), opening[apart].tolist(), strict=True):
        if text[start:quote].strip():
            field = _excerpt(text, start)
            message = f"a quote within the field {field}; write the field in quotes, and the quote in it twice"
            return [(quote, quote, message)]
    return []


def _before_text(text: bytes, ends: Positions, opening: Positions, closing: Positions) -> list[tuple[int, int, str]]:
    """The first closing quote before text of its field: its position, that of its opening quote, and the message."""
    field_ends = np.concatenate((ends, [len(text)]))[np.searchsorted(ends, closing)]
    apart = np.flatnonzero(field_ends != closing + 1)
    for index, end in zip(apart.tolist(), field_ends[apart].tolist(), strict=True):
        if text[closing[index] + 1 : end].strip():
            start, quote = int(opening[index]), int(closing[index])
            lines = text.count(b"\n", start, quote)
            where = f" {counted(lines, 'line')} further down" if lines else ""
            excerpt = _excerpt(text, max(start, quote - EXCERPT // 2, text.rfind(b"\n", 0, quote) + 1))
            message = f"text after the closing quote{where}: {excerpt}; write a quote within a quoted field twice"
            return [(quote, start, message)]
    return []


def _excerpt(text: bytes, start: int) -> str:
    return shown(text[start : start + EXCERPT].decode(errors="ignore").split("\n")[0])
