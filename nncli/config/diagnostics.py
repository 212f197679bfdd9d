"""All diagnostics of a config at once, each with its place, its snippet and its cure."""

import difflib
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from nncli.config.synonyms import translations

Path = tuple[str | int, ...]

COMMAND_LINE = "command line"
SNIPPET_WIDTH = 76
SHORTEST_PART = 5  # characters less one; a shorter part of a name says too little
LONGEST_VALUE = 60
MOST_PROBLEMS = 50


class SourceText(NamedTuple):
    """A text and the name under which a message speaks of it; ``first_line`` is the number of its first line."""

    name: str
    text: str
    first_line: int = 1

    def line(self, number: int) -> str:
        """One line of the text, without its end; empty past the last one."""
        lines, index = self.text.splitlines(), number - self.first_line
        return lines[index] if 0 <= index < len(lines) else ""


class SourceLocation(NamedTuple):
    """A position in a source; lines and columns count from 1."""

    source: SourceText
    line: int
    column: int


class Diagnostic(NamedTuple):
    """What is wrong, where in the text, and at which path of the document."""

    place: SourceLocation
    path: Path
    message: str

    def __str__(self) -> str:
        where = f"{self.place.source.name}:{self.place.line}:{self.place.column}"
        said = f"{where}: {path_text(self.path)}: {self.message}" if self.path else f"{where}: {self.message}"
        snippet = _snippet(self.place)
        return f"{said}\n{snippet}" if snippet else said


def report(diagnostics: Iterable[Diagnostic]) -> str:
    """The diagnostics as text, in the order of their places; the command line's come last."""
    ordered = sorted(set(diagnostics), key=_position)
    told = [str(diagnostic) for diagnostic in ordered[:MOST_PROBLEMS]]
    more = [f"... and {len(ordered) - MOST_PROBLEMS} more diagnostics"] if len(ordered) > MOST_PROBLEMS else []
    return "\n".join(told + more)


def shown(value: Any) -> str:
    """A value as a message shows it: quoted where it is text, cut where it is long.

    >>> shown(True), shown("x" * 99)[:5], shown(None)
    ('true', "'xxxx", 'null')
    """
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    text = ""
    for piece in _pieces(value):
        text += piece
        if len(text) > LONGEST_VALUE:
            return f"{text[:LONGEST_VALUE]}..."
    return text


def _pieces(value: Any) -> Iterator[str]:
    """What ``repr`` gives, piece by piece: an alias may stand for a long text a thousand times."""
    if isinstance(value, dict):
        for index, (key, inner) in enumerate(value.items()):
            yield ", " if index else "{"
            yield from _pieces(key)
            yield ": "
            yield from _pieces(inner)
        yield "}" if value else "{}"
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield ", " if index else "["
            yield from _pieces(inner)
        yield "]" if value else "[]"
    else:
        yield repr(value[: LONGEST_VALUE + 1] if isinstance(value, str) else value)


def path_text(path: Path) -> str:
    """A path as a reader writes it.

    >>> path_text(("layers", 0, "units"))
    'layers[0].units'
    """
    words = "".join(
        f"[{step}]" if isinstance(step, int) else f".{sanitized_line(step[:LONGEST_VALUE])}" for step in path
    )
    return words.removeprefix(".")


def sanitized_line(text: str) -> str:
    r"""Text that cannot steer a terminal: a tab as a space, other control characters as �.

    >>> sanitized_line("a\tb\x1b[2J")
    'a b�[2J'
    """
    return "".join(c if c.isprintable() else " " if c == "\t" else "�" for c in text)


def suggestion(word: str, known: Iterable[str], listed: Iterable[str] | None = None) -> str:
    """A suggestion to append to a message, or the list of what there is where nothing comes near.

    Args:
        word: what was written.
        known: what may be written.
        listed: what to list of it, where that is not all.

    >>> suggestion("adm", ["adam", "sgd"])
    "; did you mean 'adam'?"
    >>> suggestion("val_loss", ["data_loss", "validation_loss"])
    "; did you mean 'validation_loss'?"
    """
    known = sorted(known)
    lower = {name.lower(): name for name in reversed(known)}
    written = word[:LONGEST_VALUE].lower()
    meant = [name for name in translations(written) if name.partition(".")[0] in known]
    near = [name for name in lower if len(written) > SHORTEST_PART and written in name == lower[name]]
    near = near or difflib.get_close_matches(written, lower, n=1)
    if meant or near:
        return f"; did you mean {' or '.join(repr(name) for name in meant or map(lower.__getitem__, near))}?"
    return f"; known: {', '.join(sorted(listed or known))}" if known else ""


def _position(diagnostic: Diagnostic) -> tuple[bool, int, int, str]:
    place = diagnostic.place
    return (place.source.name == COMMAND_LINE, place.line, place.column, diagnostic.message)


def _snippet(place: SourceLocation) -> str:
    """The line, and a caret under the column; cut where it is long, sanitized_line where it holds control characters."""
    line = place.source.line(place.line)
    if not line.strip():
        return ""
    start = max(0, place.column - SNIPPET_WIDTH // 2) if len(line) > SNIPPET_WIDTH else 0
    part = sanitized_line(line[start : start + SNIPPET_WIDTH])
    before = part[: max(0, place.column - 1 - start)]
    return f"    {part}\n    {' ' * sum(map(_cells, before))}^"


def _cells(character: str) -> int:
    """How many cells of a terminal a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
