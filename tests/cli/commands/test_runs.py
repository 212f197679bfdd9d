"""``nncli runs``: the runs in a directory with their status, metrics and differing keys."""

import csv
import errno
import hashlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from weakref import ref

import pytest

from nncli.analysis.run_list import runs_in
from nncli.store import metrics_csv
from nncli.store.group_files import FailureRecord, write_failure
from nncli.store.lock import Lock
from tests.examples import put_record
from tests.groups import search_group, seeds_group


@pytest.fixture
def runs_directory(workdir, run_cli):
    """Three finished runs, one of them with another learning rate, an interrupted run, and another directory."""
    for name, change in (("a", ()), ("b", ("optimizer.learning_rate=0.5",)), ("c", ()), ("stopped", ())):
        assert run_cli("train", "config.yaml", *change, "--name", name, "-q").code == 0
    (workdir / "runs" / "stopped" / "evaluation.json").unlink()
    (workdir / "runs" / "notes").mkdir()
    return workdir / "runs"


def listed(run_cli, *arguments):
    result = run_cli("runs", *arguments, "--json")
    assert result.code == 0, result.err
    return {run["path"].rpartition("/")[2]: run for run in json.loads(result.out)["runs"]}


@pytest.mark.slow
def test_status_of_each_run_is_listed(runs_directory, run_cli):
    """Finished, interrupted and resumable, running, damaged, diverged; other directories are not listed."""
    assert (
        run_cli("train", "config.yaml", "--name", "wild", "optimizer={type: sgd, learning_rate: 1e30}", "-q").code == 7
    )
    (runs_directory / "c" / "run.json").write_bytes(b"{")
    lock = Lock(runs_directory / "b" / "lock")
    runs = listed(run_cli)
    lock.release()
    assert {name: run["status"].partition(" at ")[0] for name, run in runs.items()} == {
        "a": "finished",
        "b": "running",
        "stopped": "not evaluated, resumable",
        "wild": "diverged",
        "c": "damaged",
    }
    assert runs["c"]["problem"].startswith("runs/c/run.json: damaged: ")


