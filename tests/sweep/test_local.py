"""Workers in processes of this machine: the same bytes, whatever their number, and whatever ends them."""

import os
import signal
import subprocess
import sys
import time

import pytest

from nncli.errors import InterruptionError, RunError
from nncli.store.group_files import AxisRecord, failures, trial_paths
from nncli.store.lock import is_locked
from nncli.sweep import local
from nncli.sweep.error_report import ErrorReport
from nncli.sweep.local import work_locally
from nncli.sweep.worker import Ending, work
from nncli.training.loop import never
from tests.conftest import ROOT
from tests.sweep.groups import THREADS, contents, group_in, hidden

pytestmark = pytest.mark.slow

LONG = {"overrides": ["training.epochs=12000", "training.log_every=4000", "training.checkpoint_seconds=0.05"]}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The files of a group that this process has trained."""
    plan = group_in(tmp_path_factory.mktemp("reference"))
    work(plan)
    return contents(plan.directory)


@pytest.fixture(scope="module")
def long_reference(tmp_path_factory):
    """Likewise of a group whose trials take longer."""
    plan = group_in(tmp_path_factory.mktemp("reference"), **LONG)
    work(plan)
    return contents(plan.directory)


@pytest.mark.parametrize("jobs", [1, 3, 8])
def test_results_do_not_depend_on_the_number_of_workers(tmp_path, reference, jobs):
    """Every file equals the serial one byte for byte, and each trial is trained once."""
    plan, reports = group_in(tmp_path), []
    assert work_locally(plan, jobs, never, reports.append) is Ending.FINISHED
    assert sorted(each.number for each in reports if each.state == "finished" and each.is_new) == list(range(6))
    assert contents(plan.directory) == reference
    assert not hidden(plan.directory)


def test_a_search_does_not_depend_on_the_number_of_workers(tmp_path):
    """Each computes the same points from what has ended before."""
    pytest.importorskip("optuna")
    rates = AxisRecord(key="optimizer.learning_rate", min=1e-4, max=0.1, log=True)
    found = []
    for jobs in (1, 3):
        changes = {"method": "tpe", "trials": 8, "batch": 4, "seeds": [], "vary": []}
        plan = group_in(tmp_path, f"group-{jobs}", axes=[rates], **changes)
        assert work_locally(plan, jobs, never, lambda progress: None) is Ending.FINISHED
        found.append(contents(plan.directory))
    assert found[0] == found[1]
    assert sum(name.endswith("evaluation.json") for name in found[0]) == 8


def test_one_worker_is_this_process(tmp_path, monkeypatch):
    """No process is started for it."""
    monkeypatch.setattr(subprocess, "Popen", None)
    monkeypatch.setattr(os, "fork", None)
    assert work_locally(group_in(tmp_path), 1, never, lambda progress: None) is Ending.FINISHED


def children():
    """The processes that this one has started, and that work on a group."""
    listed = subprocess.run(
        ["pgrep", "-P", str(os.getpid()), "-f", "spawn_main"], capture_output=True, encoding="utf-8", check=False
    )
    return [int(line) for line in listed.stdout.split()]


def test_a_stop_ends_all_workers_after_a_checkpoint(tmp_path, long_reference):
    """The group is continued with another number of workers, to the same bytes."""
    plan, reports = group_in(tmp_path, **LONG), []
    has_begun = lambda: bool(reports)  # noqa: E731
    assert work_locally(plan, 2, has_begun, reports.append) is Ending.STOPPED
    assert not children()
    assert "stopped" in {each.state for each in reports}
    assert not any(is_locked(path / "lock") for path in trial_paths(plan.directory))
    assert work_locally(plan, 3, never, reports.append) is Ending.FINISHED
    assert contents(plan.directory) == long_reference


def test_a_killed_worker_loses_nothing(tmp_path, long_reference):
    """The other one resumes its trial."""
    plan, killed = group_in(tmp_path, **LONG), []

    def kill_once(progress):
        if progress.part > 0 and not killed:
            killed.append(children()[0])
            os.kill(killed[0], signal.SIGKILL)

    assert work_locally(plan, 2, never, kill_once) is Ending.FINISHED
    assert killed
    assert contents(plan.directory) == long_reference


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_the_end_of_all_workers_is_an_error(tmp_path, long_reference, signum):
    """It names the signal; the group can be continued."""
    plan, killed = group_in(tmp_path, **LONG), []

    def kill(progress):
        if progress.part > 0 and not killed:
            killed.extend(children())
            for process in killed:
                os.kill(process, signum)

    with pytest.raises(InterruptionError, match=f"all workers were ended by {signum.name}") as error:
        work_locally(plan, 2, never, kill)
    assert error.value.exit_code == 128 + signum
    assert len(killed) == 2
    assert work_locally(plan, 2, never, lambda progress: None) is Ending.FINISHED
    assert contents(plan.directory) == long_reference


def test_workers_that_cannot_start_are_an_error(tmp_path, monkeypatch):
    """It has their exit code; they have printed why."""
    monkeypatch.setattr(local, "run_worker", sys.exit)  # which takes no two arguments
    with pytest.raises(RuntimeError, match="all workers ended with exit code 1 before they began"):
        work_locally(group_in(tmp_path), 2, never, lambda progress: None)


DRIVER = """
import sys
from pathlib import Path
from nncli.store.group_files import read_group
from nncli.sweep.local import work_locally
from nncli.sweep.plan import Plan

