"""The baseline: the constant prediction of the training set, scored like a network."""

import numpy as np
import pytest

from nncli.analysis.baseline import constant_prediction, measured_baseline
from nncli.analysis.evaluation import assess
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.store.run_reader import Run
from tests.examples import BINARY, SINE


def experiment(workdir, *overrides):
    loaded = load(workdir / "config.yaml", overrides)
    return assemble(loaded.config, loaded.plan)


def baseline(given, split):
    """The baseline of an experiment on a split."""
    constant, outputs = constant_prediction(given.data["training"]), given.network.widths[-1]
    return measured_baseline(constant, given.metrics, given.data[split].targets, outputs)


def test_majority_is_that_of_the_training_set(workdir):
    """It is predicted for every row of each split; the accuracy is its fraction of the rows there."""
    given = experiment(workdir, "validation={fraction: 0.2}")
    training = given.data["training"]
    training.targets[:5] = 2
    for split in ("training", "validation"):
        found = baseline(given, split)
        assert found["class"] == 2
        assert found["metrics"]["accuracy"] == pytest.approx(np.mean(given.data[split].targets == 2))


@pytest.mark.parametrize("majority", [0, 1])
def test_single_output_is_certain_of_the_majority(workdir, majority):
    """Class 1 is an output of 1, and class 0 an output of 0."""
    given = experiment(workdir, *BINARY, "metrics=[accuracy]")
    given.data["training"].targets[:3] = majority
    targets = given.data["training"].targets
    found = baseline(given, "training")
    assert (found["class"], found["metrics"]["accuracy"]) == (majority, pytest.approx(np.mean(targets == majority)))


def test_mean_is_that_of_the_training_set(workdir):
    """R² of the training set is 0, and the absolute error is the mean distance from the mean."""
    given = experiment(workdir, *SINE)
    targets = given.data["training"].targets
    found = baseline(given, "training")
    assert found["mean"] == pytest.approx(targets.astype(np.float64).mean(axis=0))
    assert found["metrics"]["r2"] == pytest.approx(0, abs=1e-6)
    assert found["metrics"]["mean_absolute_error"] == pytest.approx(np.abs(targets - targets.mean()).mean())


def test_evaluation_has_it_beside_each_split(workdir, run_cli):
    """Without the loss, and with the metrics that the network has."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    for split in assess(Run(workdir / "runs" / "config"))["splits"].values():
        assert set(split["baseline"]["metrics"]) == {"accuracy"}
        assert split["baseline"]["metrics"]["accuracy"] == pytest.approx(1 / 3)
