"""``nncli gradcheck``: whether backward is the slope of the loss."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nncli.cli.output import print_json

if TYPE_CHECKING:
    from nncli.nn.gradcheck import GradientCheck


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("overrides", nargs=-1)
@click.option(
    "--rows", type=click.IntRange(1), default=300, show_default=True, help="Rows of the training set, at most."
)
@click.option(
    "--entries", type=click.IntRange(1), default=500, show_default=True, help="Entries of each array, at most."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
def gradcheck(config: Path, overrides: tuple[str, ...], rows: int, entries: int, as_json: bool) -> None:
    """Compare the gradients of a config's network with central differences, and those of training steps with them.

    At the initial weights, with its own loss, penalties and data, dropout masks held fixed. Central differences are
    taken of a float64 copy. The first two steps of an epoch and the last one, with their mini-batches, micro-batches
    and dtype, are compared with that copy. Exit code 8 where a difference is too large, relative to the largest entry
    of its array; an array whose entries are too small for that is reported as such.

    OVERRIDES change values of the config: optimizer.learning_rate=0.1 layers[0].units=128
    """
    from dataclasses import asdict

    from nncli.analysis.gradient_check import TOLERANCE, check_gradients
    from nncli.errors import GateError

    check = check_gradients(config, overrides, rows, entries)
    passed = check.passes(TOLERANCE)
    try:
        if as_json:
            verdict = {"config": str(config), "tolerance": TOLERANCE, "passed": passed}
            print_json({**verdict, **asdict(check)})
        else:
            from nncli.cli.render.gradcheck import show_gradients

            show_gradients(check, TOLERANCE)
    finally:  # the verdict holds even where nobody reads the rest
        if not passed:
            raise GateError(f"{config}: {_told(check, TOLERANCE)}")


def _told(check: "GradientCheck", tolerance: float) -> str:
    """Why a check does not pass."""
    worst = check.worst
    if worst.compared and worst.error >= tolerance:
        return f"{worst.name} is off by {worst.error:.2g} at {list(worst.place or ())}; it is not the slope of the loss"
    if not worst.too_small and not worst.compared:
        return f"{worst.name} has no entry that could be compared"
    for step in (step for step in check.steps if not step.passes):
        off = f"{step.worst.name} is off by {step.worst.error:.2g} at {list(step.worst.place)}"
        where = f"in the {step.dtype} training step on batch {step.batch}, {step.rows} rows"
        return f"{off} {where}; rounding explains {step.worst.tolerance:.2g}"
    return "every gradient is too small against the loss to be compared; other initial weights may help"
