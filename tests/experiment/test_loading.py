"""What depends on other sections is filled in: above all, where a schedule without an end ends."""

import subprocess
import sys
from math import ceil

import pytest

from nncli.data.sources.nnfs import Spiral
from nncli.errors import ConfigError
from nncli.experiment.loading import load
from tests.examples import BINARY, DENSE_8, WARM_COSINE

MODELS = """
from pathlib import Path
from nncli.registry import components, kinds
from nncli.experiment.loading import load
load(Path("config.yaml"), ("metrics=null",))
print(*(entry.name for kind in kinds() for entry in components(kind) if "model" in vars(entry)))
"""


@pytest.fixture
def resolved(workdir):
    """The resolved spec of the small config, with some values changed."""
    return lambda *overrides: load(workdir / "config.yaml", overrides).config


@pytest.mark.parametrize(
    ("changes", "rows"),
    [
        ((), 60),
        (("training.batch_size=16",), 60),
        (("training.batch_size=60",), 60),
        (("validation={fraction: 0.25}", "training.batch_size=7"), 45),
        (("training.epochs=1",), 60),
    ],
)
def test_a_cosine_without_an_end_ends_with_the_training(resolved, changes, rows):
    """Its length is the number of updates of the whole training, the last small batch of an epoch included."""
    spec = resolved("schedule=cosine", *changes)
    updates = spec.training.epochs * ceil(rows / (spec.training.batch_size or rows))
    assert spec.schedule.updates == updates
    behind = resolved(WARM_COSINE, *changes).schedule
    assert (behind.updates, behind.then.updates, behind.then.lowest) == (5, max(1, updates - 5), 0.1)


def test_rows_of_uneven_classes_are_counted_for_schedules_and_batches(resolved, monkeypatch):
    """Of 51 and 52 rows a fraction of 0.2233 leaves 80: batches of 40 are two, and of 79 one row is left over."""
    monkeypatch.setattr(Spiral, "class_counts", (51, 52))
    uneven = (*BINARY, "validation={fraction: 0.2233}")
    assert resolved(*uneven, "schedule=cosine", "training.batch_size=40").schedule.updates == 30 * 2
    normalized = f"layers=[{DENSE_8}, batch_normalization, relu, {{type: dense, units: 1}}, sigmoid]"
    resolved(*uneven, normalized, "training.batch_size=80")
    with pytest.raises(ConfigError, match="the last batch of an epoch has 1 of the 80 rows"):
        resolved(*uneven, normalized, "training.batch_size=79")
    monkeypatch.setattr(Spiral, "class_counts", (51, 2))
    with pytest.raises(ConfigError, match=r"leave none of the 2 rows of a class"):
        resolved(*uneven, "test={fraction: 0.2}")


def test_an_end_that_is_written_is_kept(resolved):
    """What the spec says itself is not filled in."""
    assert resolved("schedule={type: cosine, updates: 7}").schedule.updates == 7
    then = "schedule={type: warmup, updates: 4, then: {type: cosine, updates: 9}}"
    assert resolved(then).schedule.then.updates == 9


def test_a_schedule_behind_two_others_gets_what_they_leave(resolved):
    """Each warm-up takes its updates off."""
    inner = "{type: warmup, updates: 5, then: cosine}"
    spec = resolved(f"schedule={{type: warmup, updates: 10, then: {inner}}}")
    assert spec.schedule.then.then.updates == 15


def test_a_warmup_longer_than_the_training_leaves_a_spec_that_is_right(resolved):
    """What follows it is never reached, and still has an end."""
    spec = resolved("schedule={type: warmup, updates: 500, then: cosine}")
    assert spec.schedule.then.updates == 1


@pytest.mark.parametrize("schedule", ["{type: step, every: 3}", "{type: exponential, gamma: 0.9}"])
def test_a_schedule_without_an_end_to_fill_in_stays_as_it_is(resolved, schedule):
    """Nothing is added to it."""
    assert set(resolved(f"schedule={schedule}").schedule.model_dump()) <= {"type", "every", "gamma"}


def test_what_is_not_asked_for_is_not_there(resolved):
    """Without their sections there is neither a schedule nor clipping."""
    spec = resolved()
    assert spec.schedule is None
    assert spec.clipping is None


def test_resolving_twice_changes_nothing(resolved):
    """A resolved spec is its own resolution, as readers of a run rely on."""
    from nncli.experiment.defaults import resolve

    spec = resolved(WARM_COSINE, "training.batch_size=16", "metrics=[accuracy]")
    assert resolve(spec) == spec


def test_models_are_made_of_the_components_that_are_used(workdir):
    """Of all that are registered, only those that a spec names, or is completed with, have their signatures read."""
    done = subprocess.run([sys.executable, "-c", MODELS], capture_output=True, encoding="utf-8", check=True)
    used = {"spiral", "dense", "relu", "softmax", "categorical_crossentropy", "adam", "accuracy", "he", "glorot"}
    assert set(done.stdout.split()) == used
