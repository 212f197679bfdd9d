"""Norms of the layers by epoch."""

import csv
from pathlib import Path

import pytest

from nncli.errors import RunError
from nncli.report.gradients import gradients_of
from nncli.store.run_reader import Run
from tests.conftest import ROOT


def test_values_are_those_of_the_file(trained):
    """Each column of health.csv, by layer, at its epochs."""
    run = trained().run
    with (run.path / "health.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = gradients_of(run)
    assert found.epochs.tolist() == [int(row["epoch"]) for row in rows]
    assert [(each.layer, each.type) for each in found.layers] == [(0, "dense"), (1, "relu"), (2, "dense")]
    for each in found.layers:
        for name in ("gradient_norm", "update_norm", "weight_norm", "dead_fraction"):
            column, values = f"layers.{each.layer}.{name}", getattr(each, name)
            assert (column in rows[0]) == (values is not None)
            if values is not None:
                assert values[1:].tolist() == [float(row[column]) for row in rows[1:]]
        if each.update_ratio is not None:
            assert each.update_ratio[-1] == each.update_norm[-1] / each.weight_norm[-1]


def test_older_runs_have_none():
    """They have no health.csv."""
    old = Path(ROOT / "tests" / "compatibility" / "runs_0_4_1" / "classification")
    assert gradients_of(Run(old)) is None


@pytest.mark.parametrize(("rows", "problem"), [(b"", ""), (b"x,1\n", ": line 2: 'x' is not an epoch from 0 to 30")])
def test_file_without_a_row_is_not_that_of_an_older_run(trained, rows, problem):
    """Nothing was logged yet, or the first row is damaged: the message says so."""
    run = trained().run
    (run.path / "evaluation.json").unlink()
    file = run.path / "health.csv"
    file.write_bytes(file.read_bytes().splitlines(keepends=True)[0] + rows)
    with pytest.raises(RunError, match=rf"health\.csv: has no row of a logged epoch{problem}$"):
        gradients_of(Run(run.path))
