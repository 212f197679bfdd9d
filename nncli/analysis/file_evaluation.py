"""Evaluation of a run on other files with targets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nncli.analysis.baseline import recorded_prediction
from nncli.analysis.evaluation import Measurement, config_with_threshold
from nncli.data.dataset import Dataset
from nncli.experiment.assembly import build_metrics
from nncli.inference.labeled_rows import LabeledTable
from nncli.inference.opening import open_labeled
from nncli.inference.table_rows import TableRows
from nncli.store.run_reader import Run
from nncli.training.evaluate import examples

SPLIT = "data"  # the name of the rows of the file in the document


class FileEvaluation(NamedTuple):
    """The evaluation of a run on a file.

    Args:
        document: like that of ``assess``, with one split.
        rows: the rows of a table, with ignored columns and unusual values; None for arrays.
    """

    document: dict[str, Any]
    rows: TableRows | None


def assess_files(run: Run, files: Sequence[Path], threshold: float | None = None) -> FileEvaluation:
    """The metrics of a run on the rows of other files with targets.

    Args:
        run: the run.
        files: the files, as for ``open_labeled``.
        threshold: the decision threshold for class 1 of a binary model; by default that of the config.

    Raises:
        CommandLineError: the run was not trained on such files, or is not a binary model and has no threshold.
        DivergedError: an output is not finite.
        RunError: the weights or the preprocessing are damaged.
        SourceError: a file cannot be read, has other columns or another row format, or a target is missing.
    """
    metrics = build_metrics(config_with_threshold(run, threshold))
    labeled = open_labeled(run, files)
    predictor, preprocessing = labeled.predictor, labeled.predictor.preprocessing
    assert preprocessing is not None
    outputs, targets = labeled.predicted()
    scaling, class_names = preprocessing.scaling, predictor.class_names
    for metric in metrics.values():
        metric.attach(scaling.typical_targets if scaling else targets)
    classes = None if class_names is None else len(class_names)
    rows = examples(Dataset(outputs, targets, classes, scaling), predictor.network)
    measurement = Measurement(predictor.network, metrics, class_names or [], recorded_prediction(preprocessing))
    document = {"run": str(run.path), "status": str(run.progress), "epoch": predictor.epoch, "file": str(files[0])}
    if len(files) > 1:
        document["targets_file"] = str(files[1])
    splits = {SPLIT: measurement.of(SPLIT, rows, outputs, threshold)}
    rows_of_table = labeled.rows if isinstance(labeled, LabeledTable) else None
    return FileEvaluation({**document, "splits": splits, "warnings": []}, rows_of_table)
