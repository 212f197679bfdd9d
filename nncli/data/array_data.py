"""Validated inputs and targets of a source of arrays, with their classes and schema."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nncli.config.diagnostics import counted, shown
from nncli.data.dataset import DataSchema, Dataset
from nncli.data.lazy_rows import RawRows
from nncli.data.source import SourceError

Array = NDArray[Any]
NUMBERS, REALS = "biuf", "f"  # kinds of dtypes
MAX_NAMED = 20


class NamedArray(NamedTuple):
    """An array, its name in messages, and the parameter of the source that names its file."""

    values: Array
    name: str
    key: str

    def error(self, problem: str) -> SourceError:
        """An error about the array."""
        return SourceError(f"{self.name}: {problem}", self.key)


class RowFormat(NamedTuple):
    """The format of rows: validation, test and predicted rows must have that of the training rows.

    Args:
        shape: the shape of a row.
        dtype: the dtype of its values.
        labels: the text of the label of each class 0, 1, …; None for regression.
        class_names: the names of the classes; None for regression.
        targets_name: the name of the targets in messages; None if there are none.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    labels: list[str] | None
    class_names: list[str] | None
    targets_name: str | None = None


class ArrayData:
    """Inputs and targets of a source.

    ``labels`` has the text of the label of each class 0, 1, …, ``class_names`` its name; both are None for regression.

    Args:
        inputs: (N, …), numbers.
        targets: labels (N,) as integers or texts, or real values (N,) or (N, M).
        class_names: the names of the labels 0, 1, …; by default each label is its own name.
        training: the row format of the training set, if this is a validation or test set.

    Raises:
        SourceError: the arrays have different numbers of rows, or values that are not finite or of a wrong type.
    """

    def __init__(
        self,
        inputs: NamedArray,
        targets: NamedArray,
        class_names: Sequence[str] | None = None,
        training: RowFormat | None = None,
    ) -> None:
        self.inputs, self.targets_name, self._training = inputs, targets.name, training
        self.labels: list[str] | None = None
        self.class_names = list(class_names) if class_names else None
        _require_rows(inputs, targets)
        if training:
            require_row_format(inputs, training.shape, training.dtype)
        require_finite(inputs)
        self.targets = self._targets(targets)

    @property
    def row_format(self) -> RowFormat:
        """The format of these rows."""
        values = self.inputs.values
        return RowFormat(values.shape[1:], values.dtype, self.labels, self.class_names, self.targets_name)

    @property
    def dataset(self) -> Dataset:
        """The rows, unscaled."""
        rows: Any = RawRows(self.inputs.values)
        return Dataset(rows, self.targets, None if self.labels is None else len(self.labels))

    @property
    def schema(self) -> DataSchema:
        """The names and the number of rows."""
        names = self.class_names
        counts = [len(self.targets)] if names is None else np.bincount(self.targets, minlength=len(names)).tolist()
        outputs = 1 if names is not None else self.targets.shape[1]
        return DataSchema(
            features=feature_names(self.inputs.values.shape[1:]),
            targets=["class" if names else "target"] if outputs == 1 else [f"target_{i}" for i in range(outputs)],
            class_names=names,
            class_counts=counts,
        )

    def _targets(self, targets: NamedArray) -> Array:
        """Class labels (N,) from 0, or real values (N, M).

        Raises:
            SourceError: the targets are neither labels nor real numbers.
        """
        values = targets.values
        is_column = values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1)
        if values.dtype.kind in REALS and values.ndim <= 2:
            if self.class_names:
                raise SourceError("class_names are for labels, but the targets are real numbers", "class_names")
            if self._training and self._training.labels:
                raise targets.error("real numbers, but the training data has labels; save them as integers or as text")
            require_finite(targets)
            return np.array(values.reshape(len(values), -1), np.float64)
        if not is_column:
            fix = "write one label for each row, as by targets.argmax(axis=1), or real numbers for a regression"
            raise targets.error(f"{values.dtype} of shape {values.shape}; {fix}")
        found, codes = np.unique(values.reshape(-1), return_inverse=True)
        try:
            texts = [str(each) for each in found.astype("U" if found.dtype.kind == "S" else found.dtype).tolist()]
        except UnicodeDecodeError:
            raise targets.error("labels of bytes that are not ASCII; save them as text, with .astype(str)") from None
        self.labels = self._known_labels(targets, texts)
        positions = {label: index for index, label in enumerate(self.labels)}
        of_text = np.array([positions.get(text, -1) for text in texts])
        labels: Array = of_text[codes]
        if (labels < 0).any():
            row = int(np.argmax(labels < 0))
            known = ", ".join(self.labels[:MAX_NAMED])
            owner = "the training data" if self._training else "class_names, which name the labels 0, 1, …"
            wrong = f"row {row} is {shown(texts[codes[row]])}, which is not a label of {owner}; its labels are {known}"
            raise targets.error(f"{wrong}; correct it, or remove the row")
        return labels

    def _known_labels(self, targets: NamedArray, texts: list[str]) -> list[str]:
        """The labels of the training data, of the class names, or of these targets themselves.

        Raises:
            SourceError: the class names differ from those of the training data, or it has real-valued targets.
        """
        given = self.class_names
        if self._training is None:
            self.class_names = given or texts
            return texts if given is None else [str(label) for label in range(len(given))]
        if self._training.labels is None:
            fix = "convert them with .astype(float)"
            raise targets.error(f"labels, but the targets of the training data are real numbers; {fix}")
        if given and given != self._training.class_names:
            raise SourceError(
                "not the class names of the training data; omit them, as they are taken from it", "class_names"
            )
        self.class_names = self._training.class_names
        return self._training.labels


