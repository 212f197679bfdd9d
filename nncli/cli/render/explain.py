"""Renders explanations: headings, formulas, and arrays as small tables."""

import re
from dataclasses import asdict
from textwrap import fill, indent
from typing import TYPE_CHECKING, Any

from rich.text import Text

from nncli.cli.render.component_reference import example, one_line
from nncli.cli.render.console import Output
from nncli.cli.render.table import Table

if TYPE_CHECKING:
    from nncli.analysis.explanation import Explanation, Step
    from nncli.nn.parameters import Array
    from nncli.registry import Component

MAX_ENTRIES = 7  # of a row or a column that are shown; an ellipsis counts as one


def show_component(component: "Component") -> None:
    """The summary, formulas, parameters and source of a component, and an example for a config."""
    out = Output()
    alias = f", in the book {component.alias}" if component.alias else ""
    out.print(Text.assemble((component.name, "bold"), (f"  ({component.kind}{alias})", "dim")))
    out.print(f"{component.documentation.summary}\n")
    for paragraph in _plain(component.documentation.text).split("\n\n"):
        is_formula = paragraph.startswith("    ")
        lines = _formula_lines(paragraph.splitlines(), out.width) if is_formula else [fill(paragraph, out.width)]
        out.print("\n".join(lines) + "\n", soft_wrap=True)
    for parameter in component.parameters:
        out.print(Text.assemble((f"  {parameter.name}", "bold"), f"  {one_line(parameter)}"))
        out.print(fill(_plain(parameter.meaning), out.width, initial_indent=" " * 6, subsequent_indent=" " * 6))
    if component.parameters:
        out.print()
    out.print(f"Source: {component.documentation.source}\n\nIn a config:\n")
    out.print(indent(example(component), "    ") + "\n", soft_wrap=True)


def show_explanation(config: str, explanation: "Explanation", digits: int) -> None:
    """Every step with its formulas and arrays, then the updates."""
    out = Output()
    rows, of = explanation.rows, explanation.of
    out.print_text(f"{config}: one training step on {rows} of its {of} rows, so that N = {rows}\n")
    for step in explanation.steps:
        _show_step(out, step, digits)
    _show_updates(out, explanation, digits)


def _show_step(out: Output, step: "Step", digits: int) -> None:
    out.print_text(Text(step.heading, style="bold"))
    for line in _formula_lines([f"    {formula}" for formula in step.formulas], out.width):
        out.print(Text(line, style="cyan"), soft_wrap=True)
    if step.settings:
        out.print(f"    {_settings_text(step.settings)}", soft_wrap=True)
    for name, array in step.arrays.items():
        for line in array_lines(name, array, digits, out.room - 2):
            out.print(f"  {line}", soft_wrap=True)
    out.print()


def _show_updates(out: Output, explanation: "Explanation", digits: int) -> None:
    """The first entry of each trainable array, its gradient and its update by each optimizer; the config's first."""
    out.print(Text(f"update: {explanation.updates[0].optimizer}", style="bold"))
    for line in _formula_lines([f"    {formula}" for formula in explanation.formulas], out.width):
        out.print(Text(line, style="cyan"), soft_wrap=True)
    out.print(f"    {_settings_text(explanation.settings)}\n", soft_wrap=True)
    note = "the first update of each optimizer, for the first entry of each array; all but the config's optimizer have"
    out.print(fill(f"{note} their default parameters", out.width) + "\n")
    updates = Table("", "rate", *explanation.parameters)
    values = list(explanation.parameters.values())
    updates.add_row("value", "", *_numbers(values, digits))
    updates.add_row("gradient", "", *_numbers(explanation.gradients, digits))
    updates.add_section()
    for update in explanation.updates:
        style = "bold" if update is explanation.updates[0] else ""
        updates.add_row(update.optimizer, f"{update.rate:.4g}", *_numbers(update.changes, digits), style=style)
    updates.print(out)


def _numbers(values: list[float], digits: int) -> list[str]:
    return [_number(value, digits) for value in values]


def _settings_text(settings: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} = {value:g}" if isinstance(value, float) else f"{name} = {value}" for name, value in settings.items()
    )


def _formula_lines(lines: list[str], width: int) -> list[str]:
    """Formulas; a note after one moves to the next line if both do not fit into the width."""
    wrapped = []
    for line in lines:
        formula, *notes = re.split(r" {3,}", line.strip())
        wrapped += [line] if len(line) <= width or not notes else [f"    {formula}", f"        {'   '.join(notes)}"]
    return wrapped


def _plain(text: str) -> str:
    """The text of a docstring without the backquotes around code."""
    return text.replace("``", "")


def as_document(explanation: "Explanation") -> dict[str, Any]:
    """An explanation as a JSON document, with all digits."""
    document = asdict(explanation)
    for step in document["steps"]:
        step["arrays"] = {name: array.tolist() for name, array in step["arrays"].items()}
    return document


def array_lines(name: str, array: "Array", digits: int, width: float = 80) -> list[str]:
    """An array as lines of text within a width, one per row; long rows and columns are abbreviated by an ellipsis.

    >>> import numpy as np
    >>> array_lines("x", np.array([[1, 2.5], [-3, 0]]), 2)
    ['x (2, 2)', '      1  2.5', '     -3    0']
    """
    if array.ndim == 0:
        return [f"{name} = {_number(array, digits)}"]
    shape = f"{name} ({', '.join(map(str, array.shape))}{',' if array.ndim == 1 else ''})"
    rows = array[None] if array.ndim == 1 else array
    for limit in range(MAX_ENTRIES, 2, -1):
        cells = [["…"] if i is None else _cells(rows[i], digits, limit) for i in _ends(len(rows), MAX_ENTRIES)]
        width_of_cell = max(len(cell) for line in cells for cell in line)
        lines = ["    " + "  ".join(cell.rjust(width_of_cell) for cell in line) for line in cells]
        if max(map(len, lines)) <= width:
            break
    return [shape, *lines]


def _cells(row: "Array", digits: int, limit: int) -> list[str]:
    return ["…" if i is None else _number(row[i], digits) for i in _ends(len(row), limit)]


def _ends(count: int, limit: int) -> list[int | None]:
    """The indices of the entries that are shown, at most ``limit`` with the ellipsis, which is None."""
    if count <= limit:
        return list(range(count))
    last = (limit - 1) // 3
    return [*range(limit - 1 - last), None, *range(count - last, count)]


def _number(value: Any, digits: int) -> str:
    return f"{value + 0.0:.{digits}g}"  # −0 is shown as 0
