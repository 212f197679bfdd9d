"""Targets of the rows of a table, and the score of predictions."""

from collections.abc import Mapping, Sequence
from math import sqrt

import numpy as np

from nncli.config.diagnostics import counted, shown
from nncli.data.columns import Column
from nncli.data.columns.column import CellProblem
from nncli.nn.metrics.classification import predicted_classes
from nncli.nn.parameters import Array

NO_CLASS = -1
MAX_LISTED = 20


class TableTargets:
    """Parses the targets of rows like those of the training data.

    Args:
        columns: the target columns by name.
        class_names: the names of the classes; None for regression.
        missing: the texts of missing values.
    """

    def __init__(
        self, columns: Mapping[str, Column], class_names: Sequence[str] | None, missing: frozenset[str]
    ) -> None:
        self.columns, self.class_names, self.missing = columns, class_names, missing
        self._labels = {name: label for label, name in enumerate(class_names or ())}

    def read(self, texts: Mapping[str, list[str]]) -> tuple[Array, dict[str, list[CellProblem]]]:
        """Class labels (N,), −1 if missing, or values (N, M), NaN if missing; and the problems by column.

        Args:
            texts: the fields (N,) of each target column.
        """
        if self.class_names is not None:
            (name,) = self.columns
            labels = np.array([self._labels.get(text, NO_CLASS) for text in texts[name]], np.int64)
            without_class = np.flatnonzero(labels < 0).tolist()
            return labels, {name: [CellProblem(row, texts[name][row], self._not_a_class) for row in without_class]}
        values, problems = [], {}
        for name, column in self.columns.items():
            parsed, found = column.parse(texts[name], self.missing)
            without_value = np.flatnonzero(column.is_missing(parsed)).tolist()
            unparsed = {each.row: each for each in found}
            values.append(parsed)
            problems[name] = [unparsed.get(row) or CellProblem(row, "", _missing) for row in without_value]
        return np.stack(values, axis=1), problems

    def _not_a_class(self, text: str) -> str:
        if text in self.missing:
            return _missing(text)
        listed = ", ".join(map(shown, (self.class_names or ())[:MAX_LISTED]))
        found = f"{shown(text)} is not a class of the training data; its classes are {listed}"
        return f"{found}; correct it, or remove the row"


def _missing(text: str) -> str:
    return "the target is missing; write it, or remove the row"


class RunningScore:
    """The accuracy or errors of predictions, accumulated over the rows that have a target, in constant memory.

    ``rows`` is the number of these rows. A classification counts the ``correct`` predictions; a regression sums
    ``absolute`` and ``squared`` errors.

    Args:
        is_classification: whether targets are class labels.
        threshold: the decision threshold of a network with one output for two classes.
    """

    def __init__(self, is_classification: bool, threshold: float) -> None:
        self.is_classification, self.threshold = is_classification, threshold
        self.rows = self.correct = 0
        self.absolute = self.squared = 0.0

    def __str__(self) -> str:
        rows = counted(self.rows, "row")
        if self.is_classification:
            return f"accuracy {self.correct / self.rows:.4g} ({self.correct:,} of {rows})"
        root, mean = sqrt(self.squared / self.rows), self.absolute / self.rows
        return f"root mean squared error {root:.4g}, mean absolute error {mean:.4g} ({rows})"

    def add(self, outputs: Array, targets: Array) -> None:
        """Compare outputs (N, M) with class labels (N,) or values (N, M), in the unit of the targets."""
        if self.is_classification:
            known = targets >= 0
            self.correct += int(np.count_nonzero(predicted_classes(outputs, self.threshold)[known] == targets[known]))
        else:
            known = np.asarray(~np.isnan(targets).any(axis=1))
            errors = outputs[known] - targets[known]
            self.absolute += float(np.abs(errors).mean(axis=1).sum())
            self.squared += float(np.square(errors).mean(axis=1).sum())
        self.rows += int(np.count_nonzero(known))
