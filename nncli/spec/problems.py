"""All problems of a spec at once, each with its place, its snippet and its cure."""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]

SNIPPET_WIDTH = 96


@dataclass(frozen=True)
class Source:
    """A text and the name under which a message speaks of it; ``first_line`` is the number of its first line."""

    name: str
    text: str
    first_line: int = 1

    def line(self, number: int) -> str:
        """One line of the text, without its end; empty past the last one."""
        lines = self.text.splitlines()
        index = number - self.first_line
        return lines[index] if 0 <= index < len(lines) else ""


@dataclass(frozen=True)
class Place:
    """A position in a source; lines and columns count from 1."""

    source: Source
    line: int
    column: int


@dataclass(frozen=True)
class Problem:
    """What is wrong, where in the text, and at which path of the document."""

    place: Place
    path: Path
    message: str

    def __str__(self) -> str:
        where = f"{self.place.source.name}:{self.place.line}:{self.place.column}"
        said = f"{where}: {path_words(self.path)}: {self.message}" if self.path else f"{where}: {self.message}"
        snippet = _snippet(self.place)
        return f"{said}\n{snippet}" if snippet else said


def report(problems: Iterable[Problem]) -> str:
    """The problems as text, in the order of their places; the command line's come last."""
    return "\n".join(str(problem) for problem in sorted(set(problems), key=_position))


def path_words(path: Path) -> str:
    """A path as a reader writes it.

    >>> path_words(("layers", 0, "units"))
    'layers[0].units'
    """
    words = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return words.removeprefix(".")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion to append to a message, or the list of what there is where nothing comes near.

    >>> did_you_mean("adm", ["adam", "sgd"])
    "; did you mean 'adam'?"
    """
    known = sorted(known)
    near = difflib.get_close_matches(word.lower(), known, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there is {', '.join(known)}" if known else ""


def _position(problem: Problem) -> tuple[int, int, int, str]:
    place = problem.place
    return (place.source.first_line, place.line, place.column, problem.message)


def _snippet(place: Place) -> str:
    """The line, and a caret under the column; cut where it is long, harmless where it holds control characters."""
    line = re.sub(r"[^\S ]|[^\w\s]", lambda found: _visible(found.group()), place.source.line(place.line))
    if not line.strip():
        return ""
    start = max(0, place.column - SNIPPET_WIDTH // 2) if len(line) > SNIPPET_WIDTH else 0
    before = line[start : place.column - 1]
    width = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in before)
    return f"    {line[start : start + SNIPPET_WIDTH]}\n    {' ' * width}^"


def _visible(character: str) -> str:
    return character if character.isprintable() else " " if character == "\t" else "�"
