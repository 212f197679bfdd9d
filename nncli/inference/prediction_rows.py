"""Predictions as rows: one for each row of a file, in the same order."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nncli.inference.predictor import Predictor
from nncli.inference.table_rows import TableRows
from nncli.nn.metrics.classification import predicted_classes
from nncli.nn.parameters import Array


class PredictionRows:
    """The predictions of a run for the rows of a file.

    Args:
        predictor: the network of the run.
        rows: the rows; their ``wanted`` columns name the rows.
        with_probabilities: whether the probability of each class is given, not just that of the predicted one.
        threshold: the decision threshold of a network with one output for two classes.
    """

    def __init__(
        self, predictor: Predictor, rows: TableRows, with_probabilities: bool = False, threshold: float = 0.5
    ) -> None:
        self.predictor, self.rows = predictor, rows
        self.with_probabilities, self.threshold = with_probabilities, threshold

    @property
    def header(self) -> list[str]:
        """The names of the columns."""
        names, targets = self.predictor.class_names, self.predictor.targets
        first = list(self.rows.wanted) or ["row"]
        if names is None:
            return [*first, *(["prediction"] if len(targets) == 1 else [f"prediction_{name}" for name in targets])]
        each = [f"probability_{name}" for name in names] if self.with_probabilities else []
        return [*first, "prediction", "probability", *each]

    def blocks(self) -> Iterator[list[Sequence[Any]]]:
        """The values of each column, some thousands of rows at once.

        Raises:
            DivergedError: an output is not finite.
            TableError: the file is damaged, or a row cannot be encoded.
        """
        for block in self.rows.blocks():
            outputs, count = self.predictor.predict_table(block.table), len(block.table)
            numbers = range(block.first_row + 1, block.first_row + count + 1)
            yield [*(block.texts.values() if block.texts else [numbers]), *self._columns(outputs)]

    def _columns(self, outputs: Array) -> Iterator[Sequence[Any]]:
        names = self.predictor.class_names
        if names is None:
            yield from outputs.T.tolist()
            return
        probabilities = np.column_stack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs
        predicted = predicted_classes(outputs, self.threshold)
        yield [names[label] for label in predicted.tolist()]
        yield probabilities[np.arange(len(predicted)), predicted].tolist()
        if self.with_probabilities:
            yield from probabilities.T.tolist()
