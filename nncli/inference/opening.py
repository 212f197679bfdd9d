"""Open a file for the predictions of a run, or for its evaluation."""

from pathlib import Path
from typing import BinaryIO, NamedTuple

from nncli.data.delimited import DelimitedFile
from nncli.data.sources.table import TableSource
from nncli.data.table_file import TableFile
from nncli.errors import CommandLineError
from nncli.inference.prediction_rows import PredictionRows
from nncli.inference.predictor import Predictor
from nncli.inference.table_rows import TableRows
from nncli.inference.table_targets import TableTargets
from nncli.store.run_reader import Run


class LabeledRows(NamedTuple):
    """Rows of a file with their targets.

    Args:
        predictor: the network of the run.
        rows: the rows; their texts have the target columns.
        targets: reads the targets.
    """

    predictor: Predictor
    rows: TableRows
    targets: TableTargets


def open_predictions(run: Run, file: Path | BinaryIO, with_probabilities: bool = False) -> PredictionRows:
    """The predictions of a run for a file in the form of its table; the target columns may be absent.

    Raises:
        CommandLineError: the run was not trained on a table.
        RunError: the weights or the preprocessing are damaged.
        TableError: the file cannot be read, or lacks columns.
    """
    predictor, table, opened = _opened(run, file)
    targets, settings = _targets(run, predictor, table), table.settings
    ids = [settings.id] if settings.id else []
    has_targets = all(name in opened.header for name in targets.columns)
    rows = _rows(predictor, table, opened, [*ids, *(targets.columns if has_targets else ())])
    return PredictionRows(predictor, rows, ids, targets if has_targets else None, with_probabilities)


def open_labeled(run: Run, file: Path) -> LabeledRows:
    """The rows of a file in the form of a run's table, with their targets.

    Raises:
        CommandLineError, RunError, TableError: as for ``open_predictions``; the target columns are needed too.
    """
    predictor, table, opened = _opened(run, file)
    targets = _targets(run, predictor, table)
    return LabeledRows(predictor, _rows(predictor, table, opened, list(targets.columns)), targets)


def _opened(run: Run, file: Path | BinaryIO) -> tuple[Predictor, TableFile, DelimitedFile]:
    predictor, source = Predictor(run), run.record.spec.data.build()
    if predictor.preprocessing is None or not isinstance(source, TableSource):
        reason = (
            f"was trained on {run.record.spec.data.type}, not on a file; in Python: nncli.load(RUN).predict(inputs)"
        )
        raise CommandLineError(f"{run.path}: {reason}")
    return predictor, source.file, source.file.opened(file)


def _targets(run: Run, predictor: Predictor, table: TableFile) -> TableTargets:
    columns = {name: table.columns[name] for name in predictor.targets}
    return TableTargets(columns, predictor.class_names, table.missing)


def _rows(predictor: Predictor, table: TableFile, opened: DelimitedFile, wanted: list[str]) -> TableRows:
    assert predictor.preprocessing is not None
    return TableRows(opened, predictor.preprocessing, table.missing, wanted)
