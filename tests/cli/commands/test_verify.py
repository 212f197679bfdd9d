"""``nncli verify``: whatever is changed in a run, a check fails."""

import errno
import json
import os
import shutil

import pytest
from nnfs.datasets import spiral_data

from nncli.analysis import verification
from nncli.data.source import SourceError
from nncli.data.sources.nnfs import Spiral
from nncli.store.checkpoint import checkpoints, pack, unpack
from tests.examples import BINARY, LATE_TEST, NORMALIZED, SINE, put_record

UNREADABLE = "2 of 13 checks could not read the run or data: {}, evaluation"
CONFIGS = [(), SINE, BINARY, NORMALIZED, LATE_TEST, ("training.early_stopping={metric: loss, patience: 10}",)]


@pytest.fixture
def run(workdir, run_cli):
    """The directory of a finished run."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    return workdir / "runs" / "config"


@pytest.mark.slow
@pytest.mark.parametrize("changes", CONFIGS)
@pytest.mark.parametrize("lost", [None, "evaluation.json"])
def test_intact_run_passes(workdir, run_cli, changes, lost):
    """Every check, of a finished run and of an unfinished one, whatever its task."""
    assert run_cli("train", "config.yaml", *changes, "-q").code == 0
    if lost:
        (workdir / "runs" / "config" / lost).unlink()
    result = run_cli("verify", "config", "--json")
    assert (result.code, result.err) == (0, "")
    document = json.loads(result.out)
    assert document["holds"]
    parts = [
        "run.json",
        "config.yaml",
        "config.original.yaml",
        "metrics.csv",
        "checkpoints/00000000.ckpt",
        "checkpoints/00000030.ckpt",
    ]
    weights = [] if lost else ["evaluation.json", "weights.npz"]
    assert [check["what"] for check in document["checks"]][3:4] == ["metrics.csv"]
    assert {*parts[:5], *weights, "data", "evaluation"} <= {check["what"] for check in document["checks"]}
    assert "reproduced bit for bit" in document["checks"][-1]["words"]


def failed_checks(run_cli):
    result = run_cli("verify", "config", "--json")
    assert result.code == 4
    failed = [check["what"] for check in json.loads(result.out)["checks"] if not check["holds"]]
    count = f"{len(failed)} of {len(json.loads(result.out)['checks'])}"
    trains_again = json.loads(result.out)["reproducible"] and not {"weights.npz", "evaluation.json"}.issuperset(failed)
    again = "; train it again: nncli train runs/config" if trains_again else ""
    assert result.err == f"runs/config: {count} checks failed: {', '.join(failed)}{again}\n"
    return failed


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def replace(path, old, new):
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


def append(path, row):
    path.write_bytes(path.read_bytes() + row)


LAST_CHECKPOINT = ["checkpoints/00000030.ckpt", "checkpoints"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "parts"),
    [
        (lambda run: flip(run / "weights.npz"), ["weights.npz"]),
        (lambda run: flip(run / "checkpoints" / "00000030.ckpt"), ["checkpoints/00000030.ckpt"]),
        (lambda run: replace(run / "config.yaml", b"units: 8", b"units: 9"), ["config.yaml"]),
        (lambda run: replace(run / "config.original.yaml", b"units: 8", b"units: 9"), ["config.original.yaml"]),
        (lambda run: replace(run / "metrics.csv", b"\n20,0.05,", b"\n20,0.06,"), ["checkpoints/00000030.ckpt"]),
        (lambda run: replace(run / "metrics.csv", b"\n20,", b"\n5,"), ["metrics.csv", *LAST_CHECKPOINT]),
        (lambda run: replace(run / "evaluation.json", b'"accuracy": 0.5', b'"accuracy": 0.6'), ["evaluation.json"]),
        (lambda run: (run / "config.yaml").unlink(), ["config.yaml"]),
        (lambda run: (run / "config.original.yaml").unlink(), ["config.original.yaml"]),
        (lambda run: replace(run / "config.yaml", b"epochs: 30", b"epochs: 20"), ["config.yaml"]),
        (lambda run: replace(run / "config.original.yaml", b"epochs: 30", b"epochs: 40"), ["config.original.yaml"]),
        (lambda run: replace(run / "config.yaml", b", log_every: 10", b""), ["config.yaml"]),
        (lambda run: (run / "metrics.csv").unlink(), ["metrics.csv"]),
        (lambda run: (run / "weights.npz").unlink(), ["weights.npz"]),
        (lambda run: append(run / "metrics.csv", b"30,0.05,1.0,1.0,0.0,0.5,1.0,0.5\n"), ["metrics.csv", "checkpoints"]),
        (lambda run: shutil.rmtree(run / "checkpoints"), ["checkpoints"]),
    ],
)
def test_damage_is_reported(run, run_cli, damage, parts):
    """The check of the damaged file fails, and others that fail for another reason; one cause is reported once."""
    damage(run)
    assert failed_checks(run_cli) == parts


def test_checkpoint_of_other_weights_is_reported(run, run_cli):
    """A checkpoint that is intact, but whose weights do not give the recorded metrics."""
    (run / "evaluation.json").unlink()
    newest = checkpoints(run)[-1]
    checkpoint = unpack(newest.read_bytes())
    vectors = {**checkpoint.state.vectors, "values": checkpoint.state.vectors["values"] + 1}
    newest.write_bytes(pack(checkpoint._replace(state=checkpoint.state.model_copy({"vectors": vectors}))))
    assert failed_checks(run_cli) == ["evaluation"]


@pytest.mark.slow
@pytest.mark.parametrize(("change", "code"), [(1e-6, 0), (1e-2, 4)])
def test_rounding_of_another_numpy_is_tolerated(run, run_cli, change, code):
    """Differences in the last bits are tolerated if the run was made with another NumPy, and nothing else is."""
    evaluation, record = (json.loads((run / name).read_bytes()) for name in ("evaluation.json", "run.json"))
    evaluation["splits"]["training"]["loss"] *= 1 + change
    put_record(run / "evaluation.json", evaluation)
    assert failed_checks(run_cli) == ["evaluation"]
    record["versions"]["numpy"] = "1.0.0"
    put_record(run / "run.json", record)
    result = run_cli("verify", "config")
    assert result.code == code, result.err
    assert code or "reproduced except for rounding, with another numpy" in " ".join(result.out.split())


def test_changed_data_is_reported(run, run_cli, monkeypatch):
    """Data that is no longer that of the run fails; so does the evaluation on it, for the same reason."""
    monkeypatch.setattr(Spiral, "points", lambda source: spiral_data(source.samples + 1, 3))
    assert failed_checks(run_cli) == ["data"]


def test_checkpoint_replaced_during_verify_is_not_missing(run, run_cli, monkeypatch):
    """A trainer has written a newer one and removed the oldest since they were listed, and has ended."""
    read, oldest = verification.read_with_metrics, run / "checkpoints" / "00000000.ckpt"

    def read_late(run, path):
        oldest.unlink(missing_ok=True)
        return read(run, path)

    monkeypatch.setattr(verification, "read_with_metrics", read_late)
    assert run_cli("verify", "config").code == 0


def test_run_with_raised_epochs_passes(run, run_cli):
    """What followed from the former number of epochs is in run.json as overrides."""
    assert run_cli("train", "--resume", "config", "training.epochs=45", "-q").code == 0
    assert run_cli("verify", "config").code == 0


def test_failed_check_is_printed_in_the_table(run, run_cli):
    """With the file and the problem, and the verdict on standard error."""
    flip(run / "weights.npz")
    result = run_cli("verify", "config")
    assert "WRONG" in result.out
    assert "damaged: checksum" in result.out
    assert "1 of 12 checks failed" in result.err


@pytest.mark.slow
@pytest.mark.parametrize("damage", [False, True])
def test_unreadable_file_is_not_damaged(run, run_cli, monkeypatch, damage):
    """The check is unreadable and the exit code 5; damage of another file is still reported, with exit code 4."""
    opened = os.open
    if damage:
        (run / "config.yaml").unlink()

    def refuse(path, *flags, **more):
        if path == "weights.npz":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return opened(path, *flags, **more)

    monkeypatch.setattr(os, "open", refuse)
    result = run_cli("verify", "config", "--json")
    document = json.loads(result.out)
    holds = {check["what"]: check["holds"] for check in document["checks"] if check["holds"] is not True}
    assert holds == {**({"config.yaml": False} if damage else {}), "weights.npz": None, "evaluation": None}
    assert (result.code, document["holds"]) == ((4, False) if damage else (5, None))
    message = "1 of 13 checks failed: config.yaml" if damage else UNREADABLE.format("weights.npz")
    assert result.err == f"runs/config: {message}\n"
    assert " unreadable " in run_cli("verify", "config").out


def test_data_that_cannot_be_opened_is_unreadable(run, run_cli, monkeypatch):
    """Data that is absent is no fault of the run: the checks that need it hold neither way, with exit code 5."""

    def refuse(source):
        raise SourceError("rows.csv: no such file", "samples")

    monkeypatch.setattr(Spiral, "open", refuse)
    result = run_cli("verify", "config", "--json")
    document = json.loads(result.out)
    unknown = {check["what"]: check["words"] for check in document["checks"] if check["holds"] is None}
    message = "data.samples: rows.csv: no such file\nvalidation.samples: rows.csv: no such file"
    assert unknown == {"data": message, "evaluation": message}
    assert (result.code, document["holds"]) == (5, None)
    assert result.err == f"runs/config: {UNREADABLE.format('data')}\n"
    flip(run / "weights.npz")
    result = run_cli("verify", "config", "--json")
    assert (result.code, json.loads(result.out)["holds"]) == (4, False)


@pytest.mark.parametrize("command", [("verify",), ("evaluate",), ("compare", "config"), ("train", "--resume")])
@pytest.mark.parametrize("name", ["lstat", "stat"])
def test_unreadable_run_is_not_missing(run, run_cli, monkeypatch, command, name):
    """An input/output error, or no permission, is exit code 5 with the reason, whatever the command."""
    original = getattr(os, name)

    def refuse(path, *more, **others):
        if str(path).startswith("runs/other"):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        return original(path, *more, **others)

    shutil.copytree(run, run.with_name("other"))
    monkeypatch.setattr(os, name, refuse)
    result = run_cli(*command, "other")
    assert (result.code, result.err.endswith(": Permission denied\n")) == (5, True), result.err


def test_verify_writes_nothing(run, run_cli):
    """Not even in a read-only directory."""
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    run.chmod(0o555)
    assert run_cli("verify", "config").code == 0
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


@pytest.mark.parametrize(
    ("patience", "changed", "message"),
    [
        (40, {"epoch": 10}, "its best epoch is 0"),
        (10, {"epochs_trained": 20}, "is not the checkpoint of the end of training"),
    ],
)
def test_epochs_of_the_evaluation_are_checked(workdir, run_cli, patience, changed, message):
    """Epochs in evaluation.json that differ from the last checkpoint are reported, under a valid checksum."""
    stopping = f"training.early_stopping={{metric: loss, patience: {patience}, min_delta: 9}}"  # best at epoch 0
    assert run_cli("train", "config.yaml", stopping, "-q").code == 0
    path = workdir / "runs" / "config" / "evaluation.json"
    put_record(path, {**json.loads(path.read_bytes()), **changed})
    result = run_cli("verify", "config", "--json")
    assert result.code == 4
    assert message in result.out


def test_best_epoch_without_early_stopping_is_damage(workdir, run_cli):
    """Without early stopping the evaluation is that of the last epoch; another one is damage under a valid checksum."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    path = workdir / "runs" / "config" / "evaluation.json"
    put_record(path, {**json.loads(path.read_bytes()), "epoch": 20})
    result = run_cli("evaluate", "config")
    assert (result.code, "it has the weights of epoch 20 of 30 without early stopping" in result.err) == (4, True)


def test_edited_config_is_one_line_with_its_keys(workdir, run_cli):
    """Which keys, and where; the snippet and the advice for a resume have no place in a table."""
    assert run_cli("train", "config.yaml", "-q").code == 0
    config = workdir / "runs" / "config" / "config.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("0.05", "0.5"), encoding="utf-8")
    checks = json.loads(run_cli("verify", "config", "--json").out)["checks"]
    (found,) = [check["words"] for check in checks if check["what"] == "config.yaml"]
    assert found == "not what the run was trained with: optimizer.learning_rate (runs/config/config.yaml:10:40)"
