"""The files of a group of runs: written whole, read back, and rejected when damaged."""

import subprocess
import sys

import pytest

from nncli.errors import BusyError, RunError, UnsupportedVersionError
from nncli.store.group_files import (
    AxisRecord,
    FailureRecord,
    GroupRecord,
    create_group,
    failures,
    is_group,
    read_group,
    runs_of,
    trial_name,
    trial_paths,
    write_failure,
)
from nncli.store.lock import is_locked
from tests.conftest import ROOT

RECORD = GroupRecord(
    config="seed: 0\n",
    config_path="../config.yaml",
    axes=[AxisRecord(key="optimizer.type", values=["sgd", "adam"]), AxisRecord(key="seed", min=0, max=9, step=1)],
    seeds=[0, 1],
)
OPTIMIZERS, REPEATS = RECORD.axes
RATES = AxisRecord(key="optimizer.learning_rate", min=0.1, max=0.3, step=0.1)  # 0.3 - 0.1 < 0.2
UNITS = AxisRecord(key="layers[0].units", min=8, max=64)
REAL = AxisRecord(key="optimizer.learning_rate", min=1e-4, max=1e-1, log=True)


@pytest.mark.parametrize(
    ("values", "points", "planned"),
    [
        ({}, 1, 1),
        ({"seeds": [3, 4, 5]}, 1, 3),
        ({"folds": 5}, 1, 5),
        ({"seeds": [0, 1], "folds": 5}, 1, 10),
        ({"axes": [OPTIMIZERS, REPEATS]}, 20, 20),
        ({"axes": [OPTIMIZERS, RATES], "seeds": [0, 1]}, 6, 12),
        ({"axes": [UNITS], "method": "halving"}, 57, 57),
        ({"axes": [REAL]}, None, None),
        ({"axes": [REAL], "method": "random", "trials": 20, "seeds": [0, 1]}, 20, 40),
    ],
)
def test_planned_trials_are_points_times_replicates(values, points, planned):
    """A range of integers has all of them as values; one of real numbers without steps has no number of points."""
    record = GroupRecord(config="", config_path="", **values)
    assert (record.points, record.planned) == (points, planned)


def test_a_range_with_a_real_step_is_not_one_of_integers():
    """Also if its limits are integers."""
    assert not AxisRecord(key="k", min=0, max=1, step=0.5).is_integer
    assert AxisRecord(key="k", min=0, max=2, step=1).is_integer


@pytest.mark.parametrize("values", [{}, {"min": 1}, {"min": 2, "max": 1}, {"min": 1, "max": 2, "step": 0}])
def test_an_axis_has_values_or_a_range(tmp_path, values):
    """A group.json in which an axis has neither is damaged; what counts the values relies on it."""
    record = GroupRecord(config="", config_path="", axes=[AxisRecord(key="k", **values)])
    path = create_group(tmp_path, "group", record, is_numbered=False)
    with pytest.raises(RunError, match=r"group.json: damaged: .*k has neither values nor a range"):
        read_group(path)


def test_a_group_is_read_as_it_was_written(tmp_path):
    """Every key of group.json survives, and so does the order of the axes."""
    path = create_group(tmp_path, "group", RECORD, is_numbered=False)
    assert is_group(path)
    assert read_group(path) == RECORD
    assert not is_locked(path / "lock")


def test_a_name_is_taken_once(tmp_path):
    """A second group of the same name is rejected, or numbered; nothing else is left in the directory."""
    create_group(tmp_path, "group", RECORD, is_numbered=False)
    with pytest.raises(BusyError, match="group: already exists"):
        create_group(tmp_path, "group", RECORD, is_numbered=False)
    assert [path.name for path in tmp_path.iterdir()] == ["group"]
    assert create_group(tmp_path, "group", RECORD, is_numbered=True).name == "group-2"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["group", "group-2"]


def test_a_damaged_group_is_reported(tmp_path):
    """A changed byte fails the checksum; a newer format names the version."""
    path = create_group(tmp_path, "group", RECORD, is_numbered=False)
    content = (path / "group.json").read_text()
    (path / "group.json").write_text(content.replace("adam", "adan"))
    with pytest.raises(RunError, match=r"group.json: damaged: checksum mismatch"):
        read_group(path)
    (path / "group.json").write_text(content.replace('"format": 2', '"format": 99'))
    with pytest.raises(UnsupportedVersionError, match=r"group\.json: has format version 99"):
        read_group(path)


def test_trials_and_failures_are_listed_by_number(tmp_path):
    """Only directories whose names are numbers are trials, and 10000 comes after 9999."""
    path = create_group(tmp_path, "group", RECORD, is_numbered=False)
    for name in ("10000", "9999", "0001", "notes"):
        (path / name).mkdir()
    for name in ("._0007", "0007 (copy)", "2"):
        (path / f"{name}.failed.json").write_text("of another program")
    for number in (12, 7):
        write_failure(path, number, FailureRecord(exit_code=3, message="no rows"))
    assert [trial.name for trial in trial_paths(path)] == ["0001", "9999", "10000"]
    assert list(failures(path).items()) == [
        (number, FailureRecord(exit_code=3, message="no rows")) for number in (7, 12)
    ]
    assert trial_name(7) == "0007"
    assert runs_of([path, tmp_path / "run"]) == [*trial_paths(path), tmp_path / "run"]


def test_a_killed_process_leaves_no_half_failure(tmp_path):
    """What it was about to write is removed by the next one that writes."""
    path = create_group(tmp_path, "group", RECORD, is_numbered=False)
    script = f"""
import os
from pathlib import Path
from nncli.store.group_files import FailureRecord, write_failure
os.fsync = lambda descriptor: os._exit(9)
write_failure(Path({str(path)!r}), 7, FailureRecord(exit_code=3, message="no rows"))
"""
    assert subprocess.run([sys.executable, "-c", script], env={"PYTHONPATH": str(ROOT)}, check=False).returncode == 9
    assert failures(path) == {}
    write_failure(path, 8, FailureRecord(exit_code=3, message="no rows"))
    assert sorted(each.name for each in path.iterdir()) == ["0008.failed.json", "group.json", "lock"]
