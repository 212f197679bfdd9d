"""Runs made by nncli 0.4.1 are read, evaluated, compared, verified and resumed, through the command line only."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tests.compatibility.results import differences, is_identical
from tests.compatibility.revisions import run_python
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

DIRECTORY = Path(__file__).parent
RUNS = DIRECTORY / "runs_0_4_1"
RESUMED = DIRECTORY / "resumed_0_4_1"
NAMES = sorted(path.name for path in RUNS.iterdir())
FINISHED = [name for name in NAMES if (RUNS / name / "evaluation.json").is_file()]
INTERRUPTED = {  # and where a resume continues
    "interrupted_between_epochs": "epoch 20",
    "interrupted_derived": "epoch 5, batch 2",
    "interrupted_early_stopping": "epoch 10, batch 1",
    "interrupted_nnfs": "epoch 5, batch 1",
    "killed": "epoch 3, batch 3",
}
DIVERGED = {"diverged_to_infinity": "inf at", "diverged_to_nan": "nan at"}
EARLY_STOPPED = ("early_stopping", "interrupted_early_stopping")
MAX_BYTES = 150_000
ROUNDING = {"rtol": 1e-4, "atol": 1e-6}  # over the few updates of these runs, on another processor or NumPy
# The first update of AdaGrad divides a gradient by its own size, so that the rounding of a gradient near 0 changes a
# weight by a fraction of the learning rate.
ADAGRAD_ROUNDING = {"rtol": 1e-4, "atol": 1e-4}


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A directory with a copy of every run, which is the working directory too."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(RUNS, tmp_path / "runs"))


@pytest.fixture(scope="module")
def repeated(tmp_path_factory):
    """Pairs of run.json, of this environment and of 0.4.1, for a config on a spiral and one on a sine."""
    pairs = []
    for name in ("sgd", "regression"):
        workdir = tmp_path_factory.mktemp(name)
        command = ["-m", "nncli", "train", RUNS / name / "spec.yaml", "training.epochs=1", "-q"]
        done = run_python(ROOT, command, workdir)
        assert done.returncode == 0, done.stderr
        pairs.append([load_json(run / "run.json") for run in (workdir / done.stdout.strip(), RUNS / name)])
    return pairs


@pytest.fixture(scope="module")
def is_exact(repeated):
    """Whether the NumPy, BLAS kernels and vector instructions are those that the runs were made with."""
    return all(environment(current) == environment(recorded) for current, recorded in repeated)


@pytest.fixture
def same_data(repeated, is_exact):
    """Skip a test if another processor or NumPy computes the data sets with other last bits, which commands refuse."""
    is_same = all(current["data"] == recorded["data"] for current, recorded in repeated)
    if not is_same and not is_exact:
        pytest.skip("the data sets of the runs have other last bits in this environment")


def environment(recorded):
    """What run.json records that may change the last bit of a result."""
    versions = [recorded["versions"][name] for name in ("numpy", "nnfs")]
    return [*versions, recorded["machine"], recorded["blas"], recorded["simd"]]


def load_json(path):
    """The content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def status(name):
    """The status of a run as every command prints it."""
    if name in DIVERGED:
        return "diverged at epoch 1"
    return f"interrupted at {INTERRUPTED[name].partition(',')[0]}" if name in INTERRUPTED else "finished"


