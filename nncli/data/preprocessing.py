"""Preprocessing: the fitted columns of a table, from parsed rows to the inputs and targets of a network."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nncli.data import cache
from nncli.data.cached_table import fingerprint
from nncli.data.columns import Column
from nncli.data.dataset import DataSchema, Dataset
from nncli.data.delimited import TableError
from nncli.data.delimited.problems import Problems
from nncli.data.fitted_preprocessing import FittedPreprocessing
from nncli.data.table import Table
from nncli.data.target_scaling import TargetScaling

Array = NDArray[Any]
CHUNK = 1 << 21  # bytes of rows that are encoded at once; they fit into the processor cache


class Preprocessing(FittedPreprocessing):
    """The input columns of a table, fitted on its training rows, and the scaling of real-valued targets.

    Args:
        columns: the fitted input columns by name, without those that are left out.
        left_out: the columns that are the same in all training rows.
        scaling: that of the targets; None for class labels.
        class_counts: the number of training rows of each class; None for regression.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        left_out: Sequence[str] = (),
        scaling: TargetScaling | None = None,
        class_counts: Sequence[int] | None = None,
    ) -> None:
        self.columns, self.left_out, self.scaling = columns, tuple(left_out), scaling
        self.class_counts = class_counts

    @classmethod
    def fit(cls, training: Dataset, inputs: Sequence[str]) -> Self:
        """Fit the columns of a table to its training rows.

        Args:
            training: the training rows; its inputs are a table.
            inputs: the names of the input columns.

        Raises:
            TableError: a training row has a value that cannot be encoded, or no column varies.
        """
        table: Table = training.inputs  # type: ignore[assignment]
        if not table.key:
            return cls._fit(table, training, inputs)
        columns = {name: fingerprint(table.columns[name]) for name in inputs}
        weights = None if training.weights is None else hashlib.sha256(training.weights.tobytes()).hexdigest()
        key = cache.key_of("fit", table.key, columns, weights)
        return cls.restore(
            table.columns, cache.entry(key, lambda writer: cls._fit(table, training, inputs).state()).facts
        )

    @classmethod
    def _fit(cls, table: Table, training: Dataset, inputs: Sequence[str]) -> Self:
        _require_encodable(table, inputs)
        for name in inputs:
            table.columns[name].fit(table.values(name))
        varying = {name: table.columns[name] for name in inputs if not table.columns[name].is_constant}
        if not varying:
            raise TableError(f"{table.name}: no input column varies in the training rows")
        left_out = [name for name in inputs if name not in varying]
        if training.classes is None:
            return cls(varying, left_out, TargetScaling.fit(training.targets))
        return cls(varying, left_out, None, np.bincount(training.targets, minlength=training.classes).tolist())

    @classmethod
    def restore(cls, columns: Mapping[str, Column], state: Any) -> Self:
        """Restore the preprocessing from its state.

        Args:
            columns: the columns of the table by name; they are restored in place.
            state: what ``state`` returns.

        Raises:
            ValueError: the state is damaged; the message names the key.
        """
        fitted_columns = state.get("columns") if isinstance(state, dict) else None
        if not fitted_columns:
            raise ValueError("columns: missing")
        for name, fitted in fitted_columns.items():
            if name not in columns:
                raise ValueError(f"columns.{name}: not a column of the config")
            try:
                columns[name].restore(fitted)
            except ValueError as error:
                raise ValueError(f"columns.{name}: {error}") from None
        scaling = None if state.get("targets") is None else TargetScaling.from_state(state["targets"])
        restored = {name: columns[name] for name in fitted_columns}
        return cls(restored, state.get("left_out", ()), scaling, state.get("class_counts"))

    @property
    def features(self) -> list[str]:
        """The names of the D inputs."""
        return [feature for name, column in self.columns.items() for feature in column.names(name)]

    def encoded_schema(self, schema: DataSchema) -> DataSchema:
        """The schema with the names of the D inputs."""
        return schema.model_copy({"features": self.features})

    def inputs(self, table: Table, dtype: str) -> Any:
        """The inputs (N, D) of the rows of a table; a cached array if the table is cached.

        Raises:
            TableError: a row has a value that cannot be encoded.
            StorageError: the cache cannot be written.
        """
        if table.key:
            return self._cached_inputs(table, np.dtype(dtype))
        inputs = np.empty((len(table), len(self.features)), dtype)
        start = 0
        for chunk in self.chunks(table, dtype):
            inputs[start : start + len(chunk)] = chunk
            start += len(chunk)
        return inputs

    def _cached_inputs(self, table: Table, dtype: np.dtype[Any]) -> Any:
        columns = {name: fingerprint(column) for name, column in self.columns.items()}
        key = cache.key_of("inputs", table.key, columns, dtype.str)
        shape = (len(table), len(self.features))
        return cache.entry(key, lambda writer: writer.add(dtype, shape, self.chunks(table, dtype.name))).array(0)

    def chunks(self, table: Table, dtype: str) -> Iterator[Array]:
        """Yield the inputs of the rows of a table in order, in chunks (n, D); each is valid until the next one.

        Raises:
            TableError: a row has a value that cannot be encoded.
        """
        _require_encodable(table, self.columns)
        ends = np.cumsum([len(column.names(name)) for name, column in self.columns.items()]).tolist()
        size = max(1, CHUNK // (ends[-1] * np.dtype(dtype).itemsize))
        inputs = np.empty((min(size, len(table)), ends[-1]), dtype)
        for start in range(0, len(table), size):
            rows = table[start : start + size]
            for (name, column), first, end in zip(self.columns.items(), [0, *ends], ends, strict=False):
                column.apply(rows.values(name), inputs[: len(rows), first:end])
            yield inputs[: len(rows)]

    def state(self) -> dict[str, Any]:
        """The fitted state as JSON values."""
        return {
            "columns": {name: column.state() for name, column in self.columns.items()},
            "left_out": list(self.left_out),
            "targets": None if self.scaling is None else self.scaling.state(),
            "class_counts": self.class_counts,
        }


def _require_encodable(table: Table, names: Sequence[str] | Mapping[str, Column]) -> None:
    """Refuse values that the columns cannot encode, such as missing ones.

    Raises:
        TableError: there are such values; the first ones are listed with their lines.
    """
    problems = Problems(table.name)
    for name in names:
        found = table.columns[name].check(table.values(name))
        problems.add_cells(name, found, table.line)
    if problems.count:
        raise problems.error()
