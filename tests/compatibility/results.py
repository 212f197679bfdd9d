"""Compare the results of two trainings: ``weights.npz`` and ``metrics.csv``, by bytes and by numbers."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

FILES = ("weights.npz", "metrics.csv")


def is_identical(run: Path, expected: Path) -> bool:
    """Whether both files have the same bytes in both runs."""
    return all((run / name).read_bytes() == (expected / name).read_bytes() for name in FILES)


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
    header, *rows = csv.reader(io.StringIO((run / "metrics.csv").read_text(encoding="utf-8")))
    return dict(zip(header, np.array(rows, dtype=np.float64).T, strict=True))
