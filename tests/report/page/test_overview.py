"""What a report says of a run in words."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from nncli.analysis.compared_run import compared_run
from nncli.report.curves import Curve, RunCurves, Series
from nncli.report.page import overview
from nncli.report.trained_run import TrainedRun
from nncli.store.run_reader import Run


def entry_of(path):
    run = Run(path)
    return compared_run(run, run.name, run.progress)


def test_result_is_that_of_held_out_rows(runs):
    """With its interval from the lower to the higher end, and what a constant prediction has."""
    entry = entry_of(runs / "classes")
    (text, *_) = overview._results(entry, TrainedRun(entry.run))
    value = entry.metrics["validation_accuracy"]
    words = rf"Its accuracy on the validation set is {value:.3f} \(95% interval (\S+) to (\S+), 60 rows\); "
    found = re.fullmatch(words + "a constant prediction has 0.333.", text)
    assert float(found[1]) < value < float(found[2])


def test_epoch_is_that_of_the_weights(runs):
    """Not that of the last one, if an earlier one was kept."""
    kept = replace(entry_of(runs / "classes"), epoch=20)
    assert overview.described(kept).endswith("weights of epoch 20.")
    assert "Of the weights of epoch 20;" in overview.metrics_table(kept, None).message


@pytest.mark.parametrize(
    ("lowest", "stopping", "is_said"), [(0.94, None, True), (0.96, None, False), (0.5, object(), False)]
)
def test_validation_loss_that_was_clearly_lower_is_said(monkeypatch, lowest, stopping, is_said):
    """By 5 % or more; early stopping has kept those weights."""
    series = [Series("validation_loss", "validation", np.array([2.0, lowest, 1.0]))]
    curve = Curve("loss", False, np.array([0, 10, 20]), series, False, 10)
    monkeypatch.setattr(overview, "run_curves", lambda run: RunCurves("run", 20, None, [curve]))
    training = SimpleNamespace(early_stopping=stopping)
    entry = SimpleNamespace(run=SimpleNamespace(config=SimpleNamespace(training=training)))
    fix = "early stopping would keep those weights"
    expected = f"The validation loss was lowest at epoch 10 (0.94), and is 1 at the end: {fix}."
    assert list(overview._lowest(entry)) == [expected] * is_said


def test_constant_prediction_is_the_mean_of_the_training_set(runs):
    """Measured on each split."""
    entry = entry_of(runs / "fit")
    trained = TrainedRun(entry.run)
    data = trained.experiment.data
    mean = data["training"].targets.mean()
    rows = {row[0]: row[1:] for row in overview.metrics_table(entry, trained).rows}
    expected = [np.abs(data[split].targets - mean).mean() for split in ("training", "validation")]
    assert rows["constant prediction: mean_absolute_error"] == pytest.approx(expected, rel=1e-5)
    assert rows["r2 ↑"][0] == entry.metrics["r2"]
    assert rows["mean_absolute_error ↓"][1] == entry.metrics["validation_mean_absolute_error"]


def test_values_of_settings_are_those_of_the_config(runs):
    """All digits, in the spelling of YAML; keys that follow from others are not listed."""
    values = [0.1234567, 0.001, 3, None, True, [1, False], "relu"]
    assert list(map(overview._shown, values)) == ["0.1234567", "0.001", "3", "null", "true", "[1, false]", "relu"]
    for name in ("table", "classes"):
        keys = {row[0] for row in overview.settings_table(entry_of(runs / name)).rows}
        assert not [key for key in keys if {"columns", "metrics", "split_method"} & set(key.split("."))]
