"""The sides of a comparison: which runs and failures belong to which, and how they are called."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from nncli.analysis.comparison_sides import GroupRuns, read_groups, sides_by, sides_of, value_at
from nncli.errors import CommandLineError
from nncli.store.group_files import AxisRecord, GroupRecord
from tests.groups import make_group


def entry(number, **config):
    """A run of a trial with this config."""
    path = Path(f"group/{number:04}")
    return SimpleNamespace(run=SimpleNamespace(path=path, config=SimpleNamespace(model_dump=lambda: config)))


def given(entries, failed=(), name="group", **record):
    """A group of these runs."""
    return GroupRuns(Path(name), GroupRecord(config="", config_path="", **record), list(entries), list(failed))


def test_failures_belong_to_the_side_of_their_point():
    """With the number of seeds and folds; those of a point without a run belong to no side."""
    entries = [entry(0, loss="mse"), entry(3, loss="mse"), entry(5, loss="mae")]
    found = sides_by([given(entries, [1, 4, 6, 7, 8], seeds=[0, 1], folds=2)], ["loss"])
    assert [(side.label, len(side.entries), side.failed) for side in found] == [("mse", 2, 1), ("mae", 1, 3)]


def test_failures_of_several_groups_are_added():
    """If they have runs of the same side."""
    groups = [given([entry(0, loss="mse")], [1], name, seeds=[0, 1]) for name in "ab"]
    assert [(side.label, side.failed) for side in sides_by(groups, ["loss"])] == [("mse", 2)]


def test_groups_with_equal_names_are_called_by_their_paths():
    """Others by their names; failures are counted."""
    groups = [given([], [1, 2], name) for name in ("x/group", "y/group", "other")]
    assert [(side.label, side.failed) for side in sides_of(groups)] == [("x/group", 2), ("y/group", 2), ("other", 2)]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("optimizer.type", "sgd"),
        ("layers[0].units", 4),
        ("layers[1]", "relu"),
        ("layers[2]", None),
        ("layers[x]", None),
        ("loss.type", None),
        ("nothing", None),
    ],
)
def test_values_at_paths(key, value):
    """None where there is none."""
    config = {"optimizer": {"type": "sgd"}, "layers": [{"units": 4}, "relu"], "loss": "mse"}
    assert value_at(config, key) == value


def test_a_key_that_some_runs_lack_is_known():
    """They are a side of their own."""
    entries = [entry(0, optimizer={"type": "sgd"}), entry(1, optimizer={"type": "adam", "beta_1": 0.9})]
    assert [side.label for side in sides_by([given(entries)], ["optimizer.beta_1"])] == ["beta_1=–", "beta_1=0.9"]
    with pytest.raises(CommandLineError, match="no run has a key"):
        sides_by([given(entries)], ["optimizer.beta_2"])


def test_a_component_is_called_by_what_differs():
    """Among those of its type."""
    rates = [{"type": "sgd", "rate": 0.1, "momentum": 0}, {"type": "sgd", "rate": 0.2, "momentum": 0}, {"type": "adam"}]
    entries = [entry(number, optimizer=each) for number, each in enumerate(rates)]
    assert [side.label for side in sides_by([given(entries)], ["optimizer"])] == [
        "sgd rate=0.1",
        "sgd rate=0.2",
        "adam",
    ]


def test_lists_come_before_ranges():
    """The keys that vary over values group the runs; ranges do so if there are no lists."""
    values, limits = AxisRecord(key="loss", values=["mse"]), AxisRecord(key="seed", min=0, max=9)
    assert given([], axes=[limits, values]).axes == ["loss"]
    assert given([], axes=[limits]).axes == ["seed"]
    assert given([]).axes == []


def test_a_group_whose_trials_all_failed_has_been_started(tmp_path):
    """So it is no error that it has no runs."""
    (found,) = read_groups([make_group(tmp_path / "runs", "group", [], seeds=[0, 1], failed=[0, 1])])
    assert (found.entries, found.failed) == ([], [0, 1])
