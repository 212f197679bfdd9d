"""Opening of files for predictions or for an evaluation."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from nncli.data.array_preprocessing import ArrayPreprocessing
from nncli.data.open_table import OpenTable
from nncli.data.preprocessing import Preprocessing
from nncli.data.sources.table import TableSource
from nncli.data.table_file import TableFile
from nncli.errors import CommandLineError
from nncli.inference.array_rows import open_rows
from nncli.inference.labeled_rows import LabeledArrays, LabeledTable, labeled_arrays
from nncli.inference.prediction_rows import PredictionRows
from nncli.inference.predictor import Predictor
from nncli.inference.table_rows import TableRows
from nncli.inference.table_targets import TableTargets
from nncli.store.run_reader import Run


def open_predictions(
    run: Run, files: Sequence[Path | BinaryIO], with_probabilities: bool = False, invert: bool = False
) -> PredictionRows:
    """The predictions of a run for files with the columns or row format of its data; targets are optional.

    Args:
        run: the run.
        files: a table, an array file, or images and directories of images.
        with_probabilities: whether to return the probability of each class.
        invert: whether light and dark of images are exchanged.

    Raises:
        CommandLineError: the run was trained on sampled data, or on another kind of file.
        RunError: the weights or the preprocessing are damaged.
        SourceError: a file cannot be read, or has other columns or another row format.
    """
    predictor, data = Predictor(run), run.record.spec.data
    if not isinstance(predictor.preprocessing, ArrayPreprocessing):
        return _predictions_of_table(run, predictor, files, with_probabilities, invert)
    paths = [file for file in files if isinstance(file, Path)]
    if len(paths) < len(files):
        reason = "which cannot be read from standard input; name a file"
        raise CommandLineError(f"{run.path}: was trained on {data.type}, {reason}")
    rows = open_rows(paths, predictor.preprocessing, vars(data).get("names"), invert)
    return PredictionRows(predictor, rows, rows.ids, with_probabilities=with_probabilities)


def _predictions_of_table(
    run: Run, predictor: Predictor, files: Sequence[Path | BinaryIO], with_probabilities: bool, invert: bool
) -> PredictionRows:
    table, opened = _opened(run, files[0])
    if invert or len(files) > 1:
        option = "--invert is" if invert else "several files are"
        raise CommandLineError(f"{run.path}: was trained on a table; {option} for images")
    targets, settings = _targets(run, predictor, table), table.settings
    ids = [settings.id] if settings.id in opened.header else []
    has_targets = all(name in opened.header for name in targets.columns)
    rows = _rows(predictor, table, opened, [*ids, *(targets.columns if has_targets else ())])
    return PredictionRows(predictor, rows, ids, targets if has_targets else None, with_probabilities)


def open_labeled(run: Run, files: Sequence[Path]) -> LabeledTable | LabeledArrays:
    """The rows of files with the columns or row format of a run's data, and their targets.

    Args:
        run: the run.
        files: a table; an NPZ file; an NPY or IDX file of inputs and one of targets; or a directory of images.

    Raises:
        CommandLineError, RunError, SourceError: as for ``open_predictions``; the targets are needed too.
    """
    predictor = Predictor(run)
    if isinstance(predictor.preprocessing, ArrayPreprocessing):
        return labeled_arrays(run, predictor, files)
    table, opened = _opened(run, files[0])
    if len(files) > 1:
        raise CommandLineError(f"{run.path}: was trained on a table; evaluate it on one file at a time")
    targets = _targets(run, predictor, table)
    return LabeledTable(predictor, _rows(predictor, table, opened, list(targets.columns)), targets)


def _opened(run: Run, file: Path | BinaryIO) -> tuple[TableFile, OpenTable]:
    data = run.record.spec.data
    source = data.build()
    if not isinstance(source, TableSource):
        reason = f"was trained on {data.type}, not on a table; in Python: nncli.load(RUN).predict(inputs)"
        raise CommandLineError(f"{run.path}: {reason}")
    return source.file, source.file.opened(file)


def _targets(run: Run, predictor: Predictor, table: TableFile) -> TableTargets:
    columns = {name: table.columns[name] for name in predictor.targets}
    return TableTargets(columns, predictor.class_names, table.missing)


def _rows(predictor: Predictor, table: TableFile, opened: OpenTable, wanted: list[str]) -> TableRows:
    assert isinstance(predictor.preprocessing, Preprocessing)
    return TableRows(opened, predictor.preprocessing, table.missing, wanted)