def checksum(directory):
    """One SHA-256 of the names and the content of all files in a directory."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        digest.update(str(path.relative_to(directory)).encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def read(run_cli, *arguments):
    """The JSON document that a command prints; it ends with exit code 0."""
    result = run_cli(*arguments, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def matches(values, expected, is_exact):
    """Whether metrics are the expected ones: equal, or equal within rounding."""
    return values == expected if is_exact else values == pytest.approx(expected, rel=1e-4, abs=1e-6)


def assert_same_results(run, expected, is_exact):
    """Weights and metrics have the same bytes, or in another environment the same numbers within rounding."""
    rounding = ADAGRAD_ROUNDING if expected.name == "adagrad" else ROUNDING
    assert list(differences(run, expected, **rounding)) == []
    assert is_identical(run, expected) or not is_exact


def test_runs_are_complete():
    """The runs were made by 0.4.1, cover every status, and stay small."""
    assert set(NAMES) == {*FINISHED, *INTERRUPTED, *DIVERGED}
    assert {path.name for path in RESUMED.iterdir()} == set(INTERRUPTED)
    assert {load_json(RUNS / name / "run.json")["versions"]["nncli"] for name in NAMES} == {"0.4.1"}
    files = [path for directory in (RUNS, RESUMED) for path in directory.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MAX_BYTES


def test_runs_lists_every_run_with_its_status(runs, run_cli):
    """Finished, interrupted and diverged runs are listed with their last metrics; none is damaged."""
    before = checksum(runs)
    listed = {Path(each["path"]).name: each for each in read(run_cli, "runs", runs)["runs"]}
    assert set(listed) == set(NAMES)
    for name, each in listed.items():
        resumable = ", resumable" if name in INTERRUPTED else ""
        assert (each["status"], each["problem"]) == (status(name) + resumable, None)
    for name in FINISHED:
        assert listed[name]["epoch"] == load_json(RUNS / name / "evaluation.json")["epoch"]
    assert checksum(runs) == before


@pytest.mark.usefixtures("same_data")
@pytest.mark.parametrize("name", FINISHED)
def test_evaluate_gives_the_recorded_metrics(name, runs, run_cli, is_exact):
    """The weights of 0.4.1 have the metrics on every split that 0.4.1 has recorded."""
    before, recorded = checksum(runs), load_json(RUNS / name / "evaluation.json")
    evaluated = read(run_cli, "evaluate", runs / name)
    assert (evaluated["status"], evaluated["epoch"]) == ("finished", recorded["epoch"])
    assert set(evaluated["splits"]) == set(recorded["splits"])
    for split, expected in recorded["splits"].items():
        assert matches(evaluated["splits"][split]["metrics"], expected, is_exact), split
    assert checksum(runs) == before


@pytest.mark.usefixtures("same_data")
@pytest.mark.parametrize("name", [*INTERRUPTED, *DIVERGED])
def test_evaluate_reads_the_newest_checkpoint_of_an_unfinished_run(name, runs, run_cli):
    """The checkpoint of an interrupted or diverged run is measured, under the status of the run."""
    before = checksum(runs)
    evaluated = read(run_cli, "evaluate", runs / name)
    assert evaluated["status"] == status(name)
    assert "training" in evaluated["splits"]
    assert checksum(runs) == before


@pytest.mark.usefixtures("same_data")
@pytest.mark.parametrize("name", NAMES)
def test_verify_finds_nothing_wrong(name, runs, run_cli):
    """Checksums, data and metrics of the run are what it records."""
    before = checksum(runs)
    verified = read(run_cli, "verify", runs / name)
    assert verified["holds"] is True
    assert all(check["holds"] for check in verified["checks"])
    assert checksum(runs) == before


def test_compare_shows_the_metrics_of_all_runs(runs, run_cli):
    """Finished runs are compared by their recorded metrics; the others are shown with their status."""
    before = checksum(runs)
    compared = read(run_cli, "compare", *(runs / name for name in NAMES), "--different-data")
    entries = {Path(each["run"]).name: each for each in compared["runs"]}
    assert {name: each["status"] for name, each in entries.items()} == {name: status(name) for name in NAMES}
    for name in FINISHED:
        recorded = load_json(RUNS / name / "evaluation.json")
        metrics = entries[name]["metrics"]
        expected = {key: recorded["splits"]["training"][key] for key in ("loss", "data_loss")}
        assert {key: metrics[key] for key in expected} == expected
        assert entries[name]["epoch"] == recorded["epoch"]
    assert compared["differences"]["optimizer.type"]
    assert checksum(runs) == before


@pytest.mark.usefixtures("same_data")
@pytest.mark.parametrize("name", INTERRUPTED)
def test_resume_ends_as_in_0_4_1(name, runs, run_cli, is_exact):
    """An interrupted run is resumed to the weights, metrics and evaluation that 0.4.1 itself reaches."""
    result = run_cli("train", "--resume", runs / name)
    assert result.code == 0, result.err
    assert f"resumed at {INTERRUPTED[name]}" in result.err
    assert_same_results(runs / name, RESUMED / name, is_exact)
    evaluation, expected = (load_json(run / name / "evaluation.json") for run in (runs, RESUMED))
    for key in ("identity", "epoch", "epochs_trained", "data"):
        assert evaluation[key] == expected[key], key
    for split, metrics in expected["splits"].items():
        assert matches(evaluation["splits"][split], metrics, is_exact), split
    assert read(run_cli, "verify", runs / name)["holds"] is True


@pytest.mark.usefixtures("same_data")
@pytest.mark.parametrize(("name", "value"), DIVERGED.items())
def test_resume_of_a_diverged_run_diverges_again(name, value, runs, run_cli, is_exact):
    """The resume ends with exit code 7 and names infinity or NaN; the recorded metrics stay."""
    result = run_cli("train", "--resume", runs / name)
    assert result.code == 7
    assert "diverged at epoch 1" in result.err
    assert value in result.err or not is_exact
    assert (runs / name / "metrics.csv").read_bytes() == (RUNS / name / "metrics.csv").read_bytes() or not is_exact


@pytest.mark.parametrize("name", FINISHED)
def test_resume_of_a_finished_run_changes_nothing(name, runs, run_cli):
    """A finished run has nothing left to train; only the empty lock file is added."""
    before = checksum(runs / name)
    result = run_cli("train", "--resume", runs / name)
    assert (result.code, "already finished" in result.err) == (0, True)
    (runs / name / "lock").unlink()
    assert checksum(runs / name) == before


@pytest.mark.parametrize("name", FINISHED)
def test_training_again_gives_the_same_results(name, runs, run_cli, is_exact):
    """The config of a finished run, trained anew, ends in the same weights and metrics."""
    overrides = load_json(RUNS / name / "run.json")["overrides"]
    if name == "classification":
        overrides = ["split_method=consecutive"]  # the default of 0.4.1, which had no such key
    result = run_cli("train", RUNS / name / "spec.yaml", *overrides, "--name", "again")
    assert result.code == 0, result.err
    assert_same_results(runs / "again", RUNS / name, is_exact)


@pytest.mark.parametrize("name", EARLY_STOPPED)
def test_early_stopping_keeps_an_earlier_epoch(name):
    """Early stopping of 0.4.1 has put back the weights of an epoch that is neither the first nor the last."""
    directory = RUNS if name in FINISHED else RESUMED
    evaluation = load_json(directory / name / "evaluation.json")
    assert 0 < evaluation["epoch"] < evaluation["epochs_trained"] < 400
