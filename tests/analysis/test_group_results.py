"""Results of groups: which runs count, what their seeds vary, and the metric that is compared."""

import pytest

from nncli.analysis.group_results import GroupResult, Replicate, chosen_metric, replicate, sorted_groups, varied
from nncli.config.model import Fold, Fraction, Seeds
from nncli.errors import CommandLineError, RunError
from tests.analysis.fake_groups import ROWS, TRAINING_ROWS, fake_group, fake_run

METRIC = "validation_accuracy"


def group(*entries):
    """A group of runs."""
    return GroupResult("group", METRIC, entries)


def test_only_finished_runs_with_the_metric_count():
    """Diverged ones are counted apart from others."""
    entries = [
        *(fake_run(0.9, 0), fake_run(0.8, 1), fake_run(0.1, 2, status="diverged")),
        *(fake_run(0.2, 3, status="interrupted"), fake_run(0.3, 4, metric="validation_loss")),
    ]
    found = group(*entries)
    assert (found.scores.tolist(), found.diverged, found.unfinished) == ([0.9, 0.8], 1, 2)
    assert found.statistics == pytest.approx((0.85, 0.1 / 2**0.5, 0.8, 0.9))
    assert group(fake_run(0.9)).statistics.deviation is None
    assert group(fake_run(0.9, status="diverged")).statistics is None


def test_a_seed_of_zero_is_a_seed():
    """Only a purpose without one has that of the config."""
    config = fake_run(0.5, 7, seeds=Seeds(weights=0, order=3), validation=Fold(folds=5, fold=0)).run.config
    assert replicate(config) == Replicate((7, 7, 0, 3, 7), 0)
    assert replicate(fake_run(0.5, 7).run.config) == Replicate((7,) * 5, None)


def test_seeds_with_different_numbers_of_runs_are_no_replicates():
    """As of a search that has trained some of them only."""
    assert {
        key.seeds[0]: len(runs) for key, runs in fake_group("a", [0.1, 0.2] * 2, [1, 2, 1, 2]).by_replicate.items()
    } == {
        1: 2,
        2: 2,
    }
    assert fake_group("a", [0.1, 0.2, 0.3], [1, 2, 1]).by_replicate == {}


@pytest.mark.parametrize(
    ("validation", "rows", "is_corrected"),
    [
        (Fraction(fraction=0.25), ["a", "b"], True),
        (Fraction(fraction=0.25), ["a", "a"], False),
        (Fold(folds=4), ["a", "b"], True),
        (None, ["a", "b"], False),
    ],
)
def test_parts_of_the_same_data_share_training_rows(validation, rows, is_corrected):
    """If they differ; validation rows of their own are independent."""
    entries = [fake_run(0.5, seed, rows=each, validation=validation) for seed, each in enumerate(rows)]
    assert group(*entries).split_ratio == (pytest.approx(ROWS / TRAINING_ROWS) if is_corrected else 0)


@pytest.mark.parametrize(("metric", "labels"), [(METRIC, "bac"), ("validation_loss", "abc")])
def test_groups_are_sorted_best_first(metric, labels):
    """Those without a finished run are last."""
    scores = {"a": 0.2, "b": 0.8}
    groups = [
        fake_group("c", [0.9], status="interrupted", metric=metric),
        *(fake_group(label, [score], metric=metric) for label, score in scores.items()),
    ]
    assert [each.label for each in sorted_groups(groups)] == list(labels)


def test_the_metric_is_one_that_all_runs_have():
    """On held-out rows, the validation set first."""
    one, other = fake_run(0.9), fake_run(0.8)
    one.metrics.update({"test_accuracy": 0.7, "validation_loss": 0.3, "accuracy": 0.9, "loss": 0.1})
    other.metrics.update({"test_accuracy": 0.7})
    assert chosen_metric([one, other], None) == METRIC
    del other.metrics[METRIC]
    assert chosen_metric([one, other], None) == "test_accuracy"
    del other.metrics["test_accuracy"]
    other.metrics.update({"accuracy": 0.9})
    with pytest.raises(CommandLineError, match="share no metric on a validation or test set"):
        chosen_metric([one, other], None)
    with pytest.raises(RunError, match="no run is finished"):
        chosen_metric([fake_run(0.5, status="running")], None)


def test_a_metric_without_a_direction_is_rejected():
    """Neither larger nor smaller values are better."""
    run = fake_run(0.9)
    run.metrics.update({"learning_rate": 0.1, "data_loss": 0.2})
    with pytest.raises(CommandLineError, match="learning_rate cannot be compared: neither larger nor smaller"):
        chosen_metric([run], "learning_rate")
    assert chosen_metric([run], "data_loss") == "data_loss"


def test_what_the_seeds_vary():
    """Data and splits are named if their rows differ, and folds if there are several."""
    seeds = [Seeds(weights=seed, data=seed, split=seed) for seed in (1, 2)]
    assert varied([group(*(fake_run(0.5, seeds=each) for each in seeds))]) == ["weights"]
    rows = [fake_run(0.5, seeds=each, rows=f"rows {each.weights}") for each in seeds]
    assert varied([group(*rows)]) == ["data", "split", "weights"]
    folds = [fake_run(0.5, rows=f"fold {fold}", validation=Fold(folds=2, fold=fold)) for fold in range(2)]
    assert varied([group(*folds)]) == ["folds"]
    assert varied([group()]) == []
