"""Predictions as rows: one for each row of a file, in the same order."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

import numpy as np

from nncli.inference.predictor import Predictor
from nncli.inference.row_block import RowBlock
from nncli.inference.table_targets import RunningScore, TableTargets
from nncli.nn.metrics.classification import predicted_classes
from nncli.nn.parameters import Array


class Rows(Protocol):
    """The rows of files."""

    def blocks(self) -> Iterator[RowBlock]:
        """The rows in blocks."""


class PredictionRows:
    """The predictions of a run for the rows of a file.

    The constructor predicts the first block, so that an error in it is raised before anything is written. After
    ``blocks``, ``score`` compares the predictions with the targets; it is None if the file has none.

    Args:
        predictor: the network of the run.
        rows: the rows.
        ids: the texts of blocks that identify the rows, such as columns of the file; default: row numbers from 1.
        targets: parses the targets; None if the file has none.
        with_probabilities: whether to return the probability of each class, not only that of the predicted one.

    Raises:
        DivergedError, TableError: as for ``blocks``.
    """

    def __init__(
        self,
        predictor: Predictor,
        rows: Rows,
        ids: Sequence[str] = (),
        targets: TableTargets | None = None,
        with_probabilities: bool = False,
    ) -> None:
        self.predictor, self.rows, self.ids, self.targets = predictor, rows, ids, targets
        self.with_probabilities = with_probabilities
        self.score = RunningScore(predictor.class_names is not None, predictor.threshold) if targets else None
        self._rest = self._predicted_blocks()
        self._first = list(islice(self._rest, 1))

    @property
    def header(self) -> list[str]:
        """The names of the columns."""
        return [name for name, _ in self.types]

    @property
    def types(self) -> list[tuple[str, type]]:
        """The name of each column, and the type of its values: int, float or str."""
        names, targets = self.predictor.class_names, self.predictor.targets
        first: list[tuple[str, type]] = [(name, str) for name in self.ids] or [("row", int)]
        if names is None:
            predictions = ["prediction"] if len(targets) == 1 else [f"prediction_{name}" for name in targets]
            return [*first, *((name, float) for name in predictions)]
        each = [f"probability_{name}" for name in names] if self.with_probabilities else []
        return [*first, ("prediction", str), *((name, float) for name in ("probability", *each))]

    def blocks(self) -> Iterator[list[Sequence[Any]]]:
        """The values of each column, in blocks of some thousands of rows; can be called once.

        Raises:
            DivergedError: an output is not finite.
            TableError: the file is damaged, or a row cannot be encoded.
        """
        yield from self._first
        yield from self._rest

    def _predicted_blocks(self) -> Iterator[list[Sequence[Any]]]:
        """Predict the rows block by block."""
        for block in self.rows.blocks():
            outputs = self.predictor.in_target_units(self.predictor.predict_rows(block.rows))
            if self.targets and self.score:
                self.score.add(outputs, self.targets.read(block.texts)[0])
            names: list[Sequence[Any]] = [block.texts[name] for name in self.ids]
            numbers = range(block.first_row + 1, block.first_row + len(outputs) + 1)
            yield [*(names or [numbers]), *self._columns(outputs)]

    def _columns(self, outputs: Array) -> Iterator[Sequence[Any]]:
        names = self.predictor.class_names
        if names is None:
            yield from outputs.T.tolist()
            return
        probabilities = np.column_stack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs
        predicted = predicted_classes(outputs, self.predictor.threshold)
        yield [names[label] for label in predicted.tolist()]
        yield probabilities[np.arange(len(predicted)), predicted].tolist()
        if self.with_probabilities:
            yield from probabilities.T.tolist()
