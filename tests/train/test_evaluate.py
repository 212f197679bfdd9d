"""What a metric's name says: its column, its direction, and the numbers that it can be."""

import math

import pytest

from nncli.experiment.loading import load
from nncli.experiment.metric_columns import columns, higher_is_better, known_columns, plausible
from nncli.registry import components
from tests.examples import BINARY, SINE

LOSSES = ["loss", "data_loss", "regularization_loss"]


@pytest.mark.parametrize(
    ("changes", "measured"),
    [
        ((), ["accuracy"]),
        (SINE, ["r2", "mean_absolute_error", "root_mean_squared_error", "regression_accuracy"]),
        (BINARY, ["accuracy", "precision", "recall", "f1", "auc"]),
        ((*BINARY, "metrics=[auc]"), ["auc"]),
        (("metrics=[]",), []),
    ],
)
@pytest.mark.parametrize("watched", [True, False])
def test_metrics_csv_has_a_column_a_metric(workdir, changes, measured, watched):
    """The losses, then the metrics of the spec, first of the training set, then of the validation set if any."""
    spec = load(workdir / "config.yaml", (*changes, *([] if watched else ["validation=null"]))).config
    held_out = [f"validation_{name}" for name in ("loss", *measured)] if watched else []
    assert list(columns(spec)) == ["learning_rate", *LOSSES, *measured, *held_out]


@pytest.mark.parametrize("prefix", ["", "validation_", "test_"])
@pytest.mark.parametrize(
    ("name", "higher"),
    [
        ("loss", False),
        ("data_loss", False),
        ("accuracy", True),
        ("auc", True),
        ("r2", True),
        ("regression_accuracy", True),
        ("mean_absolute_error", False),
        ("root_mean_squared_error", False),
    ],
)
def test_each_metric_knows_its_better_direction(prefix, name, higher):
    """Of any split: errors and losses get better downwards, shares of what is right upwards."""
    assert higher_is_better(f"{prefix}{name}") is higher


@pytest.mark.parametrize(
    ("name", "possible", "impossible"),
    [
        ("accuracy", (0.0, 0.5, 1.0), (-0.1, 1.1)),
        ("validation_auc", (0.0, 1.0), (-1e-9, 1.001)),
        ("r2", (-1e300, -1.0, 0.0, 1.0), (1.001,)),
        ("test_mean_absolute_error", (0.0, 1e300), (-1e-9,)),
        ("root_mean_squared_error", (0.0, 7.0), (-7.0,)),
        ("loss", (0.0, 1e300), (-1.0,)),
    ],
)
def test_numbers_that_nothing_measures_are_not_plausible(name, possible, impossible):
    """Each metric has its bounds, and none is NaN or infinite."""
    assert all(plausible({name: value}) for value in possible)
    assert not any(plausible({name: value}) for value in (*impossible, math.nan, math.inf, -math.inf))


def test_every_metric_may_stand_in_a_gate():
    """Whatever the task, the losses and all registered metrics are names that can be measured."""
    metrics = {entry.name for entry in components("metric")}
    known = {(column.split, column.name) for column in known_columns()}
    assert {name for split, name in known if split == "training"} == {*LOSSES, *metrics}
    assert {name for split, name in known if split == "test"} == {"loss", *metrics}
