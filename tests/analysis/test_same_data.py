"""Runs are compared on equal data only; the message says how to write configs that have it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from nncli.analysis.same_data import require_same_data
from nncli.errors import RunError
from nncli.experiment.loading import load

SAMPLED_LATE = SimpleNamespace(test_sampled_after_training=True)


@pytest.fixture
def config(workdir):
    """Load the small config with overrides."""
    return lambda *overrides: load(workdir / "config.yaml", overrides).config


def run(name, config, **fingerprints):
    """What is compared of a run."""
    return SimpleNamespace(path=Path(name), config=config, fingerprints=fingerprints)


def test_splits_that_both_runs_have_are_compared(config):
    """A split that only one run has does not prevent the comparison; the name of one that differs is in the message."""
    one = run("one", config(), training="a", validation="b")
    require_same_data([one, run("two", config(), training="a"), run("three", config(), training="a", test="c")])
    with pytest.raises(RunError, match=r"^one and two cannot be compared: their data differs \(validation\);"):
        require_same_data([one, run("two", config(), training="a", validation="x")])


def test_test_sets_sampled_after_training_may_differ(config):
    """They differ with the training, but only if both are sampled so."""
    late = run("one", SAMPLED_LATE, training="a", test="b")
    require_same_data([late, run("two", SAMPLED_LATE, training="a", test="c")])
    with pytest.raises(RunError, match=r"differs \(test\)"):
        require_same_data([late, run("two", config(), training="a", test="c")])


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
        require_same_data([run(name, config(*overrides), training=name) for name in ("one", "two")])
    assert fix in str(error.value)
