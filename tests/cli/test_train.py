"""``nncli train``: what it prints, how it ends, and what it leaves."""

import json

import pytest

NUMBERS = {"training": ["loss", "data_loss", "regularization_loss", "accuracy"], "validation": ["loss", "accuracy"]}


def test_a_training_ends_with_a_table_and_the_runs_path(here, nncli):
    """Standard output has a row a split, the epochs, and where the run is."""
    result = nncli("train", "config.yaml")
    evaluation = json.loads((here / "runs" / "config" / "evaluation.json").read_text(encoding="utf-8"))
    assert result.code == 0
    rows = {line.split()[0]: line.split()[1:] for line in result.out.splitlines() if line.strip()}
    for split, names in NUMBERS.items():
        numbers = [cell for cell in rows[split] if cell != "–"]
        assert numbers == [f"{evaluation['splits'][split][name]:.4f}" for name in names]
    assert "30 epochs in " in result.out
    assert result.out.splitlines()[-1] == "run runs/config"


@pytest.mark.parametrize("epochs", [30, 1000, 1])
def test_progress_is_plain_lines_where_there_is_no_terminal(here, nncli, epochs):
    """Standard error gets a bounded number of lines, the first and the last epoch among them, and no control codes."""
    result = nncli("train", "config.yaml", f"training.epochs={epochs}", "training.log_every=1")
    lines = result.err.splitlines()
    assert lines[0].startswith(f"epoch 0/{epochs}  loss ")
    assert lines[-1].startswith(f"epoch {epochs}/{epochs}  loss ")
    assert len(lines) <= 22 or epochs == 30
    assert "\x1b" not in result.err + result.out
    assert all("validation_accuracy" in line for line in lines)


def test_the_epoch_whose_weights_are_kept_is_told(here, nncli):
    """After early stopping the result says how far training came, and what it went back to."""
    result = nncli("train", "config.yaml", "training.early_stopping={metric: loss, min_delta: 100, patience: 20}")
    assert "20 epochs, weights of epoch 0 kept in " in result.out


def test_quiet_prints_the_path_and_nothing_else(here, nncli):
    """One line, ready for a shell's variable."""
    for name in ("config", "config-2"):
        result = nncli("train", "config.yaml", "--quiet")
        assert (result.code, result.out, result.err) == (0, f"runs/{name}\n", "")


def test_json_is_one_document_and_nothing_else(here, nncli):
    """Standard output is evaluation.json with path and time, standard error is empty."""
    result = nncli("train", "config.yaml", "--json")
    document = json.loads(result.out)
    evaluation = json.loads((here / "runs" / "config" / "evaluation.json").read_text(encoding="utf-8"))
    assert result.err == ""
    assert document.pop("seconds") >= 0
    assert document == {"run": "runs/config", **evaluation}


def test_overrides_are_trained_with(here, nncli):
    """A value on the command line is the one in the run's spec."""
    assert nncli("train", "config.yaml", "training.epochs=3", "layers[0].units=5", "-q").code == 0
    spec = json.loads((here / "runs" / "config" / "run.json").read_text(encoding="utf-8"))["spec"]
    assert (spec["training"]["epochs"], spec["layers"][0]["units"]) == (3, 5)


def test_runs_names_the_folder(here, nncli):
    """A run may be put anywhere; folders on the way are made."""
    assert nncli("train", "config.yaml", "-q", "--runs", "a/b", "--name", "c").out == "a/b/c\n"
    assert (here / "a" / "b" / "c" / "evaluation.json").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing.yaml"], 2, "nothing.yaml: no such file"),
        (["."], 2, ".: is a directory"),
        (["config.yaml", "seed"], 2, "'seed' is no override"),
        (["config.yaml", "--name", "a/b"], 2, "'a/b' cannot be the name of a run"),
        (["config.yaml", "seed=-1"], 3, "command line:1:6: seed: must be at least 0, got -1"),
        (["config.yaml", "layers[0].unit=3"], 3, "unknown key 'unit'; did you mean 'units'?"),
        (["config.yaml", "--runs", "config.yaml"], 5, "config.yaml: File exists"),
        (["config.yaml", "optimizer={type: sgd, learning_rate: 1e30}"], 7, "training diverged at epoch 1: "),
        pytest.param(
            ["config.yaml", "layers[0].initializer={type: normal, scale: 1e39}"],
            7,
            "training diverged at epoch 0: ",
        ),
        pytest.param(
            ["config.yaml", "--runs", "a" * 300, "--name", "x"],
            5,
            "File name too long",
        ),
    ],
)
def test_each_failure_has_its_exit_code_and_message(here, nncli, arguments, code, message):
    """What the user can mend is told on standard error, in a line that says where."""
    result = nncli("train", *arguments, "--quiet")
    assert (result.code, result.out) == (code, "")
    assert message in result.err
    assert "Warning" not in result.err


def test_a_failure_prints_nothing_on_standard_output_in_json_either(here, nncli):
    """A reader of JSON gets a document or nothing."""
    result = nncli("train", "config.yaml", "optimizer={type: sgd, learning_rate: 1e30}", "--json")
    assert (result.code, result.out) == (7, "")
    assert result.err.startswith("training diverged at epoch 1: ")
