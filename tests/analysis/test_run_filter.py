"""Conditions on runs: how they are written, what they mean, and keys that no run has."""

from pathlib import Path

import pytest

from nncli.analysis.run_filter import Condition, matching, sorted_listings
from nncli.analysis.run_list import RunListing
from nncli.errors import CommandLineError
from nncli.store.run_status import RunProgress, RunStatus


def run(name, status=RunStatus.FINISHED, **fields):
    return RunListing(Path("runs") / name, RunProgress(status), **fields)


RUNS = [
    run(
        "a",
        epoch=30,
        metrics={"loss": 0.5, "validation_accuracy": 0.9},
        config={"optimizer.type": "adam", "layers[0].units": 8, "training.clip": True},
        tags=["paper", "x"],
    ),
    run(
        "b",
        epoch=20,
        metrics={"loss": 0.25, "validation_accuracy": 0.8},
        config={"optimizer.type": "sgd", "layers[0].units": 16, "training.clip": False, "seed": 1},
        note="text",
    ),
    run("0003", RunStatus.DIVERGED),
]


def names(runs):
    return [each.path.name for each in runs]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("status=finished", ["a", "b"]),
        ("status!=finished", ["0003"]),
        ("status=diverged", ["0003"]),
        ("optimizer.type=adam", ["a"]),
        ("optimizer=adam", ["a"]),
        ("optimizer!=adam", ["b", "0003"]),
        ("layers[0].units=8", ["a"]),
        ("layers[0].units==8.0", ["a"]),
        ("layers[0].units>8", ["b"]),
        ("layers[0].units>=8", ["a", "b"]),
        ("validation_accuracy>0.8", ["a"]),
        ("validation_accuracy >= 0.8", ["a", "b"]),
        ("validation_accuracy<0.9", ["b"]),
        ("loss<=0.25", ["b"]),
        ("epoch>20", ["a"]),
        ("training.clip=true", ["a"]),
        ("training.clip=1", []),
        ("seed=1", ["b"]),
        ("seed!=1", ["a", "0003"]),
        ("tag=paper", ["a"]),
        ("tag!=paper", ["b", "0003"]),
        ("note=text", ["b"]),
        ("name=0003", ["0003"]),
        ("name=3", []),
        ("name=a", ["a"]),
        ("optimizer.type>1", []),
    ],
)
def test_condition_selects_runs(text, expected):
    """Numbers are compared as numbers, and a value that a run does not have differs from any other."""
    assert names(matching(RUNS, [Condition.parse(text)])) == expected


def test_all_conditions_have_to_hold():
    """Two conditions on one key are a range."""
    assert names(matching(RUNS, [Condition.parse("loss>0.2"), Condition.parse("loss<0.4")])) == ["b"]


@pytest.mark.parametrize("text", ["", "adam", "=adam", "loss>", "loss>low", "loss<true", "a b=c"])
def test_other_texts_are_rejected(text):
    """A key without a value, and an order of something that is no number."""
    with pytest.raises(CommandLineError, match="invalid condition"):
        Condition.parse(text)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("optimizr", "no run has a metric or key 'optimizr'; did you mean 'optimizer'?"),
        ("val_accuracy", "did you mean 'validation_accuracy'?"),
        ("zzz", "no run has a metric or key 'zzz'; known: epoch, loss, name, note, status, tag, validation_accuracy"),
    ],
)
def test_unknown_key_is_rejected(key, message):
    """With a similar one, for conditions and for sorting; a list without runs has no keys to be wrong about."""
    for action in (lambda: matching(RUNS, [Condition(key, "=", 1)]), lambda: sorted_listings(RUNS, key)):
        with pytest.raises(CommandLineError) as error:
            action()
        assert message in str(error.value)
    assert matching([], [Condition(key, "=", 1)]) == []


@pytest.mark.parametrize("text", ["status=finishd", "status!=finishd"])
def test_unknown_status_is_rejected(text):
    """A typing error does not select nothing, or everything."""
    with pytest.raises(CommandLineError, match=r"^unknown status 'finishd'; did you mean 'finished'\?$"):
        matching(RUNS, [Condition.parse(text)])
    assert matching(RUNS, [Condition.parse("status=not evaluated")]) == []


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("loss", ["b", "a", "0003"]),
        ("validation_accuracy", ["a", "b", "0003"]),
        ("epoch", ["b", "a", "0003"]),
        ("optimizer", ["a", "b", "0003"]),
        ("seed", ["b", "a", "0003"]),
        ("name", ["0003", "a", "b"]),
        ("status", ["0003", "a", "b"]),
    ],
)
def test_runs_are_sorted(key, expected):
    """Best first by a metric, smallest first by another value, and those without it last."""
    assert names(sorted_listings(RUNS, key)) == expected


def test_numbers_are_before_texts():
    """Of a key that has both."""
    mixed = [run(str(index), config={"rate": value}) for index, value in enumerate(["b", 2, "a", 10, None])]
    assert names(sorted_listings(mixed, "rate")) == ["1", "3", "2", "0", "4"]


def test_a_text_may_look_like_a_number():
    """As the name of a trial, or a note."""
    runs = [run("10", note="0.5"), run("11", note="half")]
    for text in ("name=10", "name!=11", "note=0.5", "note!=half"):
        assert names(matching(runs, [Condition.parse(text)])) == ["10"]
