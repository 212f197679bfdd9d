"""The docstring of a component, read when the documentation is first used.

Textbook definition of the component, one sentence on one line.

    formula            indented by four spaces; a line that begins with dL/ is a gradient, of the backward pass
    formula

Remarks, where something is not obvious.

Args:
    name (symbol): meaning; the symbol is that of the formulas, and is left out if they have none.
    name: meaning, continued
        with more indentation.

Raises, Source: text, on the same line or indented below.
"""

import inspect
import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

SECTIONS = ("Args", "Raises", "Source")
INDENT = "    "
GRADIENT = "dL/"  # how a formula of the backward pass begins
ARGUMENT = r"    (?P<name>\w+)( \((?P<symbol>\S+)\))?: (?P<meaning>\S.*)"


class Docstring(NamedTuple):
    """The parts of a docstring; ``text`` is all between the summary and the first section."""

    summary: str
    text: str
    formulas: list[str]
    meanings: dict[str, str]
    symbols: dict[str, str]
    source: str

    @property
    def forward_formulas(self) -> list[str]:
        """The formulas of the forward pass."""
        return [formula for formula in self.formulas if not formula.startswith(GRADIENT)]

    @property
    def backward_formulas(self) -> list[str]:
        """The formulas of the gradients."""
        return [formula for formula in self.formulas if formula.startswith(GRADIENT)]


@cache
def parse_docstring(docstring: str) -> Docstring:
    """The parts of a docstring.

    Raises:
        ValueError: the docstring does not have the format that this module describes.
    """
    sections = _sections(inspect.cleandoc(docstring))
    summary, *text = sections[""] or [""]
    meanings, symbols = _arguments(sections.get("Args", []))
    formulas = [line.strip() for line in text if line.startswith(INDENT)]
    source = " ".join(line.strip() for line in sections.get("Source", []))
    return Docstring(summary, "\n".join(text).strip("\n"), formulas, meanings, symbols, source.strip())


def _sections(docstring: str) -> dict[str, list[str]]:
    """The lines of each section by its name; those before the first section by the empty name."""
    sections: dict[str, list[str]] = {"": []}
    name = ""
    for line in docstring.splitlines():
        header, colon, rest = line.partition(":")
        if not colon or header not in SECTIONS:
            sections[name].append(line)
        elif header in sections:
            raise ValueError(f"section {header!r} occurs twice")
        else:
            name, sections[header] = header, [rest]
    return sections


def _arguments(lines: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The meaning of each argument, preceded by its symbol if it has one, and the symbols."""
    meanings: dict[str, str] = {}
    symbols: dict[str, str] = {}
    name = ""
    for line in filter(None, lines):
        if line.startswith(2 * INDENT) and name:
            meanings[name] += f" {line.strip()}"
            continue
        entry = re.fullmatch(ARGUMENT, line)
        if entry is None or entry["name"] in meanings:
            raise ValueError(f"expected 'name: meaning' or 'name (symbol): meaning' below Args, got {line.strip()!r}")
        name, meanings[entry["name"]] = entry["name"], entry["meaning"]
        if entry["symbol"]:
            symbols[name] = entry["symbol"]
            meanings[name] = f"{entry['symbol']}, {entry['meaning']}"
    return meanings, symbols
