"""``nncli predict``: predictions of a run for the rows of a file."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from nncli.cli.interrupts import raised_on_ctrl_c
from nncli.cli.options import examples, run_argument, runs_dir_option
from nncli.errors import CommandLineError

if TYPE_CHECKING:
    from nncli.inference.prediction_rows import PredictionRows

STANDARD = "-"  # standard input or output
FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".npy": "npy", ".parquet": "parquet"}  # by suffix
FORMS = list(dict.fromkeys(FORMATS.values()))
BINARY = {"npy", "parquet"}


@click.command(
    epilog=examples(
        "nncli predict config new.csv",
        "nncli predict config new.csv -o predictions.parquet --probabilities",
        "nncli predict chapter19 tshirt.png pants.png --invert",
    )
)
@run_argument
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    help="Table; NPY, NPZ or IDX file; or images, or directories of images. - is a table on standard input.",
)
@click.option(
    "-o",
    "--output",
    default=STANDARD,
    metavar="FILE",
    help="File to write: .csv, .jsonl, .npy or .parquet.  [default: standard output]",
)
@click.option("--format", "form", type=click.Choice(FORMS), help="[default: by the suffix of the output, else csv]")
@click.option("--probabilities", is_flag=True, help="Write the probability of each class.")
@click.option("--invert", is_flag=True, help="Exchange light and dark of images.")
@runs_dir_option
def predict(
    run: str,
    files: tuple[str, ...],
    output: str,
    form: str | None,
    probabilities: bool,
    invert: bool,
    runs_dir: Path | None,
) -> None:
    """Predict the target for each row of a file, or for each image.

    Columns are found by name, in any order; the target is optional. The output has one row per input row, in the same
    order, with the column that `id` names in the config, or else with the row number.

    PNG and JPEG images are converted like the training images: to the same size, and to gray if those are gray.
    """
    from nncli.cli.options import find_run
    from nncli.cli.reading import reading_shown
    from nncli.cli.render.progress import note
    from nncli.inference.opening import open_predictions
    from nncli.inference.prediction_files import WRITERS
    from nncli.runner.compute_threads import compute_threads
    from nncli.store.run_reader import Run

    _reject_overwriting(files, output)
    form = form or _form_of(output)
    if output == STANDARD and form in BINARY:
        raise CommandLineError(f"standard output is text; name a file for --format {form}: -o predictions.{form}")
    if output != STANDARD:
        _require_file(Path(output), form)
    loaded = Run(find_run(run, runs_dir))
    shows_rows = output == STANDARD and sys.stdout.isatty()
    with raised_on_ctrl_c(), compute_threads(loaded.record.spec.training.threads), reading_shown(is_silent=shows_rows):
        given = [sys.stdin.buffer if file == STANDARD else Path(file) for file in files]
        predictions = open_predictions(loaded, given, probabilities, invert)
        with _opened(output) as stream:
            WRITERS[form](predictions, stream)
    for text in _notes(predictions):
        note(text)


def _reject_overwriting(files: tuple[str, ...], output: str) -> None:
    """Require that the output is not an input file.

    Raises:
        CommandLineError: a file is both input and output.
    """
    read = [Path(file) for file in files if file != STANDARD and Path(file).exists()]
    for path in read if output != STANDARD and Path(output).exists() else ():
        if path.samefile(output):
            raise CommandLineError(f"{output}: is an input file; name another one with -o")


def _require_file(output: Path, form: str) -> None:
    """Refuse a directory, and a device or a pipe for what is more than text.

    Raises:
        CommandLineError: the output is such a thing.
    """
    if output.is_dir():
        raise CommandLineError(f"{output}: is a directory; name a file in it with -o")
    if form in BINARY and output.exists() and not output.is_file():
        raise CommandLineError(f"{output}: is a device or a pipe; name a file for --format {form}")


@contextmanager
def _opened(output: str) -> Iterator[TextIO]:
    """Standard output, a device, a pipe, or a file that is replaced atomically when it is complete."""
    if output == STANDARD:
        yield sys.stdout
        return
    from nncli.store.atomic_write import replacing

    with replacing(Path(output)) as stream:
        yield stream


def _form_of(output: str) -> str:
    """The format that the suffix of the output names; CSV for standard output and a name without a suffix.

    Raises:
        CommandLineError: the suffix is unknown.
    """
    suffix = Path(output).suffix.lower()
    if suffix and suffix not in FORMATS:
        listed = f"{', '.join(list(FORMATS)[:-1])} or {list(FORMATS)[-1]}"
        raise CommandLineError(f"{output}: predictions are written as {listed}; or give --format")
    return FORMATS.get(suffix, "csv")


def _notes(predictions: "PredictionRows") -> Iterator[str]:
    """The score of the predictions, ignored columns and unusual values, one sentence each."""
    from nncli.cli.render.table_notes import notes
    from nncli.inference.table_rows import TableRows

    rows, score = predictions.rows, predictions.score
    if not isinstance(rows, TableRows):
        return
    if score and score.rows:
        yield f"{rows.file.name}: {score}"
    yield from notes(rows)
