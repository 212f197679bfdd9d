"""``nncli train``: what it prints, its exit codes, and what it writes."""

import json
import re

import pytest

from nncli.cli.render.format import figure
from nncli.errors import WorkerError
from nncli.processes import CAN_FORK, WorkerProcesses
from nncli.store.records import from_json
from tests.examples import BINARY, DIVIDED, LATE_TEST, SINE

NUMBERS = {"training": ["loss", "data_loss", "regularization_loss", "accuracy"], "validation": ["loss", "accuracy"]}


def test_train_prints_a_table_and_the_path_of_the_run(workdir, run_cli):
    """One row per metric and one column per split, the epochs, and the path."""
    result = run_cli("train", "config.yaml")
    evaluation = json.loads((workdir / "runs" / "config" / "evaluation.json").read_text(encoding="utf-8"))
    assert result.code == 0
    lines = [line.split() for line in result.out.splitlines() if line.strip()]
    splits, rows = lines[0], {line[0]: line[1:] for line in lines[1:]}
    assert splits == list(NUMBERS)
    for name in NUMBERS["training"]:
        metrics = [evaluation["splits"][split].get(name) for split in splits]
        assert rows[name] == ["–" if value is None else figure(value) for value in metrics]
        assert [value is not None for value in metrics] == [name in NUMBERS[split] for split in splits]
    assert "30 epochs in " in result.out
    assert result.out.splitlines()[-1] == "saved in runs/config"


@pytest.mark.slow
@pytest.mark.parametrize("epochs", [30, 1000, 1])
def test_progress_is_plain_lines_without_a_terminal(workdir, run_cli, epochs):
    """A bounded number of lines on standard error, with the first and the last epoch, and no control codes."""
    result = run_cli("train", "config.yaml", f"training.epochs={epochs}", "training.log_every=1")
    lines = result.err.splitlines()
    assert lines[0].startswith(f"epoch 0/{epochs}  loss ")
    assert lines[-1].startswith(f"epoch {epochs}/{epochs}  loss ")
    assert len(lines) <= 22 or epochs == 30
    assert "\x1b" not in result.err + result.out
    assert all("validation_accuracy" in line for line in lines)


def test_epoch_of_the_restored_weights_is_printed(workdir, run_cli):
    """After early stopping: the epochs trained, and the epoch of the weights."""
    result = run_cli("train", "config.yaml", "training.early_stopping={metric: loss, min_delta: 100, patience: 20}")
    stopped = "stopped early at epoch 20: loss no better by more than 100 for 20 epochs"
    assert f"\n{stopped}; weights of epoch 0 (untrained) restored\n20 epochs in " in result.out


def test_only_the_epochs_of_the_command_are_counted(workdir, run_cli):
    """A resume counts those after the epoch that it begins with, and mentions none if it has nothing to train."""
    assert "30 epochs in " in run_cli("train", "config.yaml").out
    assert re.search(r"\n\n20 epochs in [\d.]+ s\n", run_cli("train", "--resume", "config", "training.epochs=50").out)
    (workdir / "runs" / "config" / "evaluation.json").unlink()
    for _ in ("only the evaluation is missing", "finished"):
        result = run_cli("train", "--resume", "config")
        assert (result.code, result.out.splitlines()[-2:]) == (0, ["", "saved in runs/config"])
        assert "epochs in" not in result.out


def test_values_that_change_with_an_overridden_type_are_printed_once(workdir, run_cli):
    """On standard error, before the progress; not with --quiet or --json."""
    note = "optimizer: sgd, with its default learning_rate 1.0 instead of 0.05"
    assert run_cli("train", "config.yaml", "optimizer=sgd").err.splitlines()[0] == note
    assert run_cli("train", "config.yaml", "optimizer=sgd", "--quiet").err == ""
    result = run_cli("train", "config.yaml", "optimizer=sgd", "--json")
    assert (note in result.err, json.loads(result.out)["run"]) == (False, "runs/config-3")


def test_quiet_prints_the_path_only(workdir, run_cli):
    """One line, for a shell variable."""
    for name in ("config", "config-2"):
        result = run_cli("train", "config.yaml", "--quiet")
        assert (result.code, result.out, result.err) == (0, f"runs/{name}\n", "")


@pytest.mark.parametrize("option", ["--quiet", "--json"])
def test_watch_needs_a_progress_to_be_shown(workdir, run_cli, option):
    """With an option that shows none, --watch would do nothing."""
    result = run_cli("train", "config.yaml", "--watch", option)
    assert result.code == 2
    assert f"--watch draws the training, and {option} shows no progress" in result.err


def test_watched_training_in_a_pipe_prints_the_same_lines(workdir, run_cli):
    """The panel is for a terminal."""
    assert run_cli("train", "config.yaml", "--watch").err == run_cli("train", "config.yaml").err