@pytest.mark.slow
def test_differing_keys_are_listed(runs_directory, run_cli):
    """Keys with the same value in most runs are left out."""
    runs = listed(run_cli)
    assert {name: run["differences"] for name, run in runs.items() if run["differences"]} == {
        "b": {"optimizer.learning_rate": 0.5}
    }
    text = run_cli("runs").out
    assert "Differences from the most frequent values:\nb: optimizer.learning_rate 0.5\n" in text
    assert re.search(r"^a +finished +30 +", text, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_narrow_terminal_leaves_out_columns_and_names_them(runs_directory, run_cli, terminal_width, width):
    """No number is folded; the metrics that do not fit are named below the table."""
    terminal_width(width)
    text = run_cli("runs").out
    assert re.search(r"^a +finished +30\b", text, re.MULTILINE)
    assert max(map(len, text.partition("Differences")[0].splitlines())) <= width
    note = "validation_accuracy): widen the terminal, or use --json"
    assert (note in " ".join(text.replace("_\n", "_").split())) == (width < 80)
    loss = json.loads(run_cli("runs", "--json").out)["runs"][0]["metrics"]["loss"]
    assert f"{loss:.4g}" in text


@pytest.mark.slow
@pytest.mark.parametrize("width", ["1", "40", "300"])
def test_pipe_gets_all_columns(runs_directory, run_cli, monkeypatch, width):
    """Whatever COLUMNS says, one line per run with all metrics."""
    monkeypatch.setenv("COLUMNS", width)
    lines = run_cli("runs").out.splitlines()
    assert lines[0].split() == ["run", "status", "epoch", "loss", "accuracy", "validation_loss", "validation_accuracy"]
    assert [len(line.split()) for line in lines[2:5]] == [7, 7, 7]


@pytest.mark.slow
def test_exact_prints_all_digits(runs_directory, run_cli):
    """The metrics of each run as in its files."""
    metrics = json.loads(run_cli("runs", "--json").out)["runs"][0]["metrics"]
    text = run_cli("runs", "--exact").out
    assert all(repr(metrics[name]) in text for name in ("loss", "accuracy", "validation_loss", "validation_accuracy"))
    assert repr(metrics["loss"]) not in run_cli("runs").out


@pytest.mark.slow
def test_sort_orders_the_runs_by_a_metric(runs_directory, run_cli):
    """The metrics are those of ``compare``, and the best run is first."""
    runs = listed(run_cli, "--sort", "validation_accuracy")
    compared = json.loads(run_cli("compare", "a", "b", "--json").out)["runs"]
    assert [runs[name]["metrics"] for name in ("a", "b")] == [run["metrics"] for run in compared]
    accuracy = [run["metrics"]["validation_accuracy"] for run in runs.values()]
    assert accuracy == sorted(accuracy, reverse=True)
    assert run_cli("runs", "--sort", "speed").code == 2


@pytest.mark.slow
@pytest.mark.parametrize("damage", [b"", b"damaged"])
def test_damaged_checkpoint_is_reported_with_the_older_one(runs_directory, run_cli, damage):
    """The run is resumable from the older checkpoint, and the damage is reported; without it the run is damaged."""
    newest, oldest = sorted((runs_directory / "stopped" / "checkpoints").iterdir(), reverse=True)
    newest.write_bytes(damage)
    run = listed(run_cli)["stopped"]
    assert run["status"] == "interrupted at epoch 0, resumable"
    assert "00000030.ckpt: the checkpoint is damaged" in run["problem"]
    oldest.write_bytes(damage)
    assert listed(run_cli)["stopped"]["status"] == "damaged"


def test_unreadable_run_is_not_damaged(runs_directory, run_cli, monkeypatch):
    """It is listed as unreadable, with the reason, and hides no other run; an unreadable directory is exit code 5."""
    refused, opened = "00000030.ckpt", os.open

    def refuse(path, *flags, **more):
        if Path(path).name == refused:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return opened(path, *flags, **more)

    monkeypatch.setattr(os, "open", refuse)
    runs = listed(run_cli)
    assert {name: run["status"] for name, run in runs.items()} == {
        **dict.fromkeys("abc", "finished"),
        "stopped": "unreadable",
    }
    assert runs["stopped"]["problem"] == "runs/stopped/checkpoints/00000030.ckpt: Input/output error"
    monkeypatch.setattr(Path, "iterdir", lambda path: refuse(refused))
    assert run_cli("runs").code == 5


def newer_format(name):
    """A record of the next format version."""
    return lambda run: (run / name).write_bytes((run / name).read_bytes().replace(b'"format": 2', b'"format": 3'))


def newer_spec(section, value):
    """A config that uses something which this version lacks."""

    def edit(run):
        record = json.loads((run / "run.json").read_bytes())
        record["spec"][section] = value(record["spec"][section])
        put_record(run / "run.json", record)

    return edit


def newer_checkpoint(run):
    """The newest checkpoint of an unfinished run has the next format version; the older one is valid."""
    (run / "evaluation.json").unlink()
    magic, body = b"nncli checkpoint 3\n", b"{}\n"
    newest = max((run / "checkpoints").iterdir())
    newest.write_bytes(magic + hashlib.sha256(magic + body).digest() + body)


def newer_checkpoint_behind_a_damaged_evaluation(run):
    """evaluation.json is damaged as well, so that training would have to be resumed."""
    newer_checkpoint(run)
    (run / "evaluation.json").write_bytes(b"{")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (newer_format("run.json"), "run.json: has format version 3"),
        (newer_format("evaluation.json"), "evaluation.json: has format version 3"),
        (newer_checkpoint, "00000030.ckpt: the checkpoint has format version 3"),
        (newer_checkpoint_behind_a_damaged_evaluation, "00000030.ckpt: the checkpoint has format version 3"),
        (newer_spec("layers", lambda layers: [*layers, {"type": "swish"}]), "run.json: uses the layer 'swish'"),
        (newer_spec("optimizer", lambda one: {**one, "warp": 1}), "run.json: uses the key spec.optimizer.warp"),
    ],
)
def test_run_of_a_newer_version_is_unsupported(runs_directory, run_cli, change, problem):
    """It is neither damaged nor interrupted, and ``train --resume`` refuses it for the same reason."""
    change(runs_directory / "a")
    run = listed(run_cli)["a"]
    assert (run["status"], problem in run["problem"]) == ("unsupported", True), run
    result = run_cli("train", "--resume", "a")
    assert (result.code, problem in result.err) == (4, True), result.err


