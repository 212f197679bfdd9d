"""Curves: the columns of metrics.csv."""

import csv

import numpy as np
import pytest

from nncli.report.curves import overlays, run_curves, spans_decade
from tests.examples import BINARY

STOPPED = "training={epochs: 60, log_every: 1, early_stopping: {metric: validation_accuracy, patience: 5}}"


def columns(run):
    """metrics.csv, read by another reader."""
    with (run.path / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


@pytest.mark.parametrize("changes", [(), ("regularization={l2: 0.001}", "optimizer.decay=0.1")])
def test_series_are_the_columns_of_the_file(trained, changes):
    """Each series has the values of the column that it names, at the logged epochs."""
    run = trained(*changes).run
    expected = columns(run)
    for curve in run_curves(run).curves:
        assert curve.epochs.tolist() == expected["epoch"]
        for each in curve.series:
            assert each.values.tolist() == expected[each.column]


def test_losses_of_both_splits_are_without_penalties(trained):
    """With penalties the training loss is ``data_loss``, and the penalties have a curve of their own."""
    plain, penalized = run_curves(trained().run), run_curves(trained("regularization={l2: 0.001}").run)
    assert [each.column for each in plain.of("loss").series] == ["loss", "validation_loss"]
    assert [each.column for each in penalized.of("loss").series] == ["data_loss", "validation_loss"]
    assert plain.of("regularization_loss") is None
    assert penalized.of("regularization_loss") is not None
    assert [curve.metric for curve in plain.curves] == ["loss", "accuracy"]


def test_kept_epoch_is_that_of_the_weights(trained):
    """Early stopping keeps the best epoch, which is that of the best value of the monitored column."""
    run = trained(STOPPED).run
    curves = run_curves(run)
    assert curves.kept_epoch == run.evaluation.epoch == curves.of("accuracy").best_epoch
    (run.path / "evaluation.json").unlink()
    assert run_curves(type(run)(run.path)).kept_epoch is None


def test_overlay_has_each_run(trained):
    """The validation column of each run that has the metric, with its own epochs."""
    runs = [trained().run, trained(*BINARY, "training.epochs=50").run]
    loss, accuracy = overlays([run_curves(run) for run in runs])
    assert (loss.column, accuracy.column) == ("validation_loss", "validation_accuracy")
    for overlay in (loss, accuracy):
        assert overlay.runs == [run.name for run in runs]
        for run, epochs, values in zip(runs, overlay.epochs, overlay.values, strict=True):
            assert epochs.tolist() == columns(run)["epoch"]
            assert values.tolist() == columns(run)[overlay.column]


def test_overlay_shows_the_split_that_all_have(trained):
    """Without a validation set in one of them it is the training set."""
    runs = [run_curves(trained().run), run_curves(trained("validation=null").run)]
    assert [each.column for each in overlays(runs)] == ["loss", "accuracy"]


@pytest.mark.parametrize(("values", "expected"), [([1, 10], True), ([1, 9.9], False), ([0, 10], False), ([], False)])
def test_logarithmic_axis_is_for_decades(values, expected):
    """Positive values of which the largest is ten times the smallest."""
    assert spans_decade(np.array(values, float)) is expected
