"""A group on a Dask cluster of processes: the same bytes; lost workers lose nothing; errors are clear."""

import os
import signal
import socket
import threading
import time

import pytest

from nncli.errors import CommandLineError, MissingExtraError, StorageError
from nncli.store.group_files import failures, trial_paths
from nncli.store.lock import is_locked
from nncli.sweep import dask_cluster
from nncli.sweep.dask_cluster import address_of, work_on_cluster
from nncli.sweep.worker import Ending, work
from nncli.training.loop import never
from tests.sweep.groups import RATES, THREADS, contents, group_in, hidden

distributed = pytest.importorskip("distributed")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # those of distributed

LONG = {"overrides": ["training.epochs=3000", "training.log_every=1000", "training.checkpoint_seconds=0.05"]}


@pytest.fixture
def cluster():
    """A cluster of two processes."""
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(processes=True, **options) as found:
        yield found


def engine_of(cluster):
    """The engine that the command line would name."""
    return cluster.scheduler_address.replace("tcp://", "dask://")


def processes(cluster):
    """The ids of the processes that train."""
    return [worker.process.process.pid for worker in cluster.workers.values()]


def test_results_equal_those_of_one_process(tmp_path, cluster):
    """Every file, and what is reported."""
    reference, plan, reports = group_in(tmp_path, "reference"), group_in(tmp_path), []
    work(reference)
    assert work_on_cluster(plan, engine_of(cluster), never, reports.append) is Ending.FINISHED
    ended = [each for each in reports if each.state == "finished"]
    assert sorted(each.number for each in ended) == list(range(6))
    assert all(each.value is not None and each.is_new for each in ended)
    assert contents(plan.directory) == contents(reference.directory)
    assert not hidden(plan.directory)
    again = []
    assert work_on_cluster(plan, engine_of(cluster), never, again.append) is Ending.FINISHED
    assert not any(each.is_new for each in again)


def test_the_trial_of_a_lost_worker_is_resumed(tmp_path, cluster):
    """By another worker, after the process is killed; the cluster starts a new one."""
    reference, plan, killed = group_in(tmp_path, "reference", **LONG), group_in(tmp_path, **LONG), []
    work(reference)

    def kill_once(progress):
        if progress.part > 0 and not killed:
            killed.append(processes(cluster)[0])
            os.kill(killed[0], signal.SIGKILL)

    assert work_on_cluster(plan, engine_of(cluster), never, kill_once) is Ending.FINISHED
    assert killed
    assert contents(plan.directory) == contents(reference.directory)


def test_a_stop_is_passed_on(tmp_path, cluster):
    """The trials on the cluster write a checkpoint; a worker on this machine continues the group."""
    longer = {"overrides": ["training.epochs=9000", *LONG["overrides"][1:]], "seeds": [0]}
    reference, plan, reports = group_in(tmp_path, "reference", **longer), group_in(tmp_path, **longer), []
    work(reference)
    has_begun = lambda: bool(reports)  # noqa: E731
    assert work_on_cluster(plan, engine_of(cluster), has_begun, reports.append) is Ending.STOPPED
    assert "stopped" in {each.state for each in reports}
    until = time.monotonic() + 60
    while any(is_locked(path / "lock") for path in trial_paths(plan.directory)) and time.monotonic() < until:
        time.sleep(0.05)
    assert work(plan) is Ending.FINISHED
    assert contents(plan.directory) == contents(reference.directory)


def test_failures_and_divergences_are_results(tmp_path, cluster):
    """As in one process, with max_failures too."""
    plan, reports = group_in(tmp_path, axes=[THREADS, RATES], seeds=[], vary=[], overrides=["optimizer.type=sgd"]), []
    assert work_on_cluster(plan, engine_of(cluster), never, reports.append) is Ending.FINISHED
    states = {each.number: each.state for each in reports}
    assert states == {0: "finished", 1: "diverged", 2: "failed", 3: "failed"}
    assert sorted(failures(plan.directory)) == [2, 3]
    limited = group_in(tmp_path, "limited", axes=[THREADS], max_failures=1)
    assert work_on_cluster(limited, engine_of(cluster), never, reports.append) is Ending.TOO_MANY_FAILURES


def test_a_local_worker_helps(tmp_path, cluster):
    """A trial that another process trains is left alone."""
    reference, plan, reports = group_in(tmp_path, "reference"), group_in(tmp_path), []
    work(reference)
    helper = threading.Thread(target=work, args=(plan,))
    helper.start()
    assert work_on_cluster(plan, engine_of(cluster), never, reports.append) is Ending.FINISHED
    helper.join()
    assert contents(plan.directory) == contents(reference.directory)


def test_a_missing_scheduler_is_reported_within_seconds(tmp_path):
    """With what starts one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        engine = f"dask://127.0.0.1:{free.getsockname()[1]}"
    started = time.monotonic()
    with pytest.raises(StorageError, match=rf"^{engine}: no scheduler answers .*; start one with 'dask scheduler'$"):
        work_on_cluster(group_in(tmp_path), engine, never, lambda progress: None)
    assert time.monotonic() - started < 60


def test_a_worker_that_does_not_see_the_group_is_reported(tmp_path, cluster, monkeypatch):
    """Before any trial is submitted."""
    plan = group_in(tmp_path)
    plan.directory.rename(tmp_path / "moved")
    with pytest.raises(StorageError, match=r"does not see .*group; use a directory that all machines of the cluster"):
        work_on_cluster(plan, engine_of(cluster), never, lambda progress: None)
    monkeypatch.setattr(dask_cluster, "__version__", "99.0")
    with pytest.raises(StorageError, match=r"has nncli .*, and this is 99\.0; install one"):
        work_on_cluster(group_in(tmp_path), engine_of(cluster), never, lambda progress: None)


@pytest.mark.parametrize("engine", ["dask://host", "ray://host:1", "host:8786", "dask://:8786", "dask://host:port"])
def test_an_invalid_engine_is_reported(engine):
    """With the form that is expected."""
    with pytest.raises(CommandLineError, match=rf"--engine {engine}: write .* dask://HOST:PORT"):
        address_of(engine)


def test_the_extra_is_named(tmp_path, monkeypatch):
    """If the package is not installed."""
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'nncli\[cluster\]'"):
        work_on_cluster(group_in(tmp_path), "dask://127.0.0.1:1", never, lambda progress: None)