def test_run_that_a_newer_version_trains_is_running(runs_directory, run_cli):
    """The lock says so, whatever the files are."""
    newer_format("run.json")(runs_directory / "a")
    lock = Lock(runs_directory / "a" / "lock")
    run = listed(run_cli)["a"]
    lock.release()
    assert (run["status"], "format version 3" in run["problem"]) == ("running", True)


def test_damaged_runs_hide_no_other_run(runs_directory, run_cli):
    """A dangling run.json is a damaged run, a hidden directory is none, and a damaged evaluation is resumable."""
    (runs_directory / "odd").mkdir()
    (runs_directory / "odd" / "run.json").symlink_to("nowhere")
    shutil.copytree(runs_directory / "a", runs_directory / ".hidden")
    (runs_directory / "a" / "evaluation.json").write_bytes(b"{")
    runs = listed(run_cli)
    assert set(runs) == {"a", "b", "c", "stopped", "odd"}
    assert runs["odd"]["status"] == "damaged"
    assert runs["a"]["status"] == "damaged, resumable"
    assert "evaluation.json: damaged" in runs["a"]["problem"]


def test_directory_without_runs(workdir, run_cli):
    """An empty directory gets a hint how to create a run; a missing one is exit code 2."""
    (workdir / "empty").mkdir()
    assert "no runs" in run_cli("runs", "empty").out
    assert run_cli("runs", "empty", "--json").out == '{\n  "runs": [],\n  "groups": []\n}\n'
    result = run_cli("runs", "missing")
    assert (result.code, result.err.partition(";")[0]) == (2, "missing: no such directory")


