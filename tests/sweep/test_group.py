"""Creating a group, and continuing the one that is there: what differs is listed."""

import pytest

from nncli.errors import BusyError, CommandLineError, RunError
from nncli.store.group_files import AxisRecord, trial_paths
from nncli.sweep.group import differences, is_finished, open_group
from nncli.sweep.worker import work
from tests.conftest import SPEC
from tests.sweep.groups import record

SMALL = {"seeds": [0], "overrides": ["training.epochs=2"]}


def names(directory):
    """The groups in a directory."""
    return sorted(path.name for path in directory.iterdir())


def test_an_unfinished_group_of_the_default_name_is_continued(tmp_path):
    """Until it is finished; then a new one is numbered, and that one is continued."""
    first = open_group(tmp_path, "net-sweep", record(**SMALL))
    assert (first.is_new, first.plan.directory) == (True, tmp_path / "net-sweep")
    again = open_group(tmp_path, "net-sweep", record(**SMALL))
    assert (again.is_new, again.plan.directory) == (False, tmp_path / "net-sweep")
    work(first.plan)
    assert is_finished(first.plan)
    second = open_group(tmp_path, "net-sweep", record(**SMALL))
    assert (second.is_new, second.plan.directory.name) == (True, "net-sweep-2")
    assert open_group(tmp_path, "net-sweep", record(**SMALL)).plan.directory.name == "net-sweep-2"
    assert names(tmp_path) == ["net-sweep", "net-sweep-2"]


def test_another_record_is_another_group(tmp_path):
    """Of the default name the next number is taken; neither a run nor a damaged directory is in the way."""
    (tmp_path / "net-sweep").mkdir()
    open_group(tmp_path, "net-sweep", record(**SMALL))
    open_group(tmp_path, "net-sweep", record(seeds=[5]))
    (tmp_path / "net-sweep-3" / "group.json").write_text("{}")
    assert open_group(tmp_path, "net-sweep", record(**{**SMALL, "seeds": [1]})).plan.directory.name == "net-sweep-4"
    assert open_group(tmp_path, "net-sweep", record(**SMALL)).plan.directory.name == "net-sweep-2"


def test_a_given_name_is_continued_or_finished(tmp_path):
    """Never numbered; the version that made it does not matter."""
    first = open_group(tmp_path, "net-sweep", record(**SMALL, version="0.1.0"), "mine")
    work(first.plan)
    again = open_group(tmp_path, "net-sweep", record(**SMALL), "mine")
    assert not again.is_new
    assert is_finished(again.plan)
    assert names(tmp_path) == ["mine"]


def test_differences_are_listed(tmp_path):
    """With the values of both, and the command that continues the group that is there."""
    open_group(tmp_path, "net-sweep", record(), "mine")
    axes = [AxisRecord(key="optimizer.type", values=["sgd", "rmsprop"])]
    other = record(axes=axes, trials=3, config=SPEC.replace("units: 8", "units: 9"), seeds=list(range(200)))
    with pytest.raises(BusyError) as error:
        open_group(tmp_path, "net-sweep", other, "mine")
    first, *lines = str(error.value).splitlines()
    path = tmp_path / "mine"
    assert first == f"{path}: is another group; choose another name, or continue it with 'nncli worker {path}'"
    assert lines[0] == (
        "  config: line 5 is '  - {type: dense, units: 8}' there, and '  - {type: dense, units: 9}' here"
    )
    assert lines[1] == "  axes: optimizer.type=[sgd, adam] there, and optimizer.type=[sgd, rmsprop] here"
    assert lines[2] == "  trials: none there, and 3 here"
    assert lines[3].startswith("  seeds: [0, 1, 2] there, and [0, 1, 2, 3")
    assert lines[3].endswith("... here")
    assert all(len(line) < 300 for line in lines)


def test_differences_of_ranges_are_listed():
    """As they are written in a sweep; components as in a config, and what is absent as none."""
    rate = AxisRecord(key="optimizer.learning_rate", min=1e-4, max=0.1, log=True)
    [difference] = differences(record(axes=[rate]), record(axes=[]))
    written = "optimizer.learning_rate={min: 0.0001, max: 0.1, log: true}"
    assert difference == f"axes: {written} there, and none here"
    [difference] = differences(record(axes=[AxisRecord(key="optimizer", values=[{"type": "sgd"}])]), record(axes=[]))
    assert difference == "axes: optimizer=[{type: sgd}] there, and none here"


def test_many_differences_are_counted(tmp_path):
    """The first eight are listed."""
    changes = {
        **{"config": "x", "config_path": "y", "overrides": ["seed=1"], "axes": [], "method": "random", "seed": 2},
        **{"metric": None, "trials": 3, "seeds": [5]},
    }
    open_group(tmp_path, "net-sweep", record(), "mine")
    for other, last in ((record(**changes), "  and 1 more"), (record(**changes, folds=3), "  and 2 more")):
        with pytest.raises(BusyError) as error:
            open_group(tmp_path, "net-sweep", other, "mine")
        lines = str(error.value).splitlines()
        assert len(lines) == 10
        assert lines[8].startswith("  trials: ")
        assert lines[9] == last


def test_the_first_line_of_a_config_that_differs_is_shown():
    """Also if one config has more lines than the other, or ends without a line break."""
    short, long = record(config="loss: mse\n"), record(config="loss: mse\n\nseed: 3\n")
    assert differences(short, long) == ["config: line 3 is none there, and 'seed: 3' here"]
    assert differences(long, short) == ["config: line 3 is 'seed: 3' there, and none here"]
    assert differences(short, record(config="loss: mse")) == ["config: line 2 is '' there, and none here"]
    assert differences(short, record(config="loss: mae\n")) == [
        "config: line 1 is 'loss: mse' there, and 'loss: mae' here"
    ]


def test_a_record_equals_itself():
    """Whatever version wrote it."""
    assert not differences(record(), record(version="0.1.0", format=1))
    assert differences(record(), record(max_failures=1)) == ["max_failures: none there, and 1 here"]


def test_a_name_that_is_no_group_is_reported(tmp_path):
    """As is a damaged group, and an invalid name."""
    (tmp_path / "taken").mkdir()
    with pytest.raises(BusyError, match="taken: already exists, and is not a group; choose another name"):
        open_group(tmp_path, "net-sweep", record(), "taken")
    (tmp_path / "taken" / "group.json").write_text("{}")
    with pytest.raises(RunError, match=r"group\.json: damaged"):
        open_group(tmp_path, "net-sweep", record(), "taken")
    with pytest.raises(CommandLineError, match="invalid run name"):
        open_group(tmp_path, "net-sweep", record(), "../elsewhere")


def test_a_group_is_finished_when_every_trial_has_ended(tmp_path):
    """Not before, and not if a result was lost."""
    plan = open_group(tmp_path, "net-sweep", record(**SMALL)).plan
    assert not is_finished(plan)
    work(plan)
    assert is_finished(plan)
    (trial_paths(plan.directory)[1] / "evaluation.json").unlink()
    assert not is_finished(plan)
