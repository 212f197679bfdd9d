"""Evaluation of a run on files in the form of its data."""

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

SPLIT = "data"  # the name of the file's rows in the document, beside those of the splits of a run


class FileEvaluation(NamedTuple):
    """The evaluation of a run on a file.

    Args:
        document: as that of ``assess``, with one split.
        rows: the rows of a table, with what was ignored and which categories no training row has; else None.
    """

    document: dict[str, Any]
    rows: TableRows | None


def assess_files(run: Run, files: Sequence[Path], threshold: float | None = None) -> FileEvaluation:
    """The metrics of a run on the rows of files in the form of its data, with the targets.

    Args:
        run: the run.
        files: as ``open_labeled`` takes them.
        threshold: the decision threshold for class 1 of a binary model; by default that of the config.

    Raises:
        CommandLineError: the run was not trained on such files, or is not a binary model and has no threshold.
        DivergedError: an output is not finite.
        RunError: the weights or the preprocessing are damaged.
        SourceError: a file cannot be read, has another form, or has a row without a target.
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