@pytest.mark.slow
def test_running_run_shows_its_epoch(workdir, run_cli):
    """While another process trains, the epoch of its last row is shown, and it is not disturbed."""
    command = [sys.executable, "-m", "nncli", "train", "config.yaml", "--name", "long"]
    command += ["training.epochs=1000000000", "training.log_every=10000", "training.early_stopping=null"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8", cwd=workdir) as process:
        try:
            assert process.stderr.readline().startswith("epoch 0/")
            assert re.search(r"long +running +\d+/1000000000 ", run_cli("runs").out)
            assert listed(run_cli)["long"]["status"] == "running"
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate()
        assert process.returncode == 143


def test_metrics_are_read_once_and_released(workdir, run_cli, monkeypatch):
    """The list holds the metrics of one run at a time, however many runs there are, and reads each file once."""
    for name in ("a", "b", "c"):
        assert run_cli("train", "config.yaml", "-q", "--name", name).code == 0
        (workdir / "runs" / name / "evaluation.json").unlink()
    parse, read, alive = metrics_csv.parse, [], []

    def counted(*arguments):
        alive.append(sum(each() is not None for each in read))
        metrics = parse(*arguments)
        read.append(ref(metrics))
        return metrics

    monkeypatch.setattr(metrics_csv, "parse", counted)
    assert [run.epoch for run in runs_in(workdir / "runs")] == [30, 30, 30]
    assert alive == [0, 0, 0]


def test_newline_in_a_name_is_sanitized(workdir, run_cli):
    """Each run has one row, whatever its name is."""
    assert run_cli("train", "config.yaml", "-q", "--name", "a").code == 0
    (workdir / "runs" / "a").rename(workdir / "runs" / "a\nb finished 1")
    assert "a�b finished 1" in run_cli("runs").out


def test_run_that_learned_nothing_is_marked(workdir, run_cli):
    """The status has the number of warnings, which are below the table; with --json the status is only ``finished``."""
    assert run_cli("train", "config.yaml", "-q", "--name", "good").code == 0
    assert run_cli("train", "config.yaml", "optimizer.learning_rate=1e-9", "-q", "--name", "slow").code == 0
    assert run_cli("train", "config.yaml", "optimizer.learning_rate=1000", "-q", "--name", "wild").code == 0
    out, documents = run_cli("runs").out, listed(run_cli)
    assert re.search(r"good +finished +30", out)
    assert re.search(r"slow +finished, 1 warning +30", out)
    assert re.search(r"wild +finished, 3 warnings +30", out)
    warnings = {name: [each["message"] for each in document["warnings"]] for name, document in documents.items()}
    assert [line for line in out.splitlines() if " warning: " in line] == [
        f"{name}: warning: {message}" for name, messages in warnings.items() for message in messages
    ]
    assert {name: len(messages) for name, messages in warnings.items()} == {"good": 0, "slow": 1, "wild": 3}
    assert {document["status"] for document in documents.values()} == {"finished"}


def test_metric_that_sorts_is_the_first_one(runs_directory, run_cli, terminal_width):
    """It is the last one that a narrow terminal leaves out."""
    terminal_width(40)
    heading = run_cli("runs", "--sort", "validation_accuracy").out.partition("─")[0]
    assert "validation_" in heading
    assert "accuracy" in heading


def test_file_is_not_a_directory_of_runs(workdir, run_cli):
    """The advice to train into it would fail."""
    result = run_cli("runs", "config.yaml")
    assert (result.code, result.err) == (2, "config.yaml: not a directory\n")


@pytest.fixture
def groups(workdir, run_cli):
    """A run, a group of three seeds of which two are trained, and a search over two optimizers with two seeds."""
    assert run_cli("train", "config.yaml", "-q", "--name", "adam").code == 0
    seeds_group(workdir, trained=2)
    search_group(workdir)
    return workdir / "runs"


def test_groups_have_one_line_each(groups, run_cli):
    """Before the runs, with the trials that have ended."""
    lines = run_cli("runs").out.splitlines()
    assert re.match(r"search +grid × 2 seeds +4 of 4 finished +best validation_accuracy 0\.\d+ ± 0\.\d+$", lines[2])
    assert re.match(r"seeds +3 seeds +2 of 3 finished +validation_accuracy 0\.\d+ ± 0\.\d+$", lines[3])
    assert [line.split()[0] for line in lines[5:8] if line] == ["run", "─" * len(lines[6]), "adam"]


@pytest.mark.parametrize("name", ["search", "runs/search", "runs/../runs/search"])
def test_trials_of_a_group_are_listed(groups, run_cli, name):
    """By the name of the group or its path; the metric of the group and the keys that vary are columns."""
    lines = run_cli("runs", name).out.splitlines()
    assert lines[0].split()[:6] == ["trial", "status", "epoch", "validation_accuracy", "seed", "type"]
    rows = [re.sub(r", \d warnings?", "", line).split() for line in lines[2:6]]
    assert [[*row[:3], *row[4:6]] for row in rows] == [
        [f"{number:04}", "finished", "30", str(number % 2), kind]
        for number, kind in enumerate(("sgd", "sgd", "adam", "adam"))
    ]
    assert list(listed(run_cli, name)) == ["0000", "0001", "0002", "0003"]


def test_name_of_a_group_is_looked_up_in_the_directory_of_runs(groups, run_cli, monkeypatch):
    """With --runs-dir, which a path cannot be combined with."""
    groups.rename("elsewhere")
    assert list(listed(run_cli, "seeds", "--runs-dir", "elsewhere")) == ["0000", "0001"]
    result = run_cli("runs", "other", "--runs-dir", "elsewhere")
    assert (result.code, "use only one of DIRECTORY and --runs-dir; elsewhere/other is not a group" in result.err) == (
        2,
        True,
    )


def test_failed_trial_is_listed_with_its_message(groups, run_cli):
    """Also if it has a run directory, which cannot be resumed."""
    write_failure(groups / "seeds", 1, FailureRecord(exit_code=3, message="no rows"))
    write_failure(groups / "seeds", 2, FailureRecord(exit_code=5, message="disk full"))
    text = run_cli("runs", "seeds").out
    assert re.search(r"^0001 +failed(, 1 warning)? +30 ", text, re.MULTILINE)
    assert re.search(r"^0002 +failed +– ", text, re.MULTILINE)
    assert "\nruns/seeds/0002: disk full\n" in text
    assert "1 of 3 finished, 2 failed" in run_cli("runs").out


def test_damaged_group_hides_no_other_run(groups, run_cli):
    """The problem is named, the trials are read all the same, and the exit code is 0."""
    (groups / "seeds" / "group.json").write_bytes(b"{")
    result = run_cli("runs")
    assert result.code == 0
    assert "seeds/group.json: damaged" in result.out
    assert re.search(r"^adam +finished", result.out, re.MULTILINE)
    assert list(listed(run_cli, "seeds")) == ["0000", "0001"]


def test_conditions_are_combined(groups, run_cli):
    """A group is listed with the trials that meet all of them."""
    text = run_cli("runs", "--where", "optimizer=sgd", "--where", "seed=1").out
    assert re.match(r"search +grid × 2 seeds +1 finished ", text.splitlines()[2])
    assert "seeds" not in text.replace("2 seeds", "")
    assert list(listed(run_cli, "search", "--where", "optimizer.type!=sgd")) == ["0002", "0003"]
    assert "no run meets the conditions" in run_cli("runs", "--where", "status=diverged").out


def test_tag_of_a_group_is_that_of_its_trials(groups, run_cli):
    """The trials are found by it; the group's line has it, too."""
    assert run_cli("note", "seeds", "--tag", "paper").code == 0
    assert run_cli("note", "adam", "the baseline", "--tag", "paper").code == 0
    text = run_cli("runs", "--where", "tag=paper").out
    assert text.endswith("Notes:\nseeds: #paper\nadam: #paper the baseline\n")
    assert "search" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--where", "optimizr.type=adam"), "no run has a metric or key 'optimizr.type'; did you mean 'optimizer"),
        (("--where", "adam"), "invalid condition 'adam': expected KEY=VALUE"),
        (("--where", "loss>low"), "invalid condition 'loss>low': 'low' is not a number"),
        (("--csv", "--json"), "use only one of --csv and --json"),
        (("--export", "tensrboard", "x"), "unknown kind of export 'tensrboard'; did you mean 'tensorboard'?"),
        (("--export", "mlflow", "localhost:5000"), "expected the address of a tracking server"),
    ],
)
def test_wrong_options_are_rejected(groups, run_cli, arguments, message):
    """With exit code 2, and what is expected."""
    result = run_cli("runs", *arguments)
    assert (result.code, message in result.err) == (2, True), result.err


