"""The verdict on runs: the best of many against the second best, and what one run each says about two configs."""

from types import SimpleNamespace

import numpy as np
import pytest

from nncli.analysis import run_verdict
from nncli.analysis.run_verdict import ONE_SEED_EACH
from nncli.analysis.scores import Score
from nncli.analysis.significance import LEVEL, mcnemar, paired_margin
from tests.analysis.fake_groups import fake_run
from tests.analysis.test_comparison import compared, train  # noqa: F401 (a fixture)

REPETITIONS = 1000
FIXED = ("data.seed=0", "validation.seed=1")


@pytest.mark.parametrize("runs", [2, 3, 10])
@pytest.mark.parametrize("accuracy", [0.7, 0.95])
def test_best_of_equal_classifiers_is_rarely_significantly_better(runs, accuracy):
    """The best is compared with the second best without correction, and at most 5 % of the verdicts are wrong."""
    random = np.random.default_rng(0)
    wrong = 0
    for right in random.random((REPETITIONS, runs, 200)) < accuracy:
        second, first = right[np.argsort(right.sum(axis=1))[-2:]]
        wrong += mcnemar(int(np.sum(first & ~second)), int(np.sum(second & ~first))) < LEVEL
    assert wrong <= LEVEL * REPETITIONS


@pytest.mark.parametrize("runs", [2, 3, 10])
def test_best_of_equal_regressions_is_rarely_significantly_better(runs):
    """The same for absolute errors, whose test is not exact; three standard errors of the simulation are allowed."""
    random = np.random.default_rng(0)
    wrong = 0
    for errors in np.abs(random.standard_normal((REPETITIONS, runs, 40))):
        first, second = errors[np.argsort(errors.mean(axis=1))[:2]]
        wrong += abs(np.mean(first - second)) > paired_margin(first - second)
    assert wrong <= LEVEL * REPETITIONS + 3 * (LEVEL * (1 - LEVEL) * REPETITIONS) ** 0.5


@pytest.mark.parametrize(
    ("keys", "is_noted"),
    [
        ([], False),
        (["seed"], False),
        (["seed", "data.seed", "seeds.weights"], False),
        (["seed", "optimizer.type"], True),
        (["seeded"], True),
    ],
)
def test_one_seed_each_is_noted_if_the_configs_differ(monkeypatch, keys, is_noted):
    """Two runs that differ only in their seeds are two trainings of one config."""
    monkeypatch.setattr(run_verdict, "config_table", lambda _: {key: [1, 2] for key in keys})
    assert run_verdict._of_seeds(SimpleNamespace(), SimpleNamespace()) == (f"; {ONE_SEED_EACH}" if is_noted else "")


@pytest.mark.slow
def test_best_of_many_is_said_to_be_chosen(train):  # noqa: F811 (the fixture)
    """Its score is the highest of three; runs without a score do not count."""
    paths = [train(name, f"seed={seed}", *FIXED) for seed, name in enumerate("abc")]
    chosen = "; chosen as the best of 3 by these rows, so expect a worse score on new ones"
    assert compared(*paths).verdict().endswith(f"){chosen}")
    assert compared(*paths, top=1).verdict() == compared(*paths).verdict()
    (paths[2] / "evaluation.json").unlink()
    assert compared(*paths).verdict().endswith(")")


def test_rows_that_differ_are_not_paired(monkeypatch):
    """Even if there are as many of them; splits that differ are left out altogether."""
    monkeypatch.setattr(run_verdict, "config_table", lambda _: {})
    monkeypatch.setattr(run_verdict, "values_by_row", lambda *_: np.array([1.0, 0.0]))
    runs = [fake_run(score, rows=rows) for score, rows in ((0.5, "a"), (0.6, "b"))]
    assert "on different validation rows" in run_verdict.difference(*runs, "validation").description
    assert run_verdict.run_verdict(runs, {"validation"}) is None


def test_the_lower_error_is_better(monkeypatch):
    """In the order of the metric, whatever the order of the runs."""
    monkeypatch.setattr(run_verdict, "config_table", lambda _: {})
    found = SimpleNamespace(is_significant=True, description="difference")
    monkeypatch.setattr(run_verdict, "difference", lambda *_: found)
    runs = [fake_run(value, metric="validation_mean_absolute_error") for value in (0.5, 0.2)]
    for run, label, value in zip(runs, "ab", (0.5, 0.2), strict=True):
        run.label, run.scores["validation"] = label, Score("mean_absolute_error", value, 0.1, 15)
    for given in (runs, runs[::-1]):
        assert run_verdict.run_verdict(given).startswith("b is significantly better than a: ")
