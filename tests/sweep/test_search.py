"""Stages of a grid and of a random search."""

import pytest

from nncli.sweep.search import stages
from nncli.sweep.trials import Task
from tests.sweep.groups import outcomes_of, planned


@pytest.fixture(autouse=True)
def directory(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("options", [{}, {"method": "random", "trials": 4}])
def test_grid_and_random_have_one_stage(options):
    """All trials can be trained in any order, and no outcome is asked for."""
    plan = planned("layers[0].units=4,8", "seed=1,2", **options)
    outcomes, asked = outcomes_of(lambda number: 1.0)
    (stage,) = stages(plan, outcomes)
    assert list(stage) == [Task(plan.trial(number)) for number in range(4)]
    assert len(stage) == 4
    assert asked == []
