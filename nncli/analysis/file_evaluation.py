"""Evaluation of a run on a file in the form of its table."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nncli.analysis.baseline import recorded_prediction
from nncli.analysis.evaluation import Measurement, config_with_threshold
from nncli.data.dataset import Dataset
from nncli.data.delimited.problems import Problems
from nncli.data.preprocessing import Preprocessing
from nncli.experiment.assembly import build_metrics
from nncli.inference.opening import LabeledRows, open_labeled
from nncli.inference.table_rows import TableRows
from nncli.nn.parameters import Array
from nncli.store.run_reader import Run
from nncli.training.evaluate import examples

SPLIT = "data"  # the name of the file's rows in the document, beside those of the splits of a run


class FileEvaluation(NamedTuple):
    """The evaluation of a run on a file.

    Args:
        document: as that of ``assess``, with one split.
        rows: the rows of the file, with what was ignored and which categories no training row has.
    """

    document: dict[str, Any]
    rows: TableRows


def assess_file(run: Run, file: Path, threshold: float | None = None) -> FileEvaluation:
    """The metrics of a run on the rows of a file, which has the columns of the training data, the target included.

    Raises:
        CommandLineError: the run was not trained on a table, or is not a binary model and has no threshold.
        DivergedError: an output is not finite.
        RunError: the weights or the preprocessing are damaged.
        TableError: the file cannot be read, lacks columns, or has a row without a target.
    """
    metrics = build_metrics(config_with_threshold(run, threshold))
    labeled = open_labeled(run, file)
    predictor, preprocessing = labeled.predictor, labeled.predictor.preprocessing
    assert isinstance(preprocessing, Preprocessing)
    outputs, targets = _outputs_and_targets(labeled)
    scaling, class_names = preprocessing.scaling, predictor.class_names
    for metric in metrics.values():
        metric.attach(scaling.typical_targets if scaling else targets)
    classes = None if class_names is None else len(class_names)
    rows = examples(Dataset(outputs, targets, classes, scaling), predictor.network)
    measurement = Measurement(predictor.network, metrics, class_names or [], recorded_prediction(preprocessing))
    document = {"run": str(run.path), "status": str(run.progress), "epoch": predictor.epoch, "file": str(file)}
    splits = {SPLIT: measurement.of(SPLIT, rows, outputs, threshold)}
    return FileEvaluation({**document, "splits": splits, "warnings": []}, labeled.rows)


def _outputs_and_targets(labeled: LabeledRows) -> tuple[Array, Array]:
    """The outputs of the network (N, M), and class labels (N,) or values (N, M).

    Raises:
        TableError: a row has no target; the first ones are listed with their lines.
    """
    problems = Problems(labeled.rows.file.name)
    outputs, targets = [], []
    for block in labeled.rows.blocks():
        outputs.append(labeled.predictor.predict_rows(block.rows))
        values, found = labeled.targets.read(block.texts)
        targets.append(values)
        for name, cells in found.items():
            problems.add_cells(name, cells, block.lines.__getitem__)
    if problems.count:
        raise problems.error()
    return np.concatenate(outputs), np.concatenate(targets)
