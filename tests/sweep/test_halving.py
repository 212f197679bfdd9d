"""Successive halving: rungs, ranking, and trials that continue from where they were."""

import math

import pytest

from nncli.store.run_reader import Run
from nncli.sweep.halving import rungs
from nncli.sweep.outcomes import GroupOutcomes
from nncli.sweep.search import stages
from tests.conftest import SPEC
from tests.sweep.groups import outcomes_of, planned, trained


@pytest.fixture(autouse=True)
def directory(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("points", "epochs", "interval", "expected"),
    [
        (9, 90, 1, [(9, 10), (3, 30), (1, 90)]),
        (27, 27, 1, [(27, 1), (9, 3), (3, 9), (1, 27)]),
        (30, 100, 1, [(30, 4), (10, 12), (3, 34), (1, 100)]),
        (81, 9, 1, [(81, 1), (27, 3), (9, 9)]),
        (5, 100, 10, [(5, 40), (1, 100)]),
        (9, 10, 10, [(9, 10)]),
    ],
)
def test_rungs(points, epochs, interval, expected):
    """A third of the points gets three times the epochs, rounded up to a row of metrics."""
    assert rungs(points, epochs, interval) == expected


def test_epochs_grow_and_end_with_all():
    """Epochs grow by rung and are rows of metrics, but for the last rung, which has those of the config."""
    for points in (1, 3, 10, 100):
        for epochs in (1, 2, 3, 10, 99, 1000):
            for interval in (1, 3, 10, 1000):
                found = [each for _, each in rungs(points, epochs, interval)]
                assert found == sorted(set(found))
                assert found[-1] == epochs
                assert not any(each % interval for each in found[:-1])


def test_the_best_third_continues():
    """Each stage has the best third of the points of the stage before, with all of their runs."""
    plan = planned(
        "layers[0].units=1,2,3,4,5,6,7,8,9",
        "training.log_every=1",
        method="halving",
        metric="validation_loss",
        seeds="2",
    )
    outcomes, asked = outcomes_of(lambda number: math.cos(number // 2))  # by point 1, 0.54, -0.42, -0.99, -0.65, ...
    found = [[(task.trial.point, task.epochs) for task in stage] for stage in stages(plan, outcomes)]
    values = {point: math.cos(point) for point in range(9)}
    best = sorted(sorted(values, key=values.get)[:3])
    assert found == [
        [(point, 4) for point in range(9) for _ in range(2)],
        [(point, 10) for point in best for _ in range(2)],
        [(3, 30)] * 2,
    ]
    assert [epochs for _, epochs in asked] == [4, 10]


def test_higher_is_better():
    """For an accuracy the points with the highest values continue."""
    plan = planned("layers[0].units=1,2,3", "training.log_every=1", method="halving", metric="validation_accuracy")
    *_, last = stages(plan, outcomes_of(lambda number: number / 2)[0])
    assert [task.trial.point for task in last] == [2]


@pytest.mark.slow
def test_stages_can_be_computed_again_at_any_time():
    """The stages follow from the run directories, also when trials have been trained further or have diverged since."""
    spec = SPEC.replace("log_every: 10", "log_every: 2")
    plan = planned(
        "optimizer.learning_rate=0.001,0.01,0.05,1e30,0.1,0.02,1e-5,0.2,0.5",
        spec=spec,
        method="halving",
        metric="validation_loss",
    )
    outcomes = GroupOutcomes(plan.directory, plan.record)
    first = []
    for stage in stages(plan, outcomes):
        first.append(list(stage))
        for task in stage:
            trained(plan, task)
    assert [len(stage) for stage in first] == [9, 3, 1]
    assert [list(stage) for stage in stages(plan, outcomes)] == first
    assert all(task.trial.number != 3 for task in first[1])  # it diverged
    (winner,) = first[-1]
    run = Run(plan.directory / f"{winner.trial.number:04}")
    assert run.evaluation.epochs_trained == 30
    assert outcomes([winner.trial.number])[0].value == run.evaluation.splits["validation"]["loss"]
