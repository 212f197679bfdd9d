"""``nncli check``: all errors of all files at once."""

import json

import pytest

from nncli.data.sources.nnfs import ClassificationToy
from tests.conftest import SPEC


@pytest.fixture
def write(workdir):
    """Write the small config to a file, with one part of its text replaced."""

    def write_config(name, old="", new=""):
        assert old in SPEC
        (workdir / name).write_text(SPEC.replace(old, new, 1) if old else SPEC, encoding="utf-8")

    return write_config


def test_valid_configs_are_printed_one_per_line(write, run_cli):
    """One line per file on standard output, exit code 0."""
    write("a.yaml")
    write("b.yaml", "seed: 0", "seed: 1")
    result = run_cli("check", "a.yaml", "b.yaml")
    assert (result.code, result.out, result.err) == (0, "a.yaml: ok\nb.yaml: ok\n", "")


def test_check_writes_nothing(workdir, run_cli):
    """Checking leaves the directory unchanged."""
    assert run_cli("check", "config.yaml").code == 0
    assert [path.name for path in workdir.iterdir()] == ["config.yaml"]


def test_all_errors_of_all_files_are_printed(write, run_cli):
    """Each with file, line and column, the source line and a caret; valid files are printed too."""
    write("a.yaml", "units: 8", "unit: 8")
    write("b.yaml")
    write("c.yaml", "adam, learning_rate: 0.05", "adm, learning_rate: 0.05")
    write("d.yaml", "seed: 0\ndata: {type: spiral, samples: 20", "seed: -1\ndata: {type: spiral, samples: 0")
    result = run_cli("check", "a.yaml", "b.yaml", "c.yaml", "d.yaml")
    assert (result.code, result.out) == (3, "b.yaml: ok\n")
    messages = [line for line in result.err.splitlines() if not line.startswith(" ")]
    assert messages == [
        "a.yaml:5:19: layers[0]: unknown key 'unit'; did you mean 'units'?",
        "c.yaml:10:19: optimizer: unknown type 'adm'; did you mean 'adam'?",
        "d.yaml:1:7: seed: must be at least 0, got -1",
        "d.yaml:2:31: data.samples: must be at least 1, got 0",
    ]
    assert "\n    seed: -1\n          ^\n" in result.err


@pytest.mark.parametrize(
    ("files", "code"), [(["missing.yaml"], 2), (["."], 2), (["config.yaml", "missing.yaml"], 2), ([], 2)]
)
def test_missing_file_is_exit_code_2(workdir, run_cli, files, code):
    """Exit code 2, even if the other files are valid."""
    assert run_cli("check", *files).code == code


def test_missing_and_invalid_files_are_both_reported(write, run_cli):
    """A missing file does not hide an invalid one."""
    write("a.yaml", "units: 8", "units: 0")
    result = run_cli("check", "missing.yaml", "a.yaml")
    assert result.code == 3
    assert "missing.yaml: no such file" in result.err
    assert "a.yaml:5:26: layers[0].units: must be at least 1, got 0" in result.err


def test_check_generates_no_data(workdir, run_cli, monkeypatch):
    """Whether a config is valid follows from the config, however many rows its data has."""
    monkeypatch.delattr(ClassificationToy, "draw")
    large = SPEC.replace("samples: 20, classes: 3", "samples: 1000000, classes: 3")
    text = large.replace("validation: {type: spiral, samples: 20}", "validation: {fraction: 0.2}")
    (workdir / "a.yaml").write_text(text, encoding="utf-8")
    assert run_cli("check", "config.yaml", "a.yaml").out == "config.yaml: ok\na.yaml: ok\n"


def test_data_leakage_is_reported_with_the_count_of_rows(write, run_cli):
    """A validation set that equals the training set is an error at its seed."""
    write("a.yaml", "data: {type: spiral, samples: 20, classes: 3}", "data: {type: spiral, samples: 20, seed: 4}")
    write(
        "b.yaml",
        "data: {type: spiral, samples: 20, classes: 3}\nvalidation: {type: spiral, samples: 20}",
        "data: {type: spiral, samples: 20, seed: 4}\nvalidation: {type: spiral, samples: 20, seed: 4}",
    )
    result = run_cli("check", "a.yaml", "b.yaml")
    assert (result.code, result.out) == (3, "a.yaml: ok\n")
    message = "validation.seed: identical to the training data (data leakage); set a different seed"
    assert result.err.startswith(f"b.yaml:3:47: {message}\n")