if __name__ == "__main__":
    group = Path(sys.argv[1])
    work_locally(Plan(read_group(group), group), 2, lambda: False, lambda progress: print(progress.part, flush=True))
"""


def test_workers_end_with_the_process_that_started_them(tmp_path, long_reference):
    """If it is killed, they stop after a checkpoint, so that all locks are free."""
    plan = group_in(tmp_path, **LONG)
    (tmp_path / "driver.py").write_text(DRIVER, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "driver.py"), str(plan.directory)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, encoding="utf-8") as driver:
        while float(driver.stdout.readline()) == 0:
            pass
        driver.kill()
        driver.wait()
    until = time.monotonic() + 60
    while any(is_locked(path / "lock") for path in trial_paths(plan.directory)) and time.monotonic() < until:
        time.sleep(0.05)
    left = [path for path in trial_paths(plan.directory) if not (path / "evaluation.json").exists()]
    assert left
    assert not any(is_locked(path / "lock") for path in left)
    assert work(plan) is Ending.FINISHED
    assert contents(plan.directory) == long_reference


@pytest.mark.parametrize("seconds", [0, 0.1, 0.3])
def test_workers_leave_ctrl_c_to_the_process_that_started_them(tmp_path, capfd, seconds):
    """From their first moment: a terminal sends it to all of them, and none prints a traceback."""
    endless = {"overrides": ["training.epochs=1000000", *LONG["overrides"][1:]]}
    plan, asked = group_in(tmp_path, **endless), []

    def interrupt():
        started = children()
        if len(started) == 2 and not asked:
            time.sleep(seconds)
            for process in started:
                os.kill(process, signal.SIGINT)
            asked.append(True)
        return bool(asked)

    assert work_locally(plan, 2, interrupt, lambda progress: None) is Ending.STOPPED
    assert capfd.readouterr() == ("", "")


def test_a_failure_is_recorded_by_any_worker(tmp_path):
    """As in this process."""
    plan, reports = group_in(tmp_path, axes=[THREADS]), []
    assert work_locally(plan, 2, never, reports.append) is Ending.FINISHED
    assert sorted(failures(plan.directory)) == [3, 4, 5]
    assert {each.number for each in reports if each.state == "failed"} == {3, 4, 5}


def test_an_error_of_a_worker_is_that_of_the_command(tmp_path):
    """The others are stopped, and the class gives the exit code."""
    plan = group_in(tmp_path)
    (plan.directory / "group.json").write_bytes(b"damaged")
    with pytest.raises(RunError, match=r"group\.json: damaged"):
        work_locally(plan, 2, never, lambda progress: None)


def test_errors_keep_their_exit_codes():
    """Whatever is no error of nncli is a bug, with its traceback."""
    for code in (2, 3, 4, 5, 6):
        assert ErrorReport(code, "text").error().exit_code == code
    assert isinstance(ErrorReport(1, "Traceback").error(), RuntimeError)