def test_json_is_one_document(workdir, run_cli):
    """Standard output is evaluation.json with path and time; standard error is empty."""
    result = run_cli("train", "config.yaml", "--json")
    document = json.loads(result.out)
    evaluation = from_json((workdir / "runs" / "config" / "evaluation.json").read_bytes())
    assert result.err == ""
    assert document.pop("seconds") >= 0
    assert document == {"run": "runs/config", **evaluation}


def test_overrides_are_recorded(workdir, run_cli):
    """A value on the command line is the one in the config of the run."""
    assert run_cli("train", "config.yaml", "training.epochs=3", "layers[0].units=5", "-q").code == 0
    spec = json.loads((workdir / "runs" / "config" / "run.json").read_text(encoding="utf-8"))["spec"]
    assert (spec["training"]["epochs"], spec["layers"][0]["units"]) == (3, 5)


def test_runs_option_is_the_directory_of_the_runs(workdir, run_cli):
    """Missing directories are created."""
    assert run_cli("train", "config.yaml", "-q", "--runs-dir", "a/b", "--name", "c").out == "a/b/c\n"
    assert (workdir / "a" / "b" / "c" / "evaluation.json").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing.yaml"], 2, "nothing.yaml: no such file"),
        (["."], 2, ".: is a directory"),
        (["config.yaml", "seed"], 2, "invalid override 'seed'"),
        (["config.yaml", "--name", "a/b"], 2, "invalid run name 'a/b'"),
        (["config.yaml", "seed=-1"], 3, "command line:1:6: seed: must be at least 0, got -1"),
        (["config.yaml", "layers[0].unit=3"], 3, "unknown key 'unit'; did you mean 'layers[0].units=3'?"),
        (
            ["config.yaml", "--runs-dir", "config.yaml"],
            5,
            "config.yaml: choose another directory with --runs-dir, this one cannot be created: File",
        ),
        (["config.yaml", "optimizer={type: sgd, learning_rate: 1e30}"], 7, "training diverged at epoch 1: "),
        pytest.param(
            ["config.yaml", *(f"layers[{index}].initializer={{type: normal, scale: 1e30}}" for index in (0, 2))],
            7,
            "training diverged at epoch 0: ",
        ),
        pytest.param(
            ["config.yaml", "--runs-dir", "a" * 300, "--name", "x"],
            5,
            "File name too long",
        ),
    ],
)
def test_failures_have_exit_codes_and_messages(workdir, run_cli, arguments, code, message):
    """Each is reported on standard error, in a line that says where."""
    result = run_cli("train", *arguments, "--quiet")
    assert (result.code, result.out) == (code, "")
    assert message in result.err
    assert "Warning" not in result.err


def test_failure_with_json_prints_the_error_as_json(workdir, run_cli):
    """A reader of JSON gets one document, and standard error has the same message."""
    result = run_cli("train", "config.yaml", "optimizer={type: sgd, learning_rate: 1e30}", "--json")
    assert result.code == 7
    assert json.loads(result.out) == {
        "error": {"message": result.err.rstrip("\n"), "exit_code": 7, "run": "runs/config"}
    }
    assert result.err.startswith("training diverged at epoch 1: ")


def test_exact_prints_all_digits(workdir, run_cli):
    """Those of evaluation.json."""
    out = run_cli("train", "config.yaml", "--exact").out
    evaluation = json.loads((workdir / "runs" / "config" / "evaluation.json").read_text(encoding="utf-8"))
    assert all(repr(value) in out for metrics in evaluation["splits"].values() for value in metrics.values())


@pytest.mark.parametrize(
    ("changes", "metrics", "splits"),
    [
        (
            SINE,
            ["r2", "mean_absolute_error", "root_mean_squared_error", "regression_accuracy"],
            ["training", "validation"],
        ),
        (BINARY, ["accuracy", "precision", "recall", "f1", "auc"], ["training", "validation"]),
        (("metrics=[]", "validation=null"), [], ["training"]),
        (LATE_TEST, ["accuracy"], ["training", "validation", "test"]),
    ],
)
def test_table_has_the_metrics_of_the_task(workdir, run_cli, changes, metrics, splits):
    """One row per metric, one column per split, in the order in which they are measured."""
    result = run_cli("train", "config.yaml", *changes)
    assert result.code == 0
    lines = [line.split() for line in result.out.splitlines() if line.strip()]
    assert lines[0] == splits
    names = ["loss", "data_loss", "regularization_loss", *metrics]
    assert [line[0] for line in lines[2 : 2 + len(names)]] == names
    assert all(len(line) == 1 + len(splits) for line in lines[2 : 2 + len(names)])


@pytest.mark.parametrize(
    ("changes", "shown"), [(SINE, "validation_r2"), (BINARY, "validation_accuracy"), (("metrics=[]",), None)]
)
def test_progress_shows_the_first_metric(workdir, run_cli, changes, shown):
    """After the loss, for both splits; without metrics the losses alone."""
    lines = run_cli("train", "config.yaml", *changes).err.splitlines()
    words = ["loss", "validation_loss"] if shown is None else ["loss", shown[11:], "validation_loss", shown]
    assert lines
    for line in lines:
        assert [word for word in line.split()[2:] if word[0].isalpha()] == words


