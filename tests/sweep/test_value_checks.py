"""How many configs are checked: each value once, combinations of axes that interact, and each data source once."""

from pathlib import Path

import pytest

from nncli.experiment.loading import parse
from nncli.sweep import config_checker, value_checks
from nncli.sweep.config_checker import ConfigChecker
from nncli.sweep.definition import from_command_line
from nncli.sweep.sweep_config import SweepOptions
from nncli.sweep.value_checks import value_problems
from tests.conftest import SPEC

UNITS = ",".join(str(units) for units in range(1, 101))
RATES = ",".join(str(rate / 100) for rate in range(1, 101))


class CountingChecker(ConfigChecker):
    """Counts the configs that are checked as a whole."""

    count = 0

    def problems(self, changes):
        self.count += 1
        return super().problems(changes)


def checked(*arguments):
    """The problems of what varies, the number of configs that were checked, and of their data sources."""
    checker = CountingChecker(parse("config.yaml", SPEC.encode()))
    definition = from_command_line(Path("config.yaml"), arguments, SweepOptions())
    problems = value_problems(checker, definition.axes)
    return problems, checker.count, len(checker._opened)


@pytest.mark.parametrize(
    ("arguments", "count", "opened"),
    [
        (["optimizer=sgd,adam,rmsprop"], 3, 1),
        # the first trial, and the largest value of each list; the inner values are checked within their section
        ([f"optimizer.learning_rate={RATES}", f"layers[0].units={UNITS}"], 3, 1),
        # all values of texts that interact, but not with the optimizer: 1 + 2 + 1 + 1, and 2 x 1 combinations
        (["layers[1]=relu,tanh,sigmoid", "dtype=float32,float64", "optimizer=sgd,adam"], 7, 1),
        # numbers that interact: the smallest and the largest of each
        (["training.batch_size=1,2,3,4", "data.samples=20,21,22,23"], 4, 2),
        (["optimizer.learning_rate={min: 0.1, max: 1}", "layers[0].units={min: 1, max: 9}"], 3, 1),
        (["validation=0.1,0.2,null"], 3, 3),
        (["test=0.1,0.2"], 2, 2),
        (["rng=derived,nnfs"], 2, 2),
        (["split_method=independent,consecutive"], 2, 2),
    ],
)
def test_counts(arguments, count, opened):
    """A value is checked once; the number of checks does not grow with the number of trials."""
    problems, checks, sources = checked(*arguments)
    assert problems == []
    assert checks == count
    assert sources == opened


def test_ten_thousand_trials_are_few_checks(monkeypatch):
    """A grid of 100 x 100 checks 3 whole configs, and one section for each of the other values."""
    sections = []
    original = config_checker.validated
    monkeypatch.setattr(config_checker, "validated", lambda *given: sections.append(given) or original(*given))
    _, checks, _ = checked(f"optimizer.learning_rate={RATES}", f"layers[0].units={UNITS}")
    assert checks == 3
    assert len(sections) == 2 * 98


def test_many_combinations_are_checked_in_pairs(monkeypatch):
    """Beyond a number of combinations only those of two axes are checked, the rest at the first values."""
    arguments = ["layers[1]=relu,tanh,sigmoid", "dtype=float32,float64", "metrics=[accuracy],[]"]
    assert checked(*arguments)[:2] == ([], 12)
    monkeypatch.setattr(value_checks, "MAX_COMBINATIONS", 11)
    assert checked(*arguments)[:2] == ([], 1 + (2 + 1 + 1) + (2 * 1 + 2 * 1 + 1 * 1))


def test_a_wrong_key_is_checked_once():
    """A key that does not exist is reported once, however many values it has."""
    problems, checks, _ = checked(f"optimizer.rate={RATES}")
    assert [each.location.column for each in problems] == [1]
    assert checks <= 2


def test_many_wrong_values_are_not_all_reported():
    """After as many problems as a message shows, no more are looked for."""
    problems, checks, _ = checked(f"layers[0].units={','.join(f'-{each}' for each in range(1, 1000))}")
    assert 50 < len(problems) <= checks < 60
