"""The figures of topics for a config, compared with a run of it and with the formulas."""

import csv
from pathlib import Path

import numpy as np
import pytest

from nncli.analysis.topic_numbers import FIGURES, numbers
from nncli.cli.topics import find_topic, topic_names
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load

MINI = ("training={epochs: 3, batch_size: 7}", "optimizer={type: sgd, learning_rate: 0.5, decay: 0.1, momentum: 0.8}")


def figures(topic, *overrides):
    return numbers(topic, find_topic(topic).keys, load(Path("config.yaml"), overrides))


def test_figures_belong_to_topics():
    """Each set of figures has its page."""
    assert set(FIGURES) <= set(topic_names())


def test_keys_have_the_values_of_the_config(workdir):
    """Defaults included, components by their type, each item of a list, and null for a section that is not there."""
    assert figures("early_stopping") == {"training.early_stopping": None}
    found = figures("regularization", "layers[0].l2=0.5")
    assert {path: value for path, value in found.items() if ".l2" in path} == {
        "regularization.l2": 0.0,
        "layers[0].l2": 0.5,
        "layers[2].l2": 0.0,
    }
    assert figures("activation")["layers[1]"] == "relu"


def test_rates_are_those_of_training(workdir, run_cli):
    """The rate of the last update is the last one in metrics.csv, with decay and schedule."""
    found = figures("learning_rate", *MINI, "schedule=cosine")
    assert run_cli("train", "config.yaml", "-q", *MINI, "schedule=cosine").code == 0
    with Path("runs/config/metrics.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert found["rate of the first update"] == 0.5
    assert found["rate of the last update, t = 26"] == pytest.approx(float(rows[-1]["learning_rate"]), rel=1e-5)


def test_batches_are_counted(workdir):
    """Sixty rows in batches of seven are nine updates, the last one of four rows."""
    found = figures("epoch", *MINI)
    assert (found["updates per epoch"], found["updates in all"]) == (9, 27)


def test_momentum_says_how_many_gradients_add_up(workdir):
    """1 / (1 − μ), or with β₁ of Adam; nothing without momentum."""
    (last,) = [value for name, value in figures("momentum", *MINI).items() if name.startswith("gradients")]
    assert last == pytest.approx(5)
    assert not any(name.startswith("gradients") for name in figures("momentum", "optimizer=sgd"))


def test_gradients_are_those_of_the_loss(workdir):
    """A small step of plain gradient descent lowers the loss by η ‖g‖², with dropout too."""
    layers = "layers=[{type: dense, units: 8}, tanh, {type: dropout, rate: 0.5}, {type: dense, units: 3}, softmax]"
    found = figures("gradient_descent", layers, "optimizer={type: sgd, learning_rate: 1e-4}")
    squares = sum(value**2 for name, value in found.items() if name.startswith("‖"))
    change = found["loss on these rows after the update"] - found["loss on some rows"]
    assert change == pytest.approx(-1e-4 * squares, rel=1e-3)


def test_first_loss_is_near_that_of_guessing(workdir):
    """Three classes: log 3, from which tiny weights hardly differ."""
    small = "initializer={type: normal, scale: 1e-3}"
    found = figures("loss", f"layers[0].{small}", f"layers[2].{small}")
    assert found["loss of equal probabilities, log of the classes"] == pytest.approx(np.log(3))
    assert found["loss of the initial weights on some rows"] == pytest.approx(np.log(3), rel=1e-4)


def test_sizes_and_splits_are_counted(workdir):
    """Parameters, rows of each split, and the widths of the layers."""
    assert figures("overfitting")["parameters"] == 2 * 8 + 8 + 8 * 3 + 3
    found = figures("validation", "validation={fraction: 0.2}")
    assert (found["rows of training"], found["rows of validation"]) == (48, 12)
    assert figures("activation")["layer 2: dense"] == "8 → 3"
    assert figures("initialization", "layers[0].units=2000")["standard deviation of layers.0.weights"] == pytest.approx(
        1, rel=0.05
    )
    assert figures("regularization", "regularization.l2=0.1")["penalty of the initial weights, R"] > 0
    assert figures("numerical_stability")["smallest ε with 1 + ε > 1"] == 2**-23


def test_figure_that_is_not_finite_is_null(workdir):
    """JSON has no infinity."""
    huge = ("optimizer={type: sgd, learning_rate: 1e300}", "dtype=float64", "layers[1]=linear")
    found = figures("gradient_descent", *huge, "loss=mean_squared_error", "layers[3]=linear")
    assert found["loss on these rows after the update"] is None


def test_rate_after_the_first_epoch_follows_from_its_updates(workdir):
    """After nine updates, with decay."""
    assert figures("decay", *MINI)["rate after the first epoch"] == pytest.approx(0.5 / (1 + 0.1 * 9))


def test_parameters_are_counted_per_row(workdir):
    """51 parameters and 60 rows."""
    assert figures("overfitting")["parameters per row"] == pytest.approx(51 / 60)


def test_deviation_is_that_of_the_initial_weights(workdir):
    """Those of a network that is assembled in float64."""
    parameters = assemble(load(Path("config.yaml"), ("dtype=float64",)).config).network.parameters
    found = figures("initialization")
    for name, values in parameters.views(parameters.trainable).items():
        assert found[f"standard deviation of {name}"] == pytest.approx(np.sqrt(np.mean((values - values.mean()) ** 2)))
