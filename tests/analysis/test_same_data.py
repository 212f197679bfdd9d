"""Runs are compared on the rows they share; if there are none, the message says how to write configs that have it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from nncli.analysis.same_data import different_splits
from nncli.errors import RunError
from nncli.experiment.loading import load

SAMPLED_LATE = SimpleNamespace(test_sampled_after_training=True)
SAMPLED_WITH_DATA = SimpleNamespace(test_sampled_after_training=True, data=True, validation=None, test=None)


@pytest.fixture
def config(workdir):
    """Load the small config with overrides."""
    return lambda *overrides: load(workdir / "config.yaml", overrides).config


def run(name, config, **fingerprints):
    """What is compared of a run."""
    return SimpleNamespace(path=Path(name), config=config, fingerprints=fingerprints)


def names(different):
    """The splits that are not compared, with the names of the two runs that differ."""
    return {split: tuple(run.path.name for run in pair) for split, pair in different.items()}


def test_splits_with_the_same_rows_are_compared(config):
    """A split whose rows differ is not compared, and named with the first two runs; one that is missing is ignored."""
    one = run("one", config(), training="a", validation="b")
    assert not different_splits(
        [one, run("two", config(), training="a"), run("three", config(), training="a", test="c")]
    )
    two, three = run("two", config(), training="x", validation="b"), run("three", config(), training="y", test="c")
    assert names(different_splits([one, two])) == {"training": ("one", "two")}
    assert names(different_splits([one, three, two])) == {"training": ("one", "three")}
    four, five = run("four", config(), training="x", validation="z"), run("five", config(), test="c")
    assert names(different_splits([two, four, one, five, three])) == {
        "training": ("two", "one"),
        "validation": ("two", "four"),
    }


def test_runs_that_share_no_rows_are_rejected(config):
    """The message names each split that differs."""
    one = run("one", config(), training="a", validation="b")
    with pytest.raises(
        RunError, match=r"^one and two cannot be compared: their data differs \(training, validation\);"
    ):
        different_splits([one, run("two", config(), training="x", validation="y")])
    with pytest.raises(RunError, match=r"^one and two cannot be compared: their data differs \(training\);"):
        different_splits([one, run("two", config(), training="x", test="b")])


def test_test_sets_sampled_after_training_may_differ(config):
    """They differ with the training, but only if all are sampled so; different ones are not shared."""
    late = run("one", SAMPLED_LATE, training="a", test="b")
    assert not different_splits([late, run("two", SAMPLED_LATE, training="a", test="c")])
    assert names(different_splits([late, run("two", config(), training="a", test="c")])) == {"test": ("one", "two")}
    other = run("two", SAMPLED_WITH_DATA, training="x", test="c")
    with pytest.raises(RunError, match=r"differs \(training\)"):
        different_splits([late, other])


@pytest.mark.parametrize(
    ("overrides", "fix"),
    [
        ((), "give data and validation a fixed seed, or pass"),
        (("validation=null",), "give data a fixed seed, or pass"),
        (
            ("validation={fraction: 0.2}", "test={fraction: 0.2}"),
            "write data: {type: spiral, samples: 20, classes: 3, seed: 0} and validation: {type: spiral, samples: 20, "
            "classes: 3, seed: 1} and test: {type: spiral, samples: 20, classes: 3, seed: 2} in both, or pass",
        ),
    ],
)
def test_message_says_how_to_have_the_same_data(config, overrides, fix):
    """Each sampled split has a seed of its own, so that no two have the same rows."""
    with pytest.raises(RunError) as error:
        different_splits([run(name, config(*overrides), training=name) for name in ("one", "two")])
    assert fix in str(error.value)
