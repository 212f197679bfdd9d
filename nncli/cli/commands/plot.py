"""``nncli plot``: plots of runs, in the terminal or as files."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nncli.cli.options import Integer, completed_by, examples, json_option, runs_argument, runs_dir_option
from nncli.cli.output import print_json
from nncli.errors import CommandLineError, MissingExtraError

if TYPE_CHECKING:
    from nncli.report.trained_run import TrainedRun

PLOTS = {  # those of nncli.report.plots, which is imported only when one is drawn
    "boundary": "Decision boundary or prediction in the plane of two inputs; fitted curve of a single input.",
    "curves": "Loss and first metric by epoch.",
    "confusion": "Confusion matrix of a classifier.",
    "calibration": "Reliability diagram, with the expected calibration error.",
    "residuals": "Residuals of a regression against predictions.",
    "weights": "Histogram of the weights of each layer.",
    "gradients": "Gradient norm and update-to-weight ratio of each layer by epoch.",
    "units": "Dead and saturated units of each hidden layer.",
}
SUFFIXES = (".svg", ".png", ".pdf")


def plot_options(command: Callable[..., None]) -> Callable[..., None]:
    """An option for each plot."""
    for name, text in reversed(PLOTS.items()):
        command = click.option(f"--{name}", name, is_flag=True, help=text)(command)
    return command


@click.command(
    epilog=examples(
        "nncli plot config",
        "nncli plot config --confusion --calibration",
        "nncli plot config --epoch 100",
        "nncli plot config fast --curves -o curves.svg",
    )
)
@runs_argument("Paths or names of runs; the curves of several are drawn in one diagram.")
@plot_options
@click.option("--epoch", type=Integer(min=0), help="Epoch of a snapshot to show.  [default: the final weights]")
@click.option(
    "--split",
    shell_complete=completed_by("split"),
    help="Split whose rows are shown.  [default: training for a boundary, else validation, test or training]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the plot to an SVG, PNG or PDF file, which needs the extra 'plots'.",
)
@runs_dir_option
@json_option
def plot(
    runs: tuple[str, ...],
    epoch: int | None,
    split: str | None,
    output: Path | None,
    runs_dir: Path | None,
    as_json: bool,
    **chosen: bool,
) -> None:
    """Draw plots of runs in the terminal, or write them to a file.

    By default, a run with two inputs has its decision boundary drawn, a run with a single input its fitted curve, and
    any other run its learning curves.
    """
    from nncli.analysis.compared_run import run_labels
    from nncli.cli.reading import reading_shown
    from nncli.report.plots import plot_name, require_effect
    from nncli.report.trained_run import TrainedRun
    from nncli.runner.compute_threads import compute_threads
    from nncli.store.find_run import find_runs
    from nncli.store.run_reader import Run

    _require_suffix(output, as_json)
    found = [Run(path) for path in find_runs(runs, runs_dir)]
    trained = [TrainedRun(run, epoch, label) for run, label in zip(found, run_labels(found), strict=True)]
    with compute_threads(trained[0].run.record.spec.training.threads), reading_shown(is_silent=as_json):
        names: list[str | None] = [name for name in PLOTS if chosen[name]] or [None if len(trained) == 1 else "curves"]
        require_effect({plot_name(name, each) for each in trained for name in names}, epoch, split)
        if as_json:
            print_json(_document(trained, names, split))
        elif output is not None:
            _write(trained, names, split, output)
        else:
            _show(trained, names, split)
    _note_problems(trained)


def _require_suffix(output: Path | None, as_json: bool) -> None:
    """Reject a file of another format, before anything is computed.

    Raises:
        CommandLineError: the suffix is unknown, or --json is given.
    """
    if output is None:
        return
    if as_json:
        raise CommandLineError("--json and -o exclude each other: JSON is printed")
    if output.suffix.lower() not in SUFFIXES:
        raise CommandLineError(f"{output}: plots are written as .svg, .png or .pdf; name a file such as plot.svg")


def _document(trained: "list[TrainedRun]", names: "list[str | None]", split: str | None) -> dict[str, Any]:
    """The data of the plots of each run."""
    from nncli.report.json_values import json_values
    from nncli.report.plots import PlotOptions, epoch_of, plot_data, plot_name

    runs = []
    for each in trained:
        found = [plot_name(name, each) for name in names]
        plots = {name: json_values(plot_data(name, each, PlotOptions(split))) for name in found}
        epoch = next((epoch for name in found if (epoch := epoch_of(name, each)) is not None), None)
        runs.append({"run": str(each.run.path), "epoch": epoch, **plots})
    return {"runs": runs}


def _show(trained: "list[TrainedRun]", names: "list[str | None]", split: str | None) -> None:
    """Print each plot of each run; the curves of several runs are in one diagram."""
    from nncli.cli.render import plot as render
    from nncli.report.curves import overlays
    from nncli.report.plots import CURVES, PlotOptions, curves_of, epoch_of, plot_data, plot_name

    view = render.PlotPrinter()
    options = PlotOptions(split, *view.grid_size)
    for name in names:
        if name == CURVES and len(trained) > 1:
            view.show_overlays(overlays([curves_of(each) for each in trained]), len(trained))
            continue
        for each in trained:
            found = plot_name(name, each)
            view.show(found, each.label, epoch_of(found, each), plot_data(found, each, options))


def _write(trained: "list[TrainedRun]", names: "list[str | None]", split: str | None, output: Path) -> None:
    """Write the only plot to a file.

    Raises:
        CommandLineError: there are several.
        MissingExtraError: matplotlib is not installed.
    """
    if len(names) > 1:
        raise CommandLineError(f"{output}: a file has one plot; choose --{names[0]} or another one")
    if find_spec("matplotlib") is None:  # before anything is computed
        raise MissingExtraError("plots as files", "plots")
    from nncli.cli.render.figures import CELLS, figure_bytes
    from nncli.report.plots import PlotOptions, epoch_of, plot_data, plot_name
    from nncli.store.atomic_write import write_atomic

    options, found = PlotOptions(split, CELLS, CELLS), [plot_name(names[0], each) for each in trained]
    plots = [plot_data(name, each, options) for name, each in zip(found, trained, strict=True)]
    epochs = [epoch_of(name, each) for name, each in zip(found, trained, strict=True)]
    write_atomic(
        output, figure_bytes(found, [each.label for each in trained], epochs, plots, output.suffix.lower()[1:])
    )
    click.echo(output)


def _note_problems(trained: "list[TrainedRun]") -> None:
    """Print why a plot has no rows."""
    from nncli.cli.render.progress import note

    for each in trained:
        if each.problem:
            note(f"{each.run.path}: {each.problem}")