@contextmanager
def errors_of(key: str) -> Iterator[None]:
    """Attribute the errors of a reader to a parameter of the source."""
    try:
        yield
    except SourceError as error:
        error.key = error.key or key
        raise


def feature_names(shape: tuple[int, ...]) -> list[str]:
    """The names of the values of a row: x_0, x_1, …; or pixel_ROW_COLUMN if it has several dimensions."""
    prefix = "x" if len(shape) == 1 else "pixel"
    return ["_".join([prefix, *map(str, index)]) for index in product(*map(range, shape))]


def require_row_format(inputs: NamedArray, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Require rows of the same shape as the training rows, and bytes if and only if those are bytes.

    Raises:
        SourceError: the shape or the range of the values differs.
    """
    values = inputs.values
    if values.shape[1:] != shape:
        raise inputs.error(f"rows of shape {values.shape[1:]}, but the training rows have the shape {shape}")
    if (values.dtype == np.uint8) != (dtype == np.uint8):
        fix = "convert one of them, so that both have values of the same range"
        raise inputs.error(f"values of {values.dtype}, but the training rows are of {dtype}; {fix}")


def require_finite(array: NamedArray, first_row: int = 0) -> None:
    """Require that all values are finite.

    Args:
        array: the array, (N, …).
        first_row: the index of the first row in messages.

    Raises:
        SourceError: a value is not finite; the message has the first one, and their number.
    """
    if array.values.dtype.kind not in REALS:
        return
    row, count, first = first_row, 0, ""
    for block in RawRows(array.values).blocks():
        is_bad = ~np.isfinite(block)
        if is_bad.any():
            where = np.argwhere(is_bad)[0]
            index = [row + int(where[0]), *map(int, np.unravel_index(where[1], array.values.shape[1:] or (1,)))]
            first = first or f"the value at {index[: array.values.ndim]} is {block[tuple(where)]:g}"
            count += int(np.count_nonzero(is_bad))
        row += len(block)
    if count:
        further = f", and {count - 1:,} more are not finite" if count > 1 else ""
        raise array.error(f"{first}{further}; remove these rows, or replace the {counted(count, 'value')}")


def _require_rows(inputs: NamedArray, targets: NamedArray) -> None:
    """Require rows of numbers, and one target for each row.

    Raises:
        SourceError: the inputs are not rows of numbers, or the number of targets differs.
    """
    values = inputs.values
    if values.dtype.kind not in NUMBERS:
        raise inputs.error(f"an array of {values.dtype}, expected numbers")
    if values.ndim == 1:
        raise inputs.error(f"shape {values.shape}, expected rows; for a single feature save inputs.reshape(-1, 1)")
    if values.ndim == 0 or not values.size:
        raise inputs.error(f"shape {values.shape}, which has no rows of values")
    if not targets.values.ndim or len(targets.values) != len(values):
        count = len(targets.values) if targets.values.ndim else 0
        raise targets.error(f"{counted(count, 'target')} for the {len(values):,} rows of {inputs.name}")
