"""Predictions of a run for rows in memory: classes, probabilities or values."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from nncli.config.diagnostics import shown
from nncli.data.array_preprocessing import BYTES, ArrayPreprocessing
from nncli.data.cell_text import cell_text
from nncli.data.preprocessing import Preprocessing
from nncli.data.sources.table import TableSource
from nncli.errors import CommandLineError, ConfigError
from nncli.inference.frames import FrameRows
from nncli.inference.predictor import Predictor, numbers
from nncli.nn.metrics.classification import predicted_classes
from nncli.nn.metrics.regression import RSquared
from nncli.nn.parameters import Array
from nncli.store.run_reader import Run

MAX_CLASSES_NAMED = 20


class RawPredictor:
    """The network of a run with its preprocessing.

    ``feature_names`` are the columns of the rows in order; ``class_names`` the classes, None for a regression.

    Args:
        run: the run; its data is not needed.
        epoch: that of other weights than the final ones, one of ``run.snapshots``.

    Raises:
        CommandLineError, DivergedError, RunError: as for ``Predictor``.
    """

    def __init__(self, run: Run, epoch: int | None = None) -> None:
        self.predictor, source = Predictor(run, epoch), run.record.spec.data.build()
        self.class_names, self._path = self.predictor.class_names, run.path
        self.is_sampled = not source.is_read
        preprocessing = self.predictor.preprocessing
        self.feature_names = run.plan.schema.features
        self._inputs: Callable[[Any, str], Any] = _unchanged
        if isinstance(preprocessing, Preprocessing) and isinstance(source, TableSource):
            self.feature_names = list(preprocessing.columns)
            self._inputs = FrameRows(preprocessing, source.file.missing).inputs
        elif isinstance(preprocessing, ArrayPreprocessing):
            self._inputs = partial(_array_inputs, preprocessing)

    def predict(self, inputs: Any) -> Array:
        """The classes (N,) or values of rows; the outputs (N, M) of a network that was trained on sampled data.

        Values of a regression are (N,), or (N, M) with several targets.
        """
        outputs = self._outputs(inputs)
        if self.is_sampled:
            return outputs
        if self.class_names is not None:
            return np.array(self.class_names)[self._labels(outputs)]
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def predict_proba(self, inputs: Any) -> Array:
        """The probability (N, C) of each class.

        Raises:
            CommandLineError: the run is a regression.
        """
        if self.class_names is None:
            raise CommandLineError(f"{self._path}: a regression has no probabilities; use predict")
        outputs = self._outputs(inputs)
        return np.column_stack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def score(self, inputs: Any, targets: Any) -> float:
        """The accuracy for classes (N,), or R² for values (N,) or (N, M).

        Raises:
            ConfigError: a target is not a class of the training data or not a number, or their number differs.
        """
        outputs = self._outputs(inputs)
        expected = np.asarray(targets)
        if len(expected) != len(outputs) or not len(outputs):
            raise ConfigError(f"score needs as many targets as rows, and one at least; got {len(outputs)} rows")
        if self.class_names is None:
            return RSquared().measure(outputs, _values(expected, outputs.shape))
        labels = _class_labels(expected.ravel().tolist(), self.class_names)
        return float(np.mean(self._labels(outputs) == labels))

    def _outputs(self, inputs: Any) -> Array:
        predictor = self.predictor
        rows = self._inputs(inputs, predictor.network.dtype.name)
        return predictor.in_target_units(predictor.predict(rows))

    def _labels(self, outputs: Array) -> Array:
        return predicted_classes(outputs, self.predictor.threshold)


def _unchanged(inputs: Any, dtype: str) -> Any:
    """The rows, which are the inputs of the network already."""
    return inputs


def _array_inputs(preprocessing: ArrayPreprocessing, inputs: Any, dtype: str) -> Any:
    """The inputs (N, D) of rows in the shape of the training rows or flattened.

    Raises:
        ConfigError: the rows have another shape, or values that the dtype of the training data cannot hold.
    """
    rows, shape = numbers(inputs), preprocessing.shape
    if rows.shape[1:] not in {shape, (preprocessing.size,)}:
        expected = ", ".join(map(str, shape))
        raise ConfigError(f"inputs must have the shape (rows, {expected}), got {rows.shape}")
    if preprocessing.dtype == BYTES and not np.array_equal(rows, rows.astype(BYTES)):
        raise ConfigError(f"inputs must be bytes from 0 to 255, as in training; got an array of {rows.dtype}")
    values = rows.astype(preprocessing.dtype).reshape(len(rows), *shape)
    return preprocessing.inputs(values, dtype)


def _class_labels(targets: Sequence[Any], class_names: Sequence[str]) -> Array:
    """The class labels (N,) of the names of classes, or of numbers and booleans with these names.

    Raises:
        ConfigError: a target is not a class; the message names the first one.
    """
    labels = {name: label for label, name in enumerate(class_names)}
    found = [next((labels[text] for text in _spellings(each) if text in labels), None) for each in targets]
    if None in found:
        row, listed = found.index(None), ", ".join(map(shown, class_names[:MAX_CLASSES_NAMED]))
        reason = f"{shown(targets[row])} is not a class of the training data; its classes are {listed}"
        raise ConfigError(f"targets[{row}]: {reason}")
    return np.array(found)


def _spellings(target: Any) -> Sequence[str]:
    """The texts of a class that are equivalent in a file: 3 and 3.0, True and true.

    Raises:
        ConfigError: the value cannot be a class.
    """
    try:
        text = cell_text(target)
    except TypeError as error:
        raise ConfigError(f"targets: {error}") from None
    if isinstance(target, bool):
        return text, text.lower(), text.upper(), str(int(target))
    return text, text.removesuffix(".0"), f"{text}.0"


def _values(targets: Array, shape: tuple[int, ...]) -> Array:
    """Real-valued targets (N, M).

    Raises:
        ConfigError: they are not finite numbers, or have another shape.
    """
    try:
        values = targets.astype(np.float64)
    except (TypeError, ValueError):
        raise ConfigError(f"targets must be numbers, got an array of dtype {targets.dtype}") from None
    if values.shape not in {shape, shape[:1]} or values.size != np.prod(shape):
        raise ConfigError(f"targets must have the shape {shape}, got {values.shape}")
    if not np.isfinite(values).all():
        row = int(np.argwhere(~np.isfinite(values))[0][0])
        raise ConfigError(f"targets[{row}] is not a finite number")
    return values.reshape(shape)
