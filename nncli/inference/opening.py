"""Open a file for the predictions of a run."""

from pathlib import Path
from typing import BinaryIO

from nncli.data.sources.table import TableSource
from nncli.errors import CommandLineError
from nncli.inference.prediction_rows import PredictionRows
from nncli.inference.predictor import Predictor
from nncli.inference.table_rows import TableRows
from nncli.store.run_reader import Run


def open_predictions(run: Run, file: Path | BinaryIO, with_probabilities: bool = False) -> PredictionRows:
    """The predictions of a run for a file in the form of its table.

    Raises:
        CommandLineError: the run was not trained on a table.
        RunError: the weights or the preprocessing are damaged.
        TableError: the file cannot be read, or lacks columns.
    """
    predictor, source = Predictor(run), run.record.spec.data.build()
    if predictor.preprocessing is None or not isinstance(source, TableSource):
        reason = (
            f"was trained on {run.record.spec.data.type}, not on a file; in Python: nncli.load(RUN).predict(inputs)"
        )
        raise CommandLineError(f"{run.path}: {reason}")
    wanted = [source.settings.id] if source.settings.id else []
    rows = TableRows(source.file.opened(file), predictor.preprocessing, source.file.missing, wanted)
    return PredictionRows(predictor, rows, with_probabilities)
