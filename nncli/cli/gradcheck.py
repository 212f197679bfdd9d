"""``nncli gradcheck``: whether backward is the slope of the loss."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nncli.cli.output import print_json

if TYPE_CHECKING:
    from nncli.nn.gradcheck import ArrayCheck


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
    """Hold the gradients of a config's network against central differences.

    In double precision, at the first weights, with its own loss, penalties and data, dropout masks held fixed. Exit
    code 8 where a difference is too large, relative to the largest entry of its array; an array whose entries are too
    small for that is told as such.

    OVERRIDES change values of the config: optimizer.learning_rate=0.1 layers[0].units=128
    """
    from dataclasses import asdict

    from nncli.errors import GateError
    from nncli.run.gradients import TOLERANCE, check_gradients

    check = check_gradients(config, overrides, rows, entries)
    passed = check.passes(TOLERANCE)
    try:
        if as_json:
            verdict = {"config": str(config), "tolerance": TOLERANCE, "passed": passed}
            print_json({**verdict, **asdict(check)})
        else:
            from nncli.cli.display import show_gradients

            show_gradients(check, TOLERANCE)
    finally:  # the verdict holds even where nobody reads the rest
        if not passed:
            raise GateError(f"{config}: {_told(check.worst)}")


def _told(worst: "ArrayCheck") -> str:
    """Why a check does not pass."""
    if worst.too_small:
        return "every gradient is too small against the loss to be compared; other first weights may help"
    if not worst.compared:
        return f"{worst.name} has no entry that could be compared"
    return f"{worst.name} is off by {worst.error:.2g} at {list(worst.place or ())}; it is not the slope of the loss"
