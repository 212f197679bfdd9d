"""Diagnostics of a config, each with its source location, snippet and suggested fix."""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

Path = tuple[str | int, ...]

COMMAND_LINE = "command line"
SNIPPET_WIDTH = 76
LONGEST_VALUE = 60
MAX_DIAGNOSTICS = 50


class SourceText(NamedTuple):
    """A text, the name that messages use for it, and the line number of its first line."""

    name: str
    text: str
    first_line: int = 1

    def line(self, number: int) -> str:
        """Return one line of the text without its line break; empty after the last line."""
        lines, index = self.text.splitlines(), number - self.first_line
        return lines[index] if 0 <= index < len(lines) else ""


class SourceLocation(NamedTuple):
    """A position in a source text; lines and columns count from 1."""

    source: SourceText
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


class Finding(NamedTuple):
    """An error found in a validated config: the path of the key and the message, without a source location."""

    path: Path
    message: str


class Diagnostic(NamedTuple):
    """An error in a config: its source location, the path of the key, and the message."""

    location: SourceLocation
    path: Path
    message: str

    def __str__(self) -> str:
        path = f"{path_text(self.path)}: " if self.path else ""
        text, snippet = f"{self.location}: {path}{self.message}", _snippet(self.location)
        return f"{text}\n{snippet}" if snippet else text


def format_diagnostics(diagnostics: Iterable[Diagnostic]) -> str:
    """The diagnostics as text, sorted by location; those of the command line come last."""
    ordered = _ordered(diagnostics)
    texts = [str(diagnostic) for diagnostic in ordered[:MAX_DIAGNOSTICS]]
    if len(ordered) > MAX_DIAGNOSTICS:
        texts.append(f"... and {len(ordered) - MAX_DIAGNOSTICS} more errors")
    return "\n".join(texts)


def as_documents(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """The diagnostics as JSON values, in the order of the text."""
    return [
        {
            "file": location.source.name,
            "line": location.line,
            "column": location.column,
            "key": path_text(path),
            "message": message,
        }
        for location, path, message in _ordered(diagnostics)
    ]


def shown(value: Any) -> str:
    """Format a value for a message: strings are quoted, long values are truncated.

    >>> shown(True), shown("x" * 99)[:5], shown(None)
    ('true', "'xxxx", 'null')
    """
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    text = ""
    for fragment in _fragments(value):
        text += fragment
        if len(text) > LONGEST_VALUE:
            return f"{text[:LONGEST_VALUE]}..."
    return text


def _fragments(value: Any) -> Iterator[str]:
    """Yield ``repr`` of a value lazily, since nested aliases can make the complete text huge."""
    if isinstance(value, dict):
        for index, (key, inner) in enumerate(value.items()):
            yield ", " if index else "{"
            yield from _fragments(key)
            yield ": "
            yield from _fragments(inner)
        yield "}" if value else "{}"
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield ", " if index else "["
            yield from _fragments(inner)
        yield "]" if value else "[]"
    else:
        yield repr(value[: LONGEST_VALUE + 1] if isinstance(value, str) else value)


def path_text(path: Path) -> str:
    """Format a path as it is written in an override.

    >>> path_text(("layers", 0, "units"))
    'layers[0].units'
    """
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{sanitized_line(key[:LONGEST_VALUE])}" for key in path)
    return text.removeprefix(".")


def counted(count: int, noun: str) -> str:
    """Format a number of things, with the plural of the noun unless it is one.

    >>> counted(1, "layer"), counted(387, "parameter"), counted(1000, "class")
    ('1 layer', '387 parameters', '1,000 classes')
    """
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def sanitized_line(text: str) -> str:
    r"""Replace tabs by spaces and other control characters by �, so that the text cannot control a terminal.

    >>> sanitized_line("a\tb\x1b[2J")
    'a b�[2J'
    """
    return "".join(c if c.isprintable() else " " if c == "\t" else "�" for c in text)


def _ordered(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The diagnostics, each once, by location; those of the command line come last."""
    return sorted(set(diagnostics), key=_sort_key)


def _sort_key(diagnostic: Diagnostic) -> tuple[bool, int, int, str]:
    location = diagnostic.location
    return (location.source.name == COMMAND_LINE, location.line, location.column, diagnostic.message)


def _snippet(location: SourceLocation) -> str:
    """The source line, truncated and sanitized, with a caret under the column."""
    line = location.source.line(location.line)
    if not line.strip():
        return ""
    start = max(0, location.column - SNIPPET_WIDTH // 2) if len(line) > SNIPPET_WIDTH else 0
    end = start + SNIPPET_WIDTH
    excerpt = sanitized_line(line[start:end] if end >= len(line) else f"{line[start : end - 1]}…")
    before = excerpt[: max(0, location.column - 1 - start)]
    return f"    {excerpt}\n    {' ' * sum(map(_cell_width, before))}^"


def _cell_width(character: str) -> int:
    """The number of terminal cells of a character."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
