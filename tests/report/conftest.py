"""Runs whose plots are tested."""

import numpy as np
import pytest

from nncli.report.trained_run import TrainedRun
from nncli.store.run_reader import Run

COLORS = ("a", "b")


def table(rows=90):
    """A CSV file of two numbers in different units, with three classes and a value."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(1000, 200, rows), rng.normal(-0.3, 0.05, rows)
    kinds = np.where(x > 1100, "big", np.where(y > -0.3, "flat", "deep"))
    lines = [f"{a!r},{b!r},{kind},{a * b!r}" for a, b, kind in zip(x.tolist(), y.tolist(), kinds, strict=True)]
    return "\n".join(["length,depth,kind,product", *lines]) + "\n"


TABLE = (
    "data={type: table, path: table.csv, target: kind, columns: {length: number, depth: number}, ignore: [product]}",
    "validation={fraction: 0.3}",
    "training.batch_size=16",
)
PRODUCT = (
    "data={type: table, path: table.csv, target: product, columns: {length: number, depth: number}, ignore: [kind]}",
    "validation={fraction: 0.3}",
    "layers=[{type: dense, units: 8}, tanh, {type: dense, units: 1}]",
    "loss=mean_squared_error",
    "metrics=[r2, root_mean_squared_error]",
)


@pytest.fixture
def trained(workdir, run_cli):
    """Train the small config with these changes: ``trained(*changes)`` returns its run with the final weights."""
    (workdir / "table.csv").write_text(table(), encoding="utf-8")

    def train(*changes, epoch=None):
        result = run_cli("train", "config.yaml", *changes, "-q")
        assert result.code == 0, result.err
        return TrainedRun(Run(workdir / result.out.strip()), epoch)

    return train
