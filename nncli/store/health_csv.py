"""health.csv: norms by layer and dead units, one row per logged epoch, read as untrusted input."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nncli.config.diagnostics import shown
from nncli.nn.parameters import Array
from nncli.store.metrics_csv import LARGEST
from nncli.training.health import DEAD, NORMS

_, UPDATE, WEIGHTS = NORMS
UPDATE_RATIO = "update_ratio"  # norm of the update / norm of the weights, which follows from two columns
EPOCH = re.compile(r"[0-9]{1,15}")
NUMBER = re.compile(r"([0-9]{1,30}(\.[0-9]{1,30})?(e[-+]?[0-9]{1,3})?)?")  # empty if there is no value


class Health(NamedTuple):
    """The rows of health.csv.

    Args:
        epochs: the logged epochs (N,), integers.
        columns: the values (N,) by name, such as ``layers.0.gradient_norm``; NaN where there is none.
        problem: why the first invalid row is invalid, with its line; rows from there on are left out.
    """

    epochs: Array
    columns: dict[str, Array]
    problem: str | None = None

    def layers(self) -> dict[int, dict[str, Array]]:
        """The columns by the index of the layer, and then by their names without it; ratios of updates included."""
        layers: dict[int, dict[str, Array]] = {}
        for name, values in self.columns.items():
            _, index, measure = name.split(".")
            layers.setdefault(int(index), {})[measure] = values
        for columns in layers.values():
            if UPDATE in columns:
                columns[UPDATE_RATIO] = _ratio(columns[UPDATE], columns[WEIGHTS])
        return layers


def header(columns: Sequence[str]) -> bytes:
    """The first line."""
    return ",".join(("epoch", *columns)).encode() + b"\n"


def line(epoch: int, columns: Sequence[str], values: Mapping[str, float]) -> bytes:
    """The row of an epoch; a value that is NaN is empty."""
    texts = ("" if math.isnan(values[name]) else repr(values[name]) for name in columns)
    return ",".join((str(epoch), *texts)).encode() + b"\n"


def parse(data: bytes, columns: Sequence[str], last: int) -> Health:
    """The rows up to the first invalid one; an incomplete last line is ignored.

    Args:
        data: the content of the file.
        columns: those that this run has.
        last: the last epoch of the config.

    Raises:
        ValueError: the first line does not name the columns.
    """
    first = header(columns)
    if not data.startswith(first):
        raise ValueError("its first line does not name the columns of this run")
    rows: list[list[float]] = []
    problem, epoch = None, -1
    for number, text in enumerate(data[len(first) :].split(b"\n")[:-1], 2):
        try:
            rows.append(_row(text.decode("ascii", "replace"), columns, epoch, last))
        except ValueError as error:
            problem = f"line {number}: {error}"
            break
        epoch = int(rows[-1][0])
    table = np.array(rows, np.float64).reshape(-1, len(columns) + 1)
    values = dict(zip(columns, table[:, 1:].T, strict=True))
    return Health(table[:, 0].astype(np.int64), values, problem)


def _row(text: str, columns: Sequence[str], previous: int, last: int) -> list[float]:
    """The values of a line.

    Raises:
        ValueError: training cannot have written it after the row of the previous epoch.
    """
    epoch, *cells = text.split(",")
    if not EPOCH.fullmatch(epoch) or not previous < int(epoch) <= last:
        raise ValueError(f"{shown(epoch)} is not an epoch from {previous + 1} to {last}")
    if len(cells) != len(columns) or not all(map(NUMBER.fullmatch, cells)):
        raise ValueError(f"{shown(text)} does not have {len(columns)} numbers of at least 0 after the epoch")
    values = [float(cell) if cell else math.nan for cell in cells]
    largest = (1 if name.endswith(DEAD) else LARGEST for name in columns)
    if any(value > bound for value, bound in zip(values, largest, strict=True)):
        raise ValueError(f"{shown(text)} has a number that is too large")
    return [int(epoch), *values]


def _ratio(updates: Array, weights: Array) -> Array:
    """Norm of the update / norm of the weights; NaN where the weights are 0."""
    return np.divide(updates, weights, out=np.full_like(updates, np.nan), where=weights > 0)
