"""A gradient check in the terminal."""

from math import prod
from typing import TYPE_CHECKING

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.table import table

if TYPE_CHECKING:
    from nncli.nn.gradcheck import ArrayCheck, GradientCheck


def show_gradients(check: "GradientCheck", tolerance: float) -> None:
    """The largest error of each array, what could not be compared, and the verdict."""
    out = Output()
    made = table("array", "shape", "compared", "near a kink", "largest error", "at")
    for each in check.arrays:
        size = prod(each.shape)
        made.add_row(
            each.name,
            " × ".join(map(str, each.shape)),
            f"{each.compared:,}" if each.compared == size else f"{each.compared:,} of {size:,}",
            f"{each.near_kinks:,}",
            Text(_error_words(each), style="" if each.error < tolerance else "bold red"),
            ", ".join(map(str, each.place)) if each.place else "–",
        )
    out.print(made)
    rows_to_exclude = {"near a kink": check.rows_near_kinks, "where the loss is clipped": check.rows_clipped}
    told = [f"{count} more {where} left out" for where, count in rows_to_exclude.items() if count]
    out.print("\n" + ", ".join([f"{check.rows} row{'' if check.rows == 1 else 's'}", *told]), soft_wrap=True)
    worst = check.worst
    if worst.place:
        place = f"{worst.name} at {', '.join(map(str, worst.place))}"
        values = f"backward {worst.backward:.9g}, central difference {worst.difference:.9g}"
        out.print(f"{place}: {values}", soft_wrap=True)
    if any(each.too_small for each in check.arrays):
        out.print("where it is too small, the gradient is so small against the loss that rounding would hide a fault")
    for step in check.steps:
        off = f"largest error {step.worst.error:.1e} where rounding explains {step.worst.tolerance:.1e}"
        style = "" if step.passes else "bold red"
        out.print(
            Text(f"{step.dtype} step on batch {step.batch}, {step.rows} rows: {off}", style=style), soft_wrap=True
        )
    if check.passes(tolerance):
        out.print(f"backward is the slope of the loss: the largest error {worst.error:.1e} is under {tolerance:g}")


def _error_words(each: "ArrayCheck") -> str:
    if each.too_small:
        return "too small"
    return f"{each.error:.1e}" if each.compared else "–"
