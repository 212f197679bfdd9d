"""Explanations as one would write them on a board: headings, formulas, and small tables of numbers."""

import re
from dataclasses import asdict
from textwrap import fill, indent
from typing import TYPE_CHECKING, Any

from rich.text import Text

from nncli.cli.render.component_reference import example, one_line
from nncli.cli.render.console import Output
from nncli.cli.render.table import table

if TYPE_CHECKING:
    from nncli.analysis.explanation import Explanation, Step
    from nncli.nn.parameters import Array
    from nncli.registry import Component

MOST = 7  # entries of a row or a column that are shown, those left out counting as one


def show_component(entry: "Component") -> None:
    """What a component does, its formulas, its parameters, where it comes from, and how a config names it."""
    out = Output()
    known = f", in the book {entry.alias}" if entry.alias else ""
    out.print(Text.assemble((entry.name, "bold"), (f"  ({entry.kind}{known})", "dim")))
    out.print(f"{entry.summary}\n")
    for paragraph in _plain(entry.text).split("\n\n"):
        is_formula = paragraph.startswith("    ")
        lines = _formula_lines(paragraph.splitlines(), out.width) if is_formula else [fill(paragraph, out.width)]
        out.print("\n".join(lines) + "\n", soft_wrap=True)
    for each in entry.parameters:
        out.print(Text.assemble((f"  {each.name}", "bold"), f"  {one_line(each)}"))
        out.print(fill(_plain(each.meaning), out.width, initial_indent=" " * 6, subsequent_indent=" " * 6))
    if entry.parameters:
        out.print()
    out.print(f"Source: {entry.source}\n\nIn a config:\n")
    out.print(indent(example(entry), "    ") + "\n", soft_wrap=True)


def show_explanation(config: str, explanation: "Explanation", digits: int) -> None:
    """Every step with its formulas and numbers, then the updates."""
    out = Output()
    rows, of = explanation.rows, explanation.of
    out.print(f"{config}: one training step on {rows} of its {of} rows, so that N = {rows}\n", soft_wrap=True)
    for step in explanation.steps:
        _show_step(out, step, digits)
    _show_updates(out, explanation, digits)


def _show_step(out: Output, step: "Step", digits: int) -> None:
    out.print(Text(step.heading, style="bold"), soft_wrap=True)
    for line in _formula_lines([f"    {formula}" for formula in step.formulas], out.width):
        out.print(Text(line, style="cyan"), soft_wrap=True)
    if step.settings:
        out.print(f"    {_told(step.settings)}", soft_wrap=True)
    for name, array in step.arrays.items():
        for line in array_lines(name, array, digits, out.width - 2):
            out.print(f"  {line}", soft_wrap=True)
    out.print()


def _show_updates(out: Output, explanation: "Explanation", digits: int) -> None:
    """The first entry of each trained array, its gradient, and what each optimizer adds to it; the config's own first."""
    own, shown = explanation.updates[0], _shown(list(explanation.parameters), (out.width - 22) // (digits + 9))
    out.print(Text(f"update: {own.optimizer}", style="bold"))
    for line in _formula_lines([f"    {formula}" for formula in explanation.formulas], out.width):
        out.print(Text(line, style="cyan"), soft_wrap=True)
    out.print(f"    {_told(explanation.settings)}\n", soft_wrap=True)
    note = "the first step of each optimizer, for the first entry of each array: the config's own as it is there, the"
    out.print(fill(f"{note} others with their defaults", out.width) + "\n")
    names, values = list(explanation.parameters), list(explanation.parameters.values())
    made = table("", "rate", *("…" if i is None else "\n".join(names[i].rsplit(".", 1)) for i in shown))
    made.add_row("value", "", *(_entry(values, i, digits) for i in shown))
    made.add_row("gradient", "", *(_entry(explanation.gradients, i, digits) for i in shown), end_section=True)
    for update in explanation.updates:
        changes = (_entry(update.changes, i, digits) for i in shown)
        made.add_row(update.optimizer, f"{update.rate:.4g}", *changes, style="bold" if update is own else "")
    out.print(made)


def _shown(names: list[str], most: int) -> list[int | None]:
    """The positions of the arrays that have a column: all, or the first and the last where only ``most`` fit."""
    if len(names) <= most:
        return list(range(len(names)))
    half = max(1, most // 2)
    return [*range(half), None, *range(len(names) - half, len(names))]


def _entry(numbers: list[float], position: int | None, digits: int) -> str:
    return "…" if position is None else _number(numbers[position], digits)


def _told(settings: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} = {value:g}" if isinstance(value, float) else f"{name} = {value}" for name, value in settings.items()
    )


def _formula_lines(lines: list[str], width: int) -> list[str]:
    """Formulas, the notes behind them on a line of their own where both do not fit into one."""
    told = []
    for line in lines:
        formula, *notes = re.split(r" {3,}", line.strip())
        told += [line] if len(line) <= width or not notes else [f"    {formula}", f"        {'   '.join(notes)}"]
    return told


def _plain(text: str) -> str:
    """A docstring's words without the signs that mark code in it."""
    return text.replace("``", "")


def as_document(explanation: "Explanation") -> dict[str, Any]:
    """An explanation as JSON has it, every number in full."""
    document = asdict(explanation)
    for step in document["steps"]:
        step["arrays"] = {name: array.tolist() for name, array in step["arrays"].items()}
    return document


def array_lines(name: str, array: "Array", digits: int, width: int = 80) -> list[str]:
    """An array as lines of text, one a row, long rows and columns shown by their ends, within a width.

    >>> import numpy as np
    >>> array_lines("x", np.array([[1, 2.5], [-3, 0]]), 2)
    ['x (2, 2)', '      1  2.5', '     -3    0']
    """
    if array.ndim == 0:
        return [f"{name} = {_number(array, digits)}"]
    shape = f"{name} ({', '.join(map(str, array.shape))}{',' if array.ndim == 1 else ''})"
    rows = array[None] if array.ndim == 1 else array
    for most in range(MOST, 2, -1):
        cells = [_cells(rows[i], digits, most) if i is not None else ["…"] for i in _ends(len(rows), MOST)]
        widest = max(len(cell) for line in cells for cell in line)
        lines = ["    " + "  ".join(cell.rjust(widest) for cell in line) for line in cells]
        if max(map(len, lines)) <= width:
            break
    return [shape, *lines]


def _cells(row: "Array", digits: int, most: int) -> list[str]:
    return [_number(row[i], digits) if i is not None else "…" for i in _ends(len(row), most)]


def _ends(count: int, most: int) -> list[int | None]:
    """The positions that are shown of so many, ``most`` of them; None stands for those between."""
    if count <= most:
        return list(range(count))
    last = (most - 1) // 3
    return [*range(most - 1 - last), None, *range(count - last, count)]


def _number(value: Any, digits: int) -> str:
    return f"{value + 0.0:.{digits}g}"  # -0 is 0
