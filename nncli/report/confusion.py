"""The confusion matrix: how many rows of each class are predicted as each class."""

from typing import NamedTuple

from nncli.nn.metrics.classification import confusion, predicted_classes
from nncli.nn.parameters import Array
from nncli.report.trained_run import TrainedRun


class Confusion(NamedTuple):
    """The confusion matrix of a split.

    Args:
        split: the split.
        class_names: the names of the C classes.
        matrix: (C, C); entry (t, p) counts the rows of class t that are predicted as p.
    """

    split: str
    class_names: list[str]
    matrix: Array


def confusion_of(trained: TrainedRun, split: str | None = None) -> Confusion | None:
    """The confusion matrix of a classifier, as ``nncli evaluate`` has it; None for a regression."""
    rows = trained.predicted(split)
    if rows.classes is None:
        return None
    predictions = predicted_classes(rows.encoded_outputs, trained.threshold)
    return Confusion(rows.split, trained.class_names or [], confusion(predictions, rows.targets, rows.classes))