@pytest.mark.parametrize("loss", ["mean_squared_error", "mean_absolute_error"])
def test_regression_is_trained(workdir, run_cli, loss):
    """Either loss falls while a sine is learned, and metrics.csv and the document have the same values."""
    result = run_cli("train", "config.yaml", *SINE, f"loss={loss}", "training.epochs=300", "--json")
    document = json.loads(result.out)
    rows = (workdir / "runs" / "config" / "metrics.csv").read_text(encoding="utf-8").splitlines()
    at = rows[0].split(",").index("validation_loss")
    losses = [float(row.split(",")[at]) for row in rows[1:]]
    assert losses[-1] == document["splits"]["validation"]["loss"] < 0.75 * losses[0]
    assert document["splits"]["validation"]["r2"] > 0.5
    assert document["data"] == {}


@pytest.mark.parametrize("options", [[], ["--quiet"], ["--json"]])
def test_training_that_learned_nothing_is_reported(workdir, run_cli, options):
    """A line per sign on standard error, after the progress; the exit code is 0, and evaluation.json has the signs."""
    result = run_cli("train", "config.yaml", "optimizer={type: sgd, learning_rate: 1e5}", *options)
    warnings = from_json((workdir / "runs" / "config" / "evaluation.json").read_bytes())["warnings"]
    assert result.code == 0
    assert [line for line in result.err.splitlines() if not line.startswith("epoch ")] == [
        f"warning: {each['message']}" for each in warnings
    ]
    assert [each["kind"] for each in warnings] == ["dead_layer", "no_progress", "no_better_than_constant"]
    assert warnings[0]["facts"] == {"layer": 1, "type": "relu", "units": 8, "zero": True}


def test_run_as_config_of_a_resume_is_rejected(workdir, run_cli):
    """A resumed run has a config; the message does not send the user to init."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    result = run_cli("train", "config", "--resume", "config")
    assert (result.code, result.out) == (2, "")
    assert result.err == "config: with --resume, CONFIG is a file and must be that of the run; leave it out\n"


def test_seeds_train_a_group(workdir, run_cli):
    """Each run has its own seed for what is varied, and the data of the config; the summary has one row."""
    result = run_cli("train", "config.yaml", "--seeds", "1,4", "training.epochs=3")
    assert result.code == 0
    assert re.search(r"config-seeds +\d\.\d+ +\d\S+ +2\n", result.out)
    configs = [(workdir / "runs" / "config-seeds" / name / "config.yaml").read_text() for name in ("0000", "0001")]
    for text, seed in zip(configs, (1, 4), strict=True):
        assert re.search(rf"seeds: .*weights: {seed}", text.replace("\n", " "))
    records = [
        json.loads((workdir / "runs" / "config-seeds" / name / "run.json").read_text()) for name in ("0000", "0001")
    ]
    assert records[0]["data"] == records[1]["data"]


def test_folds_train_a_group_with_predictions_out_of_fold(workdir, run_cli):
    """One run for each fold, and a file with a prediction for each row."""
    result = run_cli("train", "config.yaml", "validation=null", "--folds", "3", "training.epochs=3")
    assert result.code == 0
    assert "\npredictions out of fold: runs/config-folds/out_of_fold.csv\n" in result.out
    lines = (workdir / "runs" / "config-folds" / "out_of_fold.csv").read_text().splitlines()
    assert len(lines) == 1 + 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--vary", "data"), "--vary is for a group of runs, as with --seeds 10."),
        (("-j", "2"), "--jobs is for a group of runs"),
        (("--engine", "dask://a:1"), "--engine is for a group of runs"),
        (("--seeds", "2", "--watch"), "train new runs of a CONFIG, without --resume and --watch"),
        (("--seeds", "2", "--resume", "x"), "train new runs of a CONFIG, without --resume and --watch"),
        (("--seeds", "2", "optimizer=sgd,adam"), "optimizer has several values; 'nncli sweep' trains a run with each"),
    ],
)
def test_options_of_groups_are_rejected_elsewhere(workdir, run_cli, arguments, message):
    """And what a group does not take; nothing is trained."""
    result = run_cli("train", "config.yaml", *arguments)
    assert result.code == 2
    assert message in result.err
    assert not (workdir / "runs").exists()


@pytest.mark.skipif(not CAN_FORK, reason="processes are forked")
def test_the_end_of_a_worker_says_how_to_resume(workdir, run_cli, monkeypatch):
    """The message has the command with the path of the run, which continues it."""

    def fail(group, *arguments):
        raise WorkerError("a worker process has ended")

    with monkeypatch.context() as patch:
        patch.setattr(WorkerProcesses, "run", fail)
        result = run_cli("train", "config.yaml", *DIVIDED)
    *words, run = result.err.splitlines()[-1].split()
    advice = "if it happens again, train a new run with fewer threads; resume with: nncli train --resume"
    assert (result.code, " ".join(words)) == (1, f"a worker process has ended; {advice}")
    assert run_cli("train", "--resume", run).code == 0
