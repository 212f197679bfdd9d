"""Compare the results of two trainings: ``weights.npz`` and ``metrics.csv``, by bytes and by numbers."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np


def is_identical(run: Path, expected: Path) -> bool:
    """Whether weights.npz has the same bytes in both runs, and metrics.csv too in the columns of ``expected``."""
    texts, reference = columns(run), columns(expected)
    same_metrics = all(texts.get(name) == text for name, text in reference.items())
    return same_metrics and (run / "weights.npz").read_bytes() == (expected / "weights.npz").read_bytes()


def differences(run: Path, expected: Path, rtol: float = 0.0, atol: float = 0.0) -> Iterator[str]:
    """One line per array and per column of metrics that is missing or differs by more than the tolerance.

    An array or a column that only ``run`` has is no difference: a newer version may record more.
    """
    for read in (weights, metrics):
        values = read(run)
        for name, reference in read(expected).items():
            if name not in values:
                yield f"{name} is missing"
            elif values[name].shape != reference.shape or values[name].dtype != reference.dtype:
                yield f"{name}: {values[name].dtype}{values[name].shape}, not {reference.dtype}{reference.shape}"
            elif not np.allclose(values[name], reference, rtol, atol, equal_nan=True):
                yield f"{name} differs by up to {np.nanmax(np.abs(values[name] - reference)):.1e}"


def weights(run: Path) -> dict[str, np.ndarray]:
    """The arrays of weights.npz by name."""
    with np.load(run / "weights.npz") as arrays:
        return dict(arrays)


def metrics(run: Path) -> dict[str, np.ndarray]:
    """The columns of metrics.csv by name."""
    return {name: np.array(texts, dtype=np.float64) for name, texts in columns(run).items()}


def columns(run: Path) -> dict[str, tuple[str, ...]]:
    """The columns of metrics.csv by name, as text."""
    header, *rows = csv.reader(io.StringIO((run / "metrics.csv").read_text(encoding="utf-8")))
    return {name: tuple(row[index] for row in rows) for index, name in enumerate(header)}
