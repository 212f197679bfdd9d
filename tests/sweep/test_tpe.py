"""Search by TPE: a function of the record and the outcomes, better than random where the metric has structure."""

import math
import subprocess
import sys

import pytest

from nncli.store.group_files import AxisRecord
from nncli.sweep import tpe
from nncli.sweep.search import stages
from tests.conftest import ROOT
from tests.sweep.groups import outcomes_of, planned

AXES = (
    "optimizer.learning_rate={min: 1e-4, max: 1, log: true}",
    "layers[0].units={min: 2, max: 10, step: 2}",
    "optimizer.beta_1={min: 0.0, max: 0.9, step: 0.1}",
    "layers[1]=relu,{type: leaky_relu, slope: 0.1}",
)


@pytest.fixture(autouse=True)
def directory(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)


def searched(plan, value):
    """The stages of a search, and the overrides of every trial; ``value`` is a function of the learning rate."""
    rates = {}
    outcomes, asked = outcomes_of(lambda number: value(rates[number]))
    found = []
    for stage in stages(plan, outcomes):
        found.append(list(stage))
        for task in stage:
            rates[task.trial.number] = float(task.trial.overrides[0].partition("=")[2])
    return found, asked


def distance(rate):
    """The distance of a learning rate to 0.01, in powers of ten."""
    return abs(math.log10(rate) + 2)


def test_points_are_chosen_in_batches_and_reported_in_order():
    """Each batch is a stage, whose outcomes are asked for in the order of their numbers when it has ended."""
    plan = planned(*AXES, method="tpe", trials=10, batch=4, seeds="2")
    found, asked = searched(plan, distance)
    assert [[task.trial.number for task in stage] for stage in found] == [
        list(range(8)),
        list(range(8, 16)),
        list(range(16, 20)),
    ]
    assert asked == [([task.trial.number for task in stage], None) for stage in found]
    assert [task.trial.point for task in found[0]] == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_point_is_told_the_score_of_its_own_runs(monkeypatch):
    """Of all seeds, and of no other point."""
    scored = []
    monkeypatch.setattr(tpe, "score", lambda runs, metric: scored.append([each.number for each in runs]) or 0.0)
    searched(planned(*AXES, method="tpe", trials=5, batch=2, seeds="3"), distance)
    assert scored == [[3 * point, 3 * point + 1, 3 * point + 2] for point in range(5)]


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        ({"values": [1, 2, 5]}, "IntDistribution(high=2, log=False, low=0, step=1)"),
        ({"values": [0.5, 0.2]}, "IntDistribution(high=1, log=False, low=0, step=1)"),
        ({"values": [2, 1, 3]}, "CategoricalDistribution(choices=(0, 1, 2))"),
        ({"values": [False, True]}, "CategoricalDistribution(choices=(0, 1))"),
        ({"values": ["a", "b"]}, "CategoricalDistribution(choices=(0, 1))"),
        ({"min": 1, "max": 6, "step": 2}, "IntDistribution(high=2, log=False, low=0, step=1)"),
        ({"min": 1, "max": 600}, "IntDistribution(high=600, log=False, low=1, step=1)"),
        ({"min": 1, "max": 600, "log": True}, "IntDistribution(high=600, log=True, low=1, step=1)"),
        ({"min": 0.0, "max": 0.5}, "FloatDistribution(high=0.5, log=False, low=0.0, step=None)"),
        ({"min": 0.1, "max": 0.5, "log": True}, "FloatDistribution(high=0.5, log=True, low=0.1, step=None)"),
    ],
)
def test_distributions(axis, expected):
    """Values in an order have neighbors, and others have none."""
    pytest.importorskip("optuna")
    assert str(tpe._distribution(AxisRecord(key="k", **axis))) == expected


def test_a_quarter_of_the_points_is_good():
    """Rounded up, and at most 25."""
    assert [tpe._good_points(count) for count in (0, 1, 4, 5, 100, 1000)] == [1, 1, 1, 2, 25, 25]


def test_search_is_a_function_of_record_and_outcomes():
    """The same outcomes give the same points, another seed or other outcomes give other ones."""
    plan = planned(*AXES, method="tpe", trials=20, batch=3)
    first, _ = searched(plan, distance)
    assert searched(plan, distance)[0] == first
    assert searched(plan, lambda rate: -distance(rate))[0][:3] == first[:3]  # random points
    assert searched(plan, lambda rate: -distance(rate))[0] != first
    assert searched(planned(*AXES, method="tpe", trials=20, batch=3, seed=1), distance)[0][0] != first[0]


def test_values_are_those_of_the_axes():
    """Every trial has a valid config: logarithms within their range, steps exactly, choices as whole components."""
    plan = planned(*AXES, method="tpe", trials=12)
    found, _ = searched(plan, distance)
    steps = {f"optimizer.beta_1={each / 10}" for each in range(10)}
    for stage in found:
        for task in stage:
            rate, units, beta, layer = task.trial.overrides
            assert 1e-4 <= float(rate.partition("=")[2]) <= 1
            assert units in {f"layers[0].units={each}" for each in (2, 4, 6, 8, 10)}
            assert beta in steps
            assert layer in {"layers[1]=relu", "layers[1]={type: leaky_relu, slope: 0.1}"}
    assert plan.loaded(found[0][0].trial).config.optimizer.type == "adam"


@pytest.mark.parametrize(("metric", "sign"), [("validation_loss", 1), ("validation_accuracy", -1)])
def test_good_regions_are_sampled_more(metric, sign):
    """Later points are closer to the optimum than random ones, in the direction of the metric."""
    plan = planned(AXES[0], method="tpe", trials=40, metric=metric)
    found, _ = searched(plan, lambda rate: sign * distance(rate))
    rates = [float(task.trial.overrides[0].partition("=")[2]) for stage in found for task in stage]
    assert sum(map(distance, rates[-20:])) / 20 < 0.6  # 1 for uniform points


def test_diverged_trials_are_avoided():
    """A trial that diverged is reported to the study, so that the search samples elsewhere."""
    plan = planned(AXES[0], method="tpe", trials=40)
    found, _ = searched(plan, lambda rate: None if rate > 0.1 else distance(rate))
    rates = [float(task.trial.overrides[0].partition("=")[2]) for stage in found for task in stage]
    assert sum(rate > 0.1 for rate in rates[-20:]) <= 2
    searched(plan, lambda rate: None)


def test_optuna_says_nothing():
    """Nothing is printed by the search, and no warning is raised."""
    script = f"""
import os
os.chdir({str(ROOT.joinpath("tests"))!r})
import tempfile; os.chdir(tempfile.mkdtemp())
from tests.sweep.groups import outcomes_of, planned
from nncli.sweep.search import stages
plan = planned("optimizer.learning_rate={{min: 0.1, max: 1}}", method="tpe", trials=12)
assert sum(len(stage) for stage in stages(plan, outcomes_of(lambda number: 1.0)[0])) == 12
"""
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", script],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert done.stdout == ""
    assert "optuna" not in done.stderr.lower()
