"""``nncli evaluate``: metrics of a run's network on its data sets, and gates on them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nncli.cli.options import (
    completed_by,
    digits_of,
    exact_option,
    examples,
    json_option,
    run_argument,
    runs_dir_option,
)
from nncli.cli.output import print_json

if TYPE_CHECKING:
    from nncli.store.run_reader import Run


@click.command(
    epilog=examples(
        "nncli evaluate config",
        "nncli evaluate config --fail-below accuracy=0.5 --fail-above validation_loss=2",
        "nncli evaluate config --data new.csv",
        "nncli evaluate chapter19 --data images.npy --data labels.npy",
    )
)
@run_argument
@click.option(
    "--split",
    "splits",
    multiple=True,
    shell_complete=completed_by("split"),
    help="Split to evaluate on: training, validation or test.  [default: all]",
)
@click.option(
    "--fail-below",
    "lower_bounds",
    multiple=True,
    metavar="METRIC=VALUE",
    shell_complete=completed_by("gate"),
    help="Fail with exit code 8 if METRIC is below VALUE.",
)
@click.option(
    "--fail-above",
    "upper_bounds",
    multiple=True,
    metavar="METRIC=VALUE",
    shell_complete=completed_by("gate"),
    help="Fail with exit code 8 if METRIC is above VALUE.",
)
@click.option(
    "--threshold",
    type=float,
    help="Decision threshold for class 1 of a binary classifier.  [default: the threshold of the config]",
)
@click.option(
    "--data",
    "files",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Evaluate on this file instead of the run's data sets: a table, an NPZ file, or a directory of images, with"
    " the columns or the row shape of the training data; twice for NPY or IDX files: inputs, then targets.",
)
@runs_dir_option
@exact_option
@json_option
def evaluate(
    run: str,
    splits: tuple[str, ...],
    lower_bounds: tuple[str, ...],
    upper_bounds: tuple[str, ...],
    threshold: float | None,
    files: tuple[Path, ...],
    runs_dir: Path | None,
    exact: bool,
    as_json: bool,
) -> None:
    """Evaluate the network of a run on its data sets, or on another file.

    A bound on METRIC applies to every evaluated split; prefix it with a split, as in validation_accuracy, to check
    only that one.
    """
    from nncli.analysis.gates import gate_failures, parse_gate
    from nncli.cli.options import find_run
    from nncli.cli.reading import reading_shown
    from nncli.cli.render.progress import note
    from nncli.errors import CommandLineError, GateError
    from nncli.runner.compute_threads import compute_threads
    from nncli.store.run_reader import Run

    if files and splits:
        raise CommandLineError("--split and --data exclude each other: a file has no splits")
    gates = [parse_gate(text, upper=False) for text in lower_bounds]
    gates += [parse_gate(text, upper=True) for text in upper_bounds]
    loaded = Run(find_run(run, runs_dir))
    with compute_threads(loaded.record.spec.training.threads), reading_shown(is_silent=as_json):
        assessment = _assessed(loaded, splits, threshold, files)
    failed = gate_failures(assessment, gates)
    if loaded.missing_evaluation:
        note(f"{loaded.path}: {loaded.missing_evaluation}")
    try:
        if as_json:
            print_json({**assessment, "gates_failed": failed})
        else:
            from nncli.cli.render.evaluate import show_assessment

            show_assessment(assessment, digits_of(exact))
    finally:  # gates count even if the output cannot be written
        if failed:
            raise GateError("\n".join(failed))


def _assessed(run: "Run", splits: tuple[str, ...], threshold: float | None, files: tuple[Path, ...]) -> dict[str, Any]:
    """The document of the evaluation; notes on a table are printed."""
    if not files:
        from nncli.analysis.evaluation import assess

        return assess(run, splits, threshold)
    from nncli.analysis.file_evaluation import assess_files
    from nncli.cli.render.progress import note
    from nncli.cli.render.table_notes import notes

    evaluation = assess_files(run, files, threshold)
    for text in notes(evaluation.rows) if evaluation.rows else ():
        note(text)
    return evaluation.document
