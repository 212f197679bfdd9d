"""Reading of metrics.csv as untrusted input: rows are validated, and those after the first invalid one are dropped."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic_core import from_json

from nncli.config.diagnostics import shown
from nncli.experiment.metric_columns import find_column, require_columns
from nncli.nn.parameters import Array

CHUNK = 2**18  # bytes parsed at a time; no row is longer
EPOCH = r"[0-9]{1,15}"
LAST_EPOCH = 10**15 - 1  # an integer of more digits may not be exact in float64
NUMBER = r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?|nan"  # as training writes it
NUMERIC = b"0123456789.e+-"  # the characters of a finite number
NEGATIVE_ZERO = rb"-0[,\n]"  # JSON reads it as the integer 0, without sign
LARGEST = float(np.finfo(np.float64).max)
LONGEST_HEADER = 2**16  # bytes


@dataclass(frozen=True, eq=False)
class Metrics:
    """The rows of metrics.csv.

    Args:
        names: the columns, the first of which is the epoch.
        values: (N, C) float64, one row per logged epoch, all finite.
        diverged_at: the epoch of a last row of NaN, which marks a divergence and is not in ``values``.
        problem: why the first invalid row is invalid, with its line; None if all rows are valid.
    """

    names: tuple[str, ...]
    values: Array
    diverged_at: int | None = None
    problem: str | None = None

    def __len__(self) -> int:
        return len(self.values)

    def column(self, name: str) -> Array:
        """The values of one column (N,)."""
        column: Array = self.values[:, self.names.index(name)]
        return column

    def row(self, index: int) -> dict[str, float]:
        """The values of one row, by column."""
        return dict(zip(self.names, self.values[index].tolist(), strict=True))

    def row_of(self, epoch: int) -> dict[str, float] | None:
        """The row of an epoch; None if that epoch was not logged."""
        index = int(np.searchsorted(self.column("epoch"), epoch))
        return self.row(index) if index < len(self) and self.values[index, 0] == epoch else None


def parse(data: bytes, expected: Sequence[str], epochs: int) -> Metrics:
    """The rows in the content of metrics.csv up to the first invalid one; an incomplete last line is ignored.

    Args:
        data: the content of the file.
        expected: the columns of this version, the first of which is the epoch; the file may have further ones.
        epochs: the number of epochs of the config, which no row exceeds.

    Raises:
        ValueError: the first line does not name the expected columns.
    """
    names = headers(data) or tuple(expected)
    if names[0] != expected[0]:
        raise ValueError(f"its first line does not name the column {expected[0]} first")
    require_columns(names[1:], tuple(expected[1:]))
    rows, problem = _Rows(names, epochs), None
    try:
        for chunk in _chunks(data, data.find(b"\n") + 1):
            rows.add(chunk)
    except ValueError as error:
        problem = f"line {rows.line}: {error}"
    return Metrics(names, np.concatenate(rows.blocks), rows.diverged_at, problem)


def headers(data: bytes) -> tuple[str, ...]:
    """The names in the first line, the epoch among them; none if the line is incomplete."""
    line = data[: min(data.find(b"\n") + 1, LONGEST_HEADER)]
    return tuple(line[:-1].decode("utf-8", "replace").split(",")) if line else ()


def without_last_row(data: bytes) -> bytes:
    """The content of metrics.csv without its last complete row."""
    return data[: data[:-1].rfind(b"\n") + 1]


def logged_epochs(data: bytes) -> list[int]:
    """The epochs of the rows in the content of metrics.csv, which are valid."""
    return [int(row.partition(b",")[0]) for row in data.split(b"\n")[1:-1]]


def _chunks(data: bytes, start: int) -> Iterator[bytes]:
    """Chunks of complete lines."""
    last = data.rfind(b"\n")
    while start <= last:
        end = data.rfind(b"\n", start, start + CHUNK) + 1
        if not end:
            raise ValueError(f"longer than {CHUNK:,} bytes, expected a row of metrics")
        yield data[start:end]
        start = end


class _Rows:
    """The rows of a file, which are validated in order.

    Args:
        names: the columns.
        epochs: the last epoch that a row may be of.
    """

    def __init__(self, names: Sequence[str], epochs: int) -> None:
        self.names, self.epochs = names, epochs
        bounds = [(column.lowest, column.highest) for column in map(find_column, names[1:])]
        self.low, self.high = np.clip(np.array(bounds).T, -LARGEST, LARGEST)
        self.blocks: list[Array] = [np.empty((0, len(names)))]
        self.epoch, self.line = -1, 2  # epoch of the previous row, line of the next one
        self.diverged_at: int | None = None

    def add(self, chunk: bytes) -> None:
        """Append the rows of some lines, up to the first invalid one.

        Raises:
            ValueError: a row is invalid; it is ``line`` of the file.
        """
        block = self._from_json(chunk)
        if block is not None:
            self.blocks.append(block)
            self.epoch, self.line = int(block[-1, 0]), self.line + len(block)
            return
        rows: list[list[float]] = []
        try:
            for line in chunk[:-1].split(b"\n"):
                epoch, *measured = self._from_text(line.decode("utf-8", "replace"))
                if math.isnan(measured[0]):
                    self.diverged_at = int(epoch)
                else:
                    rows.append([epoch, *measured])
                self.epoch, self.line = int(epoch), self.line + 1
        finally:
            self.blocks.append(np.array(rows, np.float64).reshape(-1, len(self.names)))

    def _from_json(self, chunk: bytes) -> Array | None:
        """The rows that ``_from_text`` would return, bit for bit, but faster; None if one of them may be invalid.

        Finite numbers separated by commas are a JSON array, except for leading zeros and the sign of an integer 0.
        """
        rows, columns = chunk.count(b"\n"), len(self.names)
        separators = (b"," * (columns - 1) + b"\n") * rows
        if (
            chunk.translate(None, NUMERIC) != separators
            or re.search(NEGATIVE_ZERO, chunk)
            or self.diverged_at is not None
        ):
            return None
        try:
            values = from_json(b"[%b]" % chunk[:-1].replace(b"\n", b","))
            block = np.fromiter(values, np.float64, rows * columns).reshape(rows, columns)
        except (ValueError, OverflowError):
            return None
        epochs, measured = block[:, 0], block[:, 1:]
        is_increasing = (np.diff(epochs, prepend=self.epoch) >= 1).all() and epochs[-1] <= min(self.epochs, LAST_EPOCH)
        in_bounds = ((self.low <= measured) & (measured <= self.high)).all()
        return block if is_increasing and in_bounds and set(map(type, values[::columns])) == {int} else None

    def _from_text(self, line: str) -> list[float]:
        """The values of one line.

        Raises:
            ValueError: training cannot have written them after the previous row.
        """
        texts = line.split(",")
        if not re.fullmatch(EPOCH, texts[0]):
            raise ValueError(f"{shown(line)} does not begin with an epoch")
        epoch, row = int(texts[0]), f"row of epoch {int(texts[0])}"
        if len(texts) != len(self.names):
            raise ValueError(f"{row} has {len(texts)} values, expected {len(self.names)}")
        for name, text in zip(self.names, texts, strict=True):
            if not re.fullmatch(NUMBER, text):
                raise ValueError(f"{row}: {name} is {shown(text)}, which is not a number")
        values = list(map(float, texts))
        has_numbers = not all(map(math.isnan, values[1:]))
        for name, value, low, high in zip(self.names[1:], values[1:], self.low, self.high, strict=True):
            if has_numbers and not low <= value <= high:
                raise ValueError(f"{row}: {name} is {value}, expected {low:g} to {high:g}")
        if self.diverged_at is not None:
            raise ValueError(f"{row} follows that of epoch {self.diverged_at} without numbers, expected no more rows")
        if epoch < self.epoch + has_numbers:  # the row of a divergence may be of the same epoch
            raise ValueError(f"{row} follows that of epoch {self.epoch}, expected a later epoch")
        if epoch > self.epochs:
            raise ValueError(f"{row}, expected at most {self.epochs}, the epochs of the config")
        return values
