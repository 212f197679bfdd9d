"""``nncli sweep``: a group of runs, its summary, what continues it, and what ends it."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from nncli.cli.commands.sweep import METHODS
from nncli.store import group_files
from nncli.sweep.search import SEARCHES
from tests.conftest import ROOT
from tests.sweep.groups import contents

SWEEP = ("sweep", "config.yaml", "optimizer=sgd,adam", "--seeds", "3", "--metric", "validation_loss")
LONG = ("training.epochs=20000", "training.log_every=5000")


def test_summary_has_a_row_for_each_point(workdir, run_cli):
    """The best one first, with the mean, the standard deviation and the number of runs; then where they are."""
    result = run_cli(*SWEEP)
    assert result.code == 0
    assert re.search(r"optimizer +validation_loss ↓ +± std +runs\n─+\nsgd +\d\.\d+ +0\.\d+ +3\nadam .* 3\n", result.out)
    assert "\ntrials: 6 finished\n6 trials trained in " in result.out
    assert result.out.endswith(
        "saved in runs/config-sweep\ncompare with: nncli compare runs/config-sweep --by optimizer\n"
    )
    assert result.err.startswith("runs/config-sweep: new group of 6 trials\ntrials 1/6  best trial validation_loss ")
    assert "trials 6/6  best trial validation_loss " in result.err


def test_two_keys_are_compared_without_by(workdir, run_cli):
    """One of them alone would mix the values of the other; ``compare`` takes both."""
    out = run_cli("sweep", "config.yaml", "optimizer=sgd,adam", "layers[0].units=2,3", "training.epochs=2").out
    assert out.endswith("compare with: nncli compare runs/config-sweep\n")


def test_a_single_run_has_no_deviation(workdir, run_cli):
    """Neither a column nor ± 0, and null in the document."""
    result = run_cli("sweep", "config.yaml", "optimizer=sgd,adam", "training.epochs=2")
    assert result.code == 0
    assert "±" not in result.out
    document = json.loads(run_cli("worker", "config-sweep", "--json").out)
    assert document["best"][0]["standard_deviation"] is None
    assert len(document["best"][0]["values"]) == 1


def test_document_has_the_best_point(workdir, run_cli):
    """With its overrides and values, which are those of its runs."""
    result = run_cli(*SWEEP, "--json")
    assert (result.code, result.err) == (0, "")
    document = json.loads(result.out)
    assert document["group"] == "runs/config-sweep"
    assert document["trials"] == {"finished": 6, "diverged": 0, "failed": 0, "left": 0}
    (best,) = document["best"]
    runs = [json.loads((workdir / f"runs/config-sweep/{n:04}/evaluation.json").read_text()) for n in range(6)]
    losses = [run["splits"]["validation"]["loss"] for run in runs]
    points = {"optimizer=sgd": losses[:3], "optimizer=adam": losses[3:]}
    assert best["values"] == points[best["overrides"][0]]
    assert best["mean"] == pytest.approx(min(sum(values) / 3 for values in points.values()))
    assert document["trained"] == 6


def test_methods_are_those_of_a_group():
    """The command line has a list of its own, so that it starts without importing the search."""
    assert METHODS == group_files.METHODS == tuple(SEARCHES)


def test_quiet_prints_the_path_only(workdir, run_cli):
    """And a finished group of this name says so."""
    assert run_cli(*SWEEP, "-q", "-n", "g") == run_cli("sweep", "--help").__class__(0, "runs/g\n", "")
    again = run_cli(*SWEEP, "-q", "-n", "g")
    assert (again.code, again.out, again.err) == (0, "runs/g\n", "runs/g: already finished\n")


def test_results_do_not_depend_on_the_number_of_workers(workdir, run_cli):
    """Byte for byte."""
    assert run_cli(*SWEEP, "-q", "-n", "one").code == 0
    assert run_cli(*SWEEP, "-q", "-n", "two", "-j", "2").code == 0
    assert contents(workdir / "runs" / "one") == contents(workdir / "runs" / "two")


def test_a_planned_group_is_left_to_workers(workdir, run_cli):
    """No trial is trained before them, and planning it again finds it."""
    for _ in range(2):
        result = run_cli(*SWEEP, "--plan")
        assert (result.code, result.err) == (0, "")
        assert result.out == "trials: 6 left\nsaved in runs/config-sweep\ntrain with: nncli worker runs/config-sweep\n"
        assert not list((workdir / "runs" / "config-sweep").glob("0*"))
    assert json.loads(run_cli(*SWEEP, "--plan", "--json").out)["trials"]["left"] == 6
    assert "trials: 6 finished\n" in run_cli("worker", "config-sweep").out
    assert [path.name for path in (workdir / "runs").iterdir()] == ["config-sweep"]


def test_failures_are_counted_with_their_reasons(workdir, run_cli):
    """The exit code stays 0, since they are results."""
    result = run_cli("sweep", "config.yaml", "training.threads=1,999", "optimizer.learning_rate=0.1,1e30")
    assert result.code == 0
    assert "\ntrials: 1 finished, 1 diverged, 2 failed\n  2× " in result.out
    assert "at most 64 threads" in result.out
    assert re.search(r"^0001 diverged: training diverged at epoch", result.err, re.MULTILINE)
    assert len(re.findall(r"^000\d failed: ", result.err, re.MULTILINE)) == 1  # each reason once


def test_too_many_failures_are_an_error(workdir, run_cli):
    """With the counts, when it is repeated too."""
    arguments = ("sweep", "config.yaml", "training.threads=999,998,997,1", "--max-failures", "1", "-n", "g")
    for _ in range(2):
        result = run_cli(*arguments)
        assert result.code == 7
        message = "runs/g: 2 failed and 0 diverged trials are more than max_failures 1; no further trial starts"
        assert result.err.endswith(f"{message}; a new group can have a larger one\n")
    assert not (workdir / "runs" / "g" / "0003").exists()


@pytest.mark.parametrize("command", [("sweep", "g", "optimizer=sgd,adam"), ("train", "g", "--seeds", "2")])
def test_a_group_is_no_config(workdir, run_cli, command):
    """Its name gives what it is, and not a similar file; a config of that name is one."""
    assert run_cli(*SWEEP, "training.epochs=2", "--plan", "-q", "-n", "g").code == 0
    result = run_cli(*command)
    assert result.code == 4
    assert result.err.startswith("runs/g: is a group ")
    (workdir / "g").write_text((workdir / "config.yaml").read_text())
    assert run_cli(*command, "training.epochs=2", "-q").code == 0


def test_other_arguments_are_not_a_continuation(workdir, run_cli):
    """The differences are listed; without a name another group is made."""
    assert run_cli(*SWEEP, "-q", "-n", "g").code == 0
    result = run_cli("sweep", "config.yaml", "optimizer=sgd", "layers[0].units=2,3", "-n", "g")
    assert result.code == 6
    assert "runs/g: is another group; choose another name, or continue it with 'nncli worker runs/g'\n" in result.err
    assert "\n  overrides: none there, and [optimizer=sgd] here\n" in result.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("-j", "2", "--engine", "dask://a:1"), 2, "--jobs is for this machine, and --engine names a cluster"),
        (("--engine", "ray://a:1"), 2, "--engine ray://a:1: write the scheduler of a Dask cluster: dask://HOST:PORT"),
        (("-j", "0"), 2, "expected an integer from 1 to 1024, got '0'"),
        (("-n", "../g"), 2, "invalid run name '../g'"),
        (("trainig.epochs=1,2",), 3, "unknown key"),
    ],
)
def test_wrong_arguments_create_nothing(workdir, run_cli, arguments, code, message):
    """Everything is checked before the group is made."""
    result = run_cli(*SWEEP, *arguments)
    assert result.code == code
    assert message in result.err
    assert not (workdir / "runs").exists()


def test_a_sweep_file_and_a_run_can_be_varied(workdir, run_cli):
    """The group of a file has its name, and that of a run the name of the run."""
    (workdir / "rates.yaml").write_text(
        "base: config.yaml\nover:\n  optimizer.learning_rate: [0.01, 0.1]\n", encoding="utf-8"
    )
    assert run_cli("sweep", "rates.yaml", "-q").out == "runs/rates\n"
    assert run_cli("train", "config.yaml", "-q", "-n", "first").code == 0
    assert run_cli("sweep", "first", "optimizer=sgd,adam", "-q").out == "runs/first-sweep\n"
    assert run_cli("sweep", "nothing", "optimizer=sgd,adam", "-q").code == 2


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_workers_and_the_same_command_goes_on(workdir, run_cli, jobs, signum):
    """With a message that names a command which continues; Ctrl-C reaches all processes of the terminal."""
    arguments = [*SWEEP, *LONG, "-j", jobs]
    command = [sys.executable, "-m", "nncli", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8", "start_new_session": True}
    with subprocess.Popen(command, env=environment, **pipes) as process:
        while not process.stderr.readline().startswith("trials 1/6"):
            pass
        if signum == signal.SIGINT:
            os.killpg(process.pid, signum)
        else:
            process.send_signal(signum)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (128 + signum, "")
    options = " -j 2" if jobs == "2" else ""
    assert re.search(
        rf"runs/config-sweep: interrupted by {signum.name}, [1-5] of 6 trials have ended; "
        rf"continue with: nncli worker runs/config-sweep{options}\n$",
        err,
    )
    assert "Traceback" not in err
    again = run_cli(*arguments)
    assert again.code == 0
    assert again.err.startswith("runs/config-sweep: continues\n")
    assert run_cli(*SWEEP, *LONG, "-q", "-n", "reference").code == 0
    assert contents(workdir / "runs" / "config-sweep") == contents(workdir / "runs" / "reference")
