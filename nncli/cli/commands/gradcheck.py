"""``nncli gradcheck``: compares the gradients of backward with finite differences."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nncli.cli.options import Integer, config_argument, examples, json_option, overrides_argument, runs_dir_option
from nncli.cli.output import print_json

if TYPE_CHECKING:
    from nncli.nn.gradcheck import GradientCheck


@click.command(epilog=examples("nncli gradcheck config.yaml"))
@config_argument
@overrides_argument
@click.option(
    "--rows", type=Integer(1), default=300, show_default=True, help="Maximum number of rows of the training set."
)
@click.option(
    "--entries", type=Integer(1), default=500, show_default=True, help="Maximum number of entries of each array."
)
@runs_dir_option
@json_option
def gradcheck(
    config: Path, overrides: tuple[str, ...], rows: int, entries: int, runs_dir: Path | None, as_json: bool
) -> None:
    """Check analytic gradients against finite differences.

    The gradients at the initial weights of a config, with its loss, penalties, data and frozen dropout masks, are
    compared with central differences of a float64 copy of the network. The gradients of training steps, the first two
    of an epoch and the last, in their mini-batches, micro-batches and dtype, are compared with those of the copy. Exit
    code 8 if an error is too large, relative to the largest entry of its array. Arrays whose gradients are too small to
    compare are reported separately.
    """
    from dataclasses import asdict

    from nncli.analysis.gradient_check import TOLERANCE, check_gradients
    from nncli.errors import GateError

    check = check_gradients(config, overrides, rows, entries, runs_dir)
    passed = check.passes(TOLERANCE)
    try:
        if as_json:
            verdict = {"config": str(config), "tolerance": TOLERANCE, "passed": passed}
            print_json({**verdict, **asdict(check)})
        else:
            from nncli.cli.render.gradcheck import show_gradients

            show_gradients(check, TOLERANCE)
    finally:  # the exit code is right even if the output cannot be written
        if not passed:
            raise GateError(f"{config}: {_failure(check, TOLERANCE)}")


def _failure(check: "GradientCheck", tolerance: float) -> str:
    """Why a check does not pass."""
    worst = check.worst
    if worst.compared and worst.error >= tolerance:
        return f"the gradient of {worst.name} has a relative error of {worst.error:.2g} at {list(worst.place or ())}"
    if not worst.too_small and not worst.compared:
        return f"no entry of {worst.name} could be compared"
    for step in (step for step in check.steps if not step.passes):
        error = f"has a relative error of {step.worst.error:.2g} at {list(step.worst.place)}"
        where = f"in the {step.dtype} training step on batch {step.batch}, {step.rows} rows"
        return f"the gradient of {step.worst.name} {error} {where}; rounding explains {step.worst.tolerance:.2g}"
    return "all gradients are too small compared with the loss; other initial weights may help"