def test_impossible_split_is_reported(write, run_cli):
    """A fraction that leaves no rows for training is an error of the config."""
    write("a.yaml", "validation: {type: spiral, samples: 20}", "validation: {fraction: 0.99}")
    result = run_cli("check", "a.yaml")
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith("a.yaml:3:24: validation.fraction: ")
    assert "20 rows" in result.err


def test_data_leakage_is_reported_with_other_errors(workdir, run_cli):
    """All errors at once: a batch that is too large, and a validation set with rows of the training set."""
    changes = ["data={type: sine, samples: 1000}", "validation={type: sine, samples: 500}", "training.batch_size=5000"]
    layers = "layers=[{type: dense, units: 8}, relu, {type: dense, units: 1}]"
    result = run_cli("train", "config.yaml", *changes, layers, "loss=mean_squared_error", "metrics=null")
    assert result.code == 3
    assert "identical to part of the training data" in result.err
    assert "5000 is more than the 1000 rows of the training set" in result.err


def test_json_has_the_content_of_the_text(write, run_cli):
    """Each config once, whether it is valid, and its errors with their locations; the text is on standard error."""
    write("a.yaml", "units: 8", "unit: 8")
    result = run_cli("check", "a.yaml", "missing.yaml", "config.yaml", "a.yaml", "--json")
    assert result.code == run_cli("check", "a.yaml", "missing.yaml").code == 3
    one, missing, valid = json.loads(result.out)["configs"]
    wrong = {"file": "a.yaml", "line": 5, "column": 19, "key": "layers[0]"}
    assert one == {
        "config": "a.yaml",
        "valid": False,
        "diagnostics": [{**wrong, "message": "unknown key 'unit'; did you mean 'units'?"}],
        "warnings": [],
    }
    (problem,) = missing.pop("diagnostics")
    assert missing == {"config": "missing.yaml", "valid": False, "warnings": []}
    assert (problem["file"], problem["line"], problem["message"][:26]) == (
        "missing.yaml",
        None,
        "missing.yaml: no such file",
    )
    assert valid == {"config": "config.yaml", "valid": True, "diagnostics": [], "warnings": []}
    assert result.err == run_cli("check", "a.yaml", "missing.yaml").err


@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfea", b"", b"a: 1\na: 2", b"#" * 5_000_000])
def test_config_that_cannot_be_read_has_a_location(workdir, run_cli, content):
    """Errors of YAML, of the encoding and of the size have line and column, too."""
    (workdir / "a.yaml").write_bytes(content)
    (config,) = json.loads(run_cli("check", "a.yaml", "--json").out)["configs"]
    assert config["diagnostics"]
    assert all(each["line"] >= 1 and each["column"] >= 1 for each in config["diagnostics"])


def test_config_that_is_named_twice_is_reported_once(write, run_cli):
    """One message per problem."""
    write("a.yaml", "units: 8", "unit: 8")
    assert run_cli("check", "a.yaml", "a.yaml").err == run_cli("check", "a.yaml").err
    assert run_cli("check", "config.yaml", "config.yaml").out == "config.yaml: ok\n"


def test_sweep_file_is_checked_as_a_sweep(workdir, run_cli):
    """Its problems are reported with their locations; other commands say what trains it."""
    (workdir / "sweep.yaml").write_text("base: config.yaml\nover: {optimizer: [sgd, adam]}\n")
    assert run_cli("check", "sweep.yaml").out == "sweep.yaml: ok\n"
    result = run_cli("train", "sweep.yaml")
    assert (result.code, result.out) == (3, "")
    assert "sweep.yaml:1:7: this is a sweep file, not a config; train it with: nncli sweep sweep.yaml" in result.err
    (workdir / "sweep.yaml").write_text("base: config.yaml\nover: {optimizer: [sgd, adan]}\n")
    result = run_cli("check", "sweep.yaml")
    assert result.code == 3
    assert "sweep.yaml:2:25: " in result.err
