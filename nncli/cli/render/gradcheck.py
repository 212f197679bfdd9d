"""Renders a gradient check in the terminal."""

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING

from rich.text import Text

from nncli.cli.render.console import Output
from nncli.cli.render.table import Cell, Table

if TYPE_CHECKING:
    from nncli.nn.gradcheck import ArrayCheck, GradientCheck
    from nncli.nn.stepcheck import StepCheck


def show_gradients(check: "GradientCheck", tolerance: float) -> None:
    """The largest error of each array, what was skipped, the training steps, and the verdict."""
    out = Output()
    arrays = Table("array", "shape", "compared", "near a kink", "largest error", "at")
    for array in check.arrays:
        arrays.add_row(*_cells(array, tolerance))
    arrays.print(out)
    out.print()
    for line in _notes(check):
        out.print_text(line)
    for step in check.steps:
        out.print_text(Text(_step_text(step), style="" if step.passes else "bold red"))
    if check.passes(tolerance):
        error = f"largest error {check.worst.error:.1e}, relative to the largest entry of the array"
        out.print_text(f"PASSED: {error} (tolerance {tolerance:g})")


def _cells(array: "ArrayCheck", tolerance: float) -> Iterator[str | Cell]:
    size = prod(array.shape)
    yield array.name
    yield " × ".join(map(str, array.shape))
    yield f"{array.compared:,}" if array.compared == size else f"{array.compared:,} of {size:,}"
    yield f"{array.near_kinks:,}"
    yield Cell(_error_text(array), "" if array.error < tolerance else "bold red")
    yield _index_text(array.place) if array.place else "–"


def _notes(check: "GradientCheck") -> Iterator[str]:
    """The rows that were skipped, the worst entry, and what the table leaves open."""
    skipped = {
        "near a kink, where the loss is not differentiable": check.rows_near_kinks,
        "clipped by the loss": check.rows_clipped,
    }
    notes = [f"{count} skipped ({reason})" for reason, count in skipped.items() if count]
    yield ", ".join([f"{check.rows} row{'' if check.rows == 1 else 's'} compared", *notes])
    worst = check.worst
    if worst.place:
        values = f"analytic {worst.backward:.8e}, numerical {worst.difference:.8e}"
        yield f"{worst.name} at {_index_text(worst.place)}: {values}"
    of_steps = (array for step in check.steps for array in step.arrays)
    if any(array.too_small for array in check.arrays) or any(array.too_small for array in of_steps):
        yield "too small: compared with the loss, the gradients are so small that rounding could hide an error"


def _step_text(step: "StepCheck") -> str:
    errors = f"largest error {step.worst.error:.1e}, rounding explains {step.worst.tolerance:.1e}"
    small = ", ".join(array.name for array in step.arrays if array.too_small)
    return f"{step.dtype} step on batch {step.batch}, {step.rows} rows: {errors}" + (
        f"; too small: {small}" * bool(small)
    )


def _error_text(array: "ArrayCheck") -> str:
    if array.too_small:
        return "too small"
    return f"{array.error:.1e}" if array.compared else "–"


def _index_text(index: tuple[int, ...]) -> str:
    return ", ".join(map(str, index))
