"""Renders explanations: headings, formulas, and arrays as small tables; components, and the pages of topics."""

import re
from dataclasses import asdict
from textwrap import fill, indent
from typing import TYPE_CHECKING, Any

from rich.text import Text

from nncli.cli.render.component_reference import example, one_line
from nncli.cli.render.console import Output
from nncli.cli.render.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nncli.analysis.explained_step import Explanation, Step
    from nncli.cli.topics import Topic
    from nncli.nn.parameters import Array
    from nncli.registry import Component

MAX_ENTRIES = 7  # of a row or a column that are shown; an ellipsis counts as one


def show_component(component: "Component") -> None:
    """The summary, formulas, parameters and source of a component, and an example for a config."""
    out = Output()
    alias = f", in the book {component.alias}" if component.alias else ""
    out.print(Text.assemble((component.name, "bold"), (f"  ({component.kind}{alias})", "dim")))
    out.print(f"{component.documentation.summary}\n")
    show_text(out, component.documentation.text)
    for parameter in component.parameters:
        out.print(Text.assemble((f"  {parameter.name}", "bold"), f"  {one_line(parameter)}"))
        out.print(fill(_plain(parameter.meaning), out.width, initial_indent=" " * 6, subsequent_indent=" " * 6))
    if component.parameters:
        out.print()
    out.print(f"Source: {component.documentation.source}\n\nIn a config:\n")
    out.print(indent(example(component), "    ") + "\n", soft_wrap=True)


def show_text(out: Output, text: str) -> None:
    """Paragraphs and formulas, which are indented by four spaces."""
    for paragraph in _plain(text).split("\n\n"):
        is_formula = paragraph.startswith("    ")
        lines = _formula_lines(paragraph.splitlines(), out.width) if is_formula else [fill(paragraph, out.width)]
        out.print("\n".join(lines) + "\n", soft_wrap=True)


def show_topic(topic: "Topic", numbers: "Mapping[str, Any]", config: str) -> None:
    """The page of a topic, with the numbers of a config if there are any."""
    out = Output()
    out.print(Text(topic.title, style="bold"))
    out.print(fill(topic.summary, out.width) + "\n")
    show_text(out, topic.text)
    if numbers:
        out.print_text(Text(f"In {config}:", style="bold"))
        for name, value in numbers.items():
            out.print_text(f"  {name} = {value_text(value)}")
        out.print()
    for label, words in (("Keys", topic.keys), ("See also", topic.related)):
        if words:
            indent = " " * (len(label) + 2)
            out.print(fill(f"{label}: {', '.join(words)}", out.width, subsequent_indent=indent))
    for command in topic.commands:
        out.print(Text(f"Try: {command}"), soft_wrap=True)


def show_topics(topics: "Sequence[Topic]") -> None:
    """The name and the summary of each topic, and where components are listed."""
    out = Output()
    width = max(len(topic.name) for topic in topics)
    for topic in topics:
        lines = fill(topic.summary, max(out.width - width - 2, 20)).splitlines()
        out.print(Text.assemble((f"{topic.name:<{width}}", "bold"), f"  {lines[0]}"))
        for line in lines[1:]:
            out.print(f"{'':<{width}}  {line}")
    out.print_text("\n'nncli explain TOPIC' prints a page, 'nncli explain TOPIC CONFIG' with the numbers of a config.")
    out.print_text("'nncli components' lists the components, 'nncli runs' the runs; explain takes them too.")


def show_steps(steps: "Sequence[Step]", digits: int) -> None:
    """Steps of a computation with their formulas and arrays."""
    out = Output()
    for step in steps:
        _show_step(out, step, digits)


def show_explanation(config: str, explanation: "Explanation", digits: int) -> None:
    """Every step with its formulas and arrays, then the updates."""
    out = Output()
    rows, of = explanation.rows, explanation.of
    weights = f" with the weights of epoch {explanation.epoch}" if explanation.epoch else ""
    out.print_text(f"{config}: one training step{weights} on {rows} of its {of} rows, so that N = {rows}\n")
    for step in explanation.steps:
        _show_step(out, step, digits)
    if explanation.parameters:
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
    start = ", from these weights and without earlier updates" if explanation.epoch else ""
    note = f"the first update of each optimizer{start}, for the first entry of each array; all but the config's"
    out.print(fill(f"{note} optimizer have their default parameters", out.width) + "\n")
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
    return ", ".join(f"{name} = {value_text(value)}" for name, value in settings.items())


def value_text(value: Any) -> str:
    """A value as text: a float to six digits, all others as in a config."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {value_text(item)}" for key, item in value.items() if item is not None) + "}"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


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
    return {**asdict(explanation), "steps": steps_as_documents(explanation.steps)}


def steps_as_documents(steps: "Sequence[Step]") -> list[dict[str, Any]]:
    """Steps as JSON values, with all digits."""
    return [{**asdict(step), "arrays": {name: array.tolist() for name, array in step.arrays.items()}} for step in steps]


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