def test_csv_has_one_line_per_run(groups, run_cli):
    """The trials of groups are included, by their paths; values are at full precision."""
    rows = list(csv.DictReader(io.StringIO(run_cli("runs", "--csv").out)))
    trials = [*(f"search/{number:04}" for number in range(4)), "seeds/0000", "seeds/0001"]
    assert [row["run"] for row in rows] == ["adam", *trials]
    assert [row["optimizer.type"] for row in rows] == ["adam", "sgd", "sgd", "adam", "adam", "adam", "adam"]
    recorded = listed(run_cli, "search")["0002"]["metrics"]
    assert {name: float(rows[3][name]) for name in recorded} == recorded


def test_sort_orders_runs_and_groups(groups, run_cli):
    """By a metric the best are first; by a key of the config the smallest."""
    accuracy = [run["metrics"]["accuracy"] for run in listed(run_cli, "search", "--sort", "accuracy").values()]
    assert accuracy == sorted(accuracy, reverse=True)
    assert list(listed(run_cli, "search", "--sort", "seed")) == ["0000", "0002", "0001", "0003"]
    means = [group["result"]["mean"] for group in json.loads(run_cli("runs", "--sort", "loss", "--json").out)["groups"]]
    assert means == sorted(means)


def test_export_to_tensorboard_honors_conditions(groups, run_cli):
    """A second export changes nothing; a damaged run is skipped."""
    assert run_cli("runs", "--export", "tensorboard", "events", "--where", "optimizer=sgd").out == (
        "events: runs: 2 created, 0 updated, 0 unchanged\n"
    )
    assert sorted(path.name for path in Path("events").iterdir()) == ["search"]
    (groups / "adam" / "run.json").write_bytes(b"{")
    result = run_cli("runs", "--export", "tensorboard", "events")
    assert result.out == "events: runs: 4 created, 0 updated, 2 unchanged, 1 skipped\n"
    assert result.err.startswith("not exported: runs/adam/run.json: damaged")


def test_export_fails_with_exit_code_5(groups, run_cli):
    """A directory that cannot be created, and a server that does not answer."""
    Path("file").touch()
    assert run_cli("runs", "--export", "tensorboard", "file").code == 5
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        result = run_cli("runs", "--export", "mlflow", f"http://127.0.0.1:{free.getsockname()[1]}")
    assert (result.code, "MLflow server not reachable: Connection refused; start one" in result.err) == (5, True)
