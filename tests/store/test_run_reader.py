"""Reading of a run as untrusted input: status, damage, hostile files, and runs of earlier versions."""

import hashlib
import io
import json
import os
import pickle
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from nncli.errors import RunError
from nncli.experiment.assembly import assemble
from nncli.registry import model
from nncli.store import records
from nncli.store import safe_read as files
from nncli.store.checkpoint import checkpoints, pack, unpack
from nncli.store.lock import Lock
from nncli.store.run_reader import Run
from nncli.store.run_status import RunProgress, RunStatus
from tests.examples import BINARY, LATE_TEST, NORMALIZED, SINE, put_record


@pytest.fixture
def run(workdir, run_cli):
    """A finished run of the small config, next to another one to compare it with."""
    for name in ("run", "other"):
        assert run_cli("train", "config.yaml", "--quiet", "--name", name).code == 0
    return workdir / "runs" / "run"


@pytest.fixture
def unfinished(run):
    """The same run without evaluation.json and weights.npz."""
    (run / "evaluation.json").unlink()
    (run / "weights.npz").unlink()
    return run


def newest(run):
    return max((run / "checkpoints").iterdir())


def put(name, text):
    """Damage: the file has this content."""
    return lambda run: (run / name).write_bytes(text)


def cut(name):
    """Damage: the second half of the file is missing."""
    return lambda run: (run / name).write_bytes((run / name).read_bytes()[: (run / name).stat().st_size // 2])


def swap(name, old, new):
    """Damage: the first occurrence of some bytes is replaced."""

    def swapped(run):
        data = (run / name).read_bytes()
        assert old in data
        (run / name).write_bytes(data.replace(old, new, 1))

    return swapped


def edit(name, **values):
    """Damage: valid JSON with other values, given as ``a__b=value``; ``...`` removes a key."""

    def edited(run):
        document = json.loads((run / name).read_bytes())
        for path, value in values.items():
            *steps, last = path.split("__")
            inner = document
            for step in steps:
                inner = inner[int(step) if step.isdigit() else step]
            if value is ...:
                del inner[last]
            else:
                inner[last] = value
        put_record(run / name, document)

    return edited


def missing(name):
    """Damage: the file is missing."""
    return lambda run: (run / name).unlink()


def directory(name):
    """Damage: a directory has the file's name."""

    def replaced(run):
        (run / name).unlink()
        (run / name).mkdir()

    return replaced


def test_run_with_evaluation_is_finished(run):
    """weights.npz and evaluation.json exist, and no lock is held."""
    assert str(Run(run).progress) == "finished"


def test_complete_run_without_evaluation_is_not_evaluated(run):
    """The newest checkpoint is that of the end of training, so that nothing was interrupted."""
    (run / "evaluation.json").unlink()
    assert str(Run(run).progress) == "not evaluated"
    assert Run(run).evaluation is None


def test_evaluation_without_weights_is_damage(run):
    """weights.npz is written first, so it was removed."""
    (run / "weights.npz").unlink()
    with pytest.raises(RunError, match=r"weights\.npz: missing, although evaluation\.json exists"):
        assert Run(run).status


def test_evaluation_of_fewer_epochs_than_the_config_is_ignored(run):
    """The number of epochs was raised, and evaluation.json is not removed yet."""
    edit("run.json", spec__training__epochs=50)(run)
    assert Run(run).evaluation is None
    assert str(Run(run).progress) == "interrupted at epoch 30"


def test_run_is_running_while_its_lock_is_held(unfinished):
    """Reading neither acquires the lock nor waits for it."""
    lock = Lock(unfinished / "lock")
    assert str(Run(unfinished).progress) == "running"
    lock.release()
    assert str(Run(unfinished).progress) == "not evaluated"


def test_status_has_the_epoch_of_the_newest_checkpoint(unfinished):
    """An older checkpoint counts if the newest is missing."""
    newest(unfinished).unlink()
    assert str(Run(unfinished).progress) == "interrupted at epoch 0"


def test_last_row_of_nan_means_diverged(unfinished):
    """A divergence leaves such a row in metrics.csv."""
    with (unfinished / "metrics.csv").open("a", encoding="utf-8") as file:
        file.write("30" + ",nan" * 7 + "\n")
    assert str(Run(unfinished).progress) == "diverged at epoch 30"


def test_status_in_a_file_is_ignored(run):
    """The status follows from the lock and the existing files."""
    edit("run.json", status="running")(run)
    edit("evaluation.json", status="diverged")(run)
    assert str(Run(run).progress) == "finished"


def test_reading_changes_no_file(run, run_cli):
    """Evaluating and comparing leave every file as it was."""
    files = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert run_cli("evaluate", run).code == run_cli("compare", run, run.parent / "other").code == 0
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == files


@pytest.mark.parametrize("name", ["missing", "config.yaml", "runs"])
def test_path_that_is_not_a_run_is_reported(run, workdir, name):
    """It may be missing, a file, or another directory."""
    with pytest.raises(RunError, match=r"run not found|not a run directory") as raised:
        Run(workdir / name)
    assert raised.value.exit_code == 4
    assert str(workdir / name) in str(raised.value)


def test_run_without_run_json_is_damaged(run, run_cli):
    """The message names the missing file, and the list of runs has the run."""
    (run / "run.json").unlink()
    with pytest.raises(RunError, match=r"run\.json is missing; not a complete run"):
        Run(run)
    assert "damaged" in run_cli("runs").out
    assert (
        "runs/run: run.json is missing; not a complete run; train it again: nncli train runs/run/config.yaml"
        in run_cli("evaluate", "run").err
    )


def test_parameters_larger_than_the_files_are_not_allocated(run, run_cli):
    """The sizes of files are compared with the parameters in run.json first."""
    edit("run.json", spec__layers__0__units=900_000)(run)
    record = document(run / "run.json")
    for array in record["parameters"][:3]:
        array["shape"] = [900_000 if size == 8 else size for size in array["shape"]]
    put_record(run / "run.json", record)
    missing("evaluation.json")(run)
    for path in (run / "checkpoints").iterdir():
        known = unpack(path.read_bytes())
        path.write_bytes(pack(known._replace(identity=Run(run).identity)))
    tracemalloc.start()
    result = run_cli("evaluate", run)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result.code == 4
    assert "neither weights.npz nor a checkpoint has the 21,600,012 bytes of its parameters" in result.err
    assert peak < 2_000_000


def test_incomplete_last_line_of_metrics_is_ignored(run):
    """A line without line end is still being written."""
    complete = Run(run).metrics
    with (run / "metrics.csv").open("a", encoding="utf-8") as file:
        file.write("40,0.05,1.0")
    assert np.array_equal(Run(run).metrics.values, complete.values)
    assert complete.column("epoch").tolist() == [0, 10, 20, 30]


@pytest.mark.parametrize("length", [0, 5])
def test_metrics_without_a_complete_line_have_no_rows(unfinished, length):
    """An incomplete header is no error."""
    (unfinished / "metrics.csv").write_bytes((unfinished / "metrics.csv").read_bytes()[:length])
    assert len(Run(unfinished).metrics) == 0
    assert str(Run(unfinished).progress) == "not evaluated"


DAMAGED = [
    ("evaluate", "run.json", cut("run.json")),
    ("evaluate", "run.json", put("run.json", b"")),
    ("evaluate", "run.json", put("run.json", b"[]")),
    ("evaluate", "run.json", put("run.json", b"\xff\xfe")),
    ("evaluate", "run.json", put("run.json", b"[" * 100_000)),
    ("evaluate", "run.json", swap("run.json", b"0.05", b"NaN")),
    ("evaluate", "run.json", swap("run.json", b"0.05", b"1e999")),
    ("evaluate", "run.json", swap("run.json", b"0.05", b"-1")),
    ("evaluate", "run.json", edit("run.json", format=3)),
    ("evaluate", "run.json", edit("run.json", spec=...)),
    ("evaluate", "run.json", edit("run.json", spec__loss__type="mse")),
    ("evaluate", "evaluation.json", edit("run.json", data__training__sha256="0" * 64)),
    ("evaluate", "run.json", edit("run.json", data__validation=...)),
    ("evaluate", "evaluation.json", cut("evaluation.json")),
    ("evaluate", "evaluation.json", put("evaluation.json", b"null")),
    ("evaluate", "evaluation.json", edit("evaluation.json", format="1")),
    ("evaluate", "evaluation.json", edit("evaluation.json", splits__training__loss=float("nan"))),
    ("evaluate", "weights.npz", cut("weights.npz")),
    ("evaluate", "weights.npz", put("weights.npz", b"")),
    ("evaluate", "weights.npz", swap("weights.npz", b"layers.0", b"layers.1")),
    ("evaluate", "weights.npz", edit("evaluation.json", weights__sha256="0" * 64)),
    ("evaluate", "weights.npz", edit("evaluation.json", weights__bytes=1)),
    ("compare", "metrics.csv", missing("metrics.csv")),
    ("compare", "metrics.csv", directory("metrics.csv")),
    ("compare", "metrics.csv", swap("metrics.csv", b"\n10,", b"\nten,")),
    ("compare", "metrics.csv", swap("metrics.csv", b"\n10,", b"\n\0\0,")),
    ("compare", "metrics.csv", swap("metrics.csv", b"\n10,", b'\n"10,')),
    ("compare", "metrics.csv", swap("metrics.csv", b"\n10,", b"\n10,10,")),
    ("compare", "metrics.csv", swap("metrics.csv", b"\n10,", b"\n\n10,")),
    ("compare", "metrics.csv", swap("metrics.csv", b"\n10,0.05,", b"\n10,")),
    ("evaluate", "run.json", edit("run.json", data=...)),
    ("evaluate", "run.json", edit("run.json", data=[])),
    ("compare", "run.json", edit("run.json", data={})),
    ("compare", "run.json", edit("run.json", data__training__rows="many")),
    ("evaluate", "run.json", edit("run.json", spec__layers=[{"type": "relu"}])),
    ("evaluate", "evaluation.json", edit("evaluation.json", epoch=...)),
    ("evaluate", "evaluation.json", edit("evaluation.json", weights=...)),
    ("evaluate", "evaluation.json", edit("evaluation.json", weights=[])),
    ("compare", "evaluation.json", edit("evaluation.json", splits=...)),
    ("compare", "evaluation.json", edit("evaluation.json", splits__training__loss="low")),
    ("compare", "metrics.csv", swap("metrics.csv", b"epoch,", b"age,")),
    ("compare", "metrics.csv", swap("metrics.csv", b"\n10,", b"\n" + b"9" * 400 + b",")),
    ("compare", "metrics.csv", swap("metrics.csv", b"\n10,", b"\n31,")),
    ("compare", "metrics.csv", swap("metrics.csv", b"\n20,", b"\n5,")),
    ("compare", "metrics.csv", swap("metrics.csv", b"\n10,0.05,", b"\n10,-1e308,")),
    ("evaluate", "run.json", edit("run.json", spec__layers__0__units=10**18)),
    ("compare", "run.json", edit("run.json", parameters=[])),
    ("evaluate", "run.json", edit("run.json", data__training__rows=7)),
    ("compare", "run.json", edit("run.json", data__validation__columns=3)),
    ("compare", "run.json", edit("run.json", data__training__classes=None)),
    ("compare", "evaluation.json", edit("run.json", spec__data__samples=1_000_000)),
    ("compare", "evaluation.json", edit("evaluation.json", splits__training__accuracy=255)),
    ("compare", "evaluation.json", edit("evaluation.json", splits__training__data_loss=-5)),
    ("compare", "evaluation.json", edit("evaluation.json", splits__training__accuracy=...)),
    ("compare", "evaluation.json", edit("evaluation.json", epoch=77)),
    ("compare", "metrics.csv", swap("metrics.csv", b"\n10,", b"\n1\r0,")),
    ("compare", "metrics.csv", swap("metrics.csv", b"\n10,0.05,", b"\n10,0.0_5,")),
    ("compare", "metrics.csv", swap("metrics.csv", b"\n10,0.05,", b"\n10, 0.05,")),
    ("compare", "metrics.csv", swap("metrics.csv", b"\n10,0.05,", "\n10,0.0\u0665,".encode())),
    ("compare", "metrics.csv", swap("metrics.csv", b"\n10,0.05,", b"\n10,\x1b[2J,")),
    ("evaluate", "run.json", swap("run.json", b'"format"', b'"format": 1, "format"')),
    ("evaluate", "run.json", swap("run.json", b'"dtype": "<f4"', b'"dtype": "<f8"')),
    ("evaluate", "run.json", swap("run.json", b'"layers.0.weights"', b'"layers.0.biases"')),
    ("evaluate", "evaluation.json", swap("evaluation.json", b'"epoch": 30', b'"epoch": 1e999')),
    ("compare", "metrics.csv", swap("metrics.csv", b"\n10,", b"\n" + b"1" * 200_000)),
]


@pytest.mark.slow
@pytest.mark.parametrize(("command", "name", "damage"), DAMAGED)
def test_damage_is_reported_with_the_file_and_exit_code_4(run, run_cli, command, name, damage):
    """No damage ends with a traceback."""
    damage(run)
    result = run_cli(command, run, *([run.parent / "other"] if command == "compare" else []))
    assert result.code == 4, result.err
    assert result.err.startswith(f"{run / name}: ")
    assert result.out == ""


def anonymous(run):
    """The run as nncli 0.3 wrote it, without the identity in its files."""
    if (run / "evaluation.json").exists():
        edit("evaluation.json", identity=...)(run)
    for path in (run / "checkpoints").iterdir():
        known = unpack(path.read_bytes())
        path.write_bytes(pack(known._replace(identity=None)))


def damaged_checkpoint(run):
    data = bytearray(newest(run).read_bytes())
    data[100] ^= 1
    newest(run).write_bytes(data)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("checkpoints/00000030.ckpt", damaged_checkpoint),
        ("checkpoints/00000030.ckpt", cut("checkpoints/00000030.ckpt")),
        ("checkpoints/00000030.ckpt", put("checkpoints/00000030.ckpt", b"")),
        ("", lambda run: shutil.rmtree(run / "checkpoints")),
        ("metrics.csv", swap("metrics.csv", b",loss,", b",lost,")),
    ],
)
def test_damage_of_an_unfinished_run_is_reported_with_the_file(unfinished, run_cli, name, damage):
    """A checkpoint that was changed, truncated or removed ends the evaluation with exit code 4."""
    damage(unfinished)
    result = run_cli("evaluate", unfinished)
    assert result.code == 4, result.err
    assert result.err.startswith(f"{unfinished / name}: ")


@pytest.mark.slow
@pytest.mark.parametrize(
    "torn", [b"30,0.05,0.1\0\0\0", b"30,0.05,0.1,0.2\n", b"\0" * 99 + b"\n", b"5,0.05,1.0,1.0,0.0,0.5,1.0,0.5\n"]
)
def test_rows_torn_by_a_power_failure_are_ignored(unfinished, run_cli, torn):
    """Rows after the last checkpoint were not synced; the first invalid row ends the metrics of an unfinished run."""
    metrics = unfinished / "metrics.csv"
    lines = metrics.read_bytes().splitlines(keepends=True)
    metrics.write_bytes(b"".join(lines[:-1]) + torn + lines[-1])
    assert Run(unfinished).metrics.column("epoch").tolist() == [0, 10, 20]
    assert run_cli("compare", unfinished, unfinished.parent / "other").code == 0


def test_row_of_too_few_values_is_reported(run, run_cli):
    """The message says in which line it is, how many values it has, and how many are expected."""
    swap("metrics.csv", b"\n10,0.05,", b"\n10,")(run)
    result = run_cli("verify", run)
    assert result.code == 4
    assert "line 3: row of epoch 10 has 7 values, expected 8" in " ".join(result.out.split())


@pytest.mark.slow
def test_many_rows_take_little_memory(run):
    """metrics.csv of 20,000 rows is read in three times its size, its content included."""
    edit("run.json", spec__training__epochs=20_000, spec__training__log_every=1)(run)
    edit("evaluation.json", identity=..., epoch=20_000, epochs_trained=20_000)(run)
    header = (run / "metrics.csv").read_bytes().splitlines(keepends=True)[0]
    rows = [",".join([str(epoch), *[repr(0.5 + 1 / (epoch + 3))] * 7]) + "\n" for epoch in range(20_000)]
    (run / "metrics.csv").write_bytes(header + "".join(rows).encode())
    reader = Run(run)
    assert reader.evaluation
    tracemalloc.start()
    try:
        assert len(reader.metrics) == 20_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * (run / "metrics.csv").stat().st_size


def test_file_larger_than_possible_is_not_read(run, run_cli):
    """Its size is checked before a byte of it is read."""
    with (run / "weights.npz").open("r+b") as file:
        file.truncate(2**31 + 1)
    result = run_cli("evaluate", run)
    assert result.code == 4
    assert result.err == (f"{run / 'weights.npz'}: has 2,147,483,649 bytes, expected at most 4,796 in this run\n")


FILES = ["run.json", "evaluation.json", "metrics.csv", "weights.npz"]


def linked(path):
    """Move a file or a directory out of the run, and leave a symbolic link to it."""
    outside = path.parents[1] / f"outside-{path.name}"
    path.rename(outside)
    path.symlink_to(outside)


def piped(path):
    """Replace a file by a pipe that nobody writes to."""
    path.unlink()
    os.mkfifo(path)


def sparse(path):
    """Replace a file by a sparse one of 3 GiB, which takes no disk space."""
    with path.open("r+b") as file:
        file.truncate(3 * 2**30)


@pytest.mark.slow
@pytest.mark.parametrize("damage", [linked, piped, sparse])
@pytest.mark.parametrize("name", FILES)
def test_special_files_are_rejected(run, run_cli, name, damage):
    """A link out of the run, a pipe, and a huge file are errors that name the path, without delay."""
    damage(run / name)
    results = [run_cli("evaluate", run), run_cli("compare", run, run.parent / "other")]
    errors = [result.err for result in results if result.code]
    assert errors
    assert {result.code for result in results} <= {0, 4}
    assert all(err.startswith(f"{run / name}: ") for err in errors)


@pytest.mark.slow
@pytest.mark.parametrize("damage", [linked, piped, sparse])
@pytest.mark.parametrize("name", ["checkpoints/00000030.ckpt", "checkpoints"])
def test_special_files_as_checkpoint_are_rejected(unfinished, run_cli, name, damage):
    """The directory of checkpoints must be a real directory too."""
    if name == "checkpoints" and damage is not linked:
        shutil.rmtree(unfinished / name)
        (unfinished / name).touch()
    damage(unfinished / name)
    result = run_cli("evaluate", unfinished)
    assert result.code == 4
    assert result.err.startswith(f"{unfinished / name}: ")


def test_link_to_a_run_is_read(run, workdir, run_cli):
    """Only links inside the run are refused."""
    (workdir / "link").symlink_to(run)
    assert run_cli("evaluate", workdir / "link").code == 0


def test_renamed_checkpoint_is_rejected(unfinished, run_cli):
    """An old checkpoint with the newest name is not the newest state."""
    first = unfinished / "checkpoints" / "00000000.ckpt"
    first.rename(newest(unfinished))
    result = run_cli("evaluate", unfinished)
    assert result.code == 4
    assert "00000030.ckpt: damaged: it is the checkpoint after 0 updates" in result.err


def test_checkpoint_replaced_meanwhile_is_read_again(unfinished, monkeypatch):
    """If training has removed the listed checkpoint, the new one is read."""
    read, newer = files.read, newest(unfinished).with_name("00000031.ckpt")

    def late(directory, name, limit):
        if name.endswith("30.ckpt") and not newer.exists():
            known = unpack(newest(unfinished).read_bytes())
            newest(unfinished).unlink()
            newer.write_bytes(pack(known._replace(state=known.state.model_copy({"updates": 31}))))
        return read(directory, name, limit)

    monkeypatch.setattr(files, "read", late)
    assert Run(unfinished).checkpoint.state.updates == 31


def test_other_files_are_no_checkpoints(unfinished):
    """The name of a checkpoint is a number of updates with at least eight digits."""
    for name in ("99.ckpt", "000000099.ckpt", "٣٣٣٣٣٣٣٣.ckpt", ".00000099.ckpt.ab12", "9" * 60 + ".ckpt", "x"):
        (unfinished / "checkpoints" / name).write_bytes(b"x")
    assert [path.name for path in checkpoints(unfinished)] == ["00000000.ckpt", "00000030.ckpt"]
    (unfinished / "checkpoints" / "100000000.ckpt").touch()
    assert checkpoints(unfinished)[-1].name == "100000000.ckpt"


def test_checkpoint_after_the_last_epoch_is_rejected(unfinished, run_cli):
    """It cannot belong to the config."""
    known = unpack(newest(unfinished).read_bytes())
    newest(unfinished).write_bytes(pack(known._replace(state=known.state.model_copy(update={"epoch": 31}))))
    result = run_cli("evaluate", unfinished)
    assert result.code == 4
    assert "it has more epochs than the config" in result.err


@pytest.mark.parametrize("name", ["config.yaml", "config.original.yaml", "run.json", "checkpoints/00000030.ckpt"])
def test_read_returns_any_file_within_its_limit(run, name):
    """Each file has a size limit."""
    assert Run(run).read(name) == (run / name).read_bytes()
    sparse(run / name)
    with pytest.raises(RunError, match="expected at most"):
        Run(run).read(name)


def test_network_larger_than_memory_is_rejected(run, run_cli):
    """A config and parameters of a petabyte that match each other are refused before anything is allocated."""
    edit("run.json", spec__layers__0__units=2**45)(run)
    record = document(run / "run.json")
    for array in record["parameters"][:3]:
        array["shape"] = [2**45 if size == 8 else size for size in array["shape"]]
    put_record(run / "run.json", record)
    result = run_cli("evaluate", run)
    assert result.code == 4
    assert "GiB of memory, but this machine has" in result.err


def replace_weights(run, weights):
    """Replace the final weights, with a matching checksum in evaluation.json."""
    (run / "weights.npz").write_bytes(weights)
    edit("evaluation.json", weights={"bytes": len(weights), "sha256": hashlib.sha256(weights).hexdigest()})(run)


class Touch:
    """An object whose pickle creates a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_pickle_is_never_loaded(run, workdir, run_cli):
    """Code in the weights is not executed, even with a matching checksum."""
    file = io.BytesIO()
    np.savez(file, **{"layers.0.weights": np.array([Touch(workdir / "executed")], object)})
    replace_weights(run, file.getvalue())
    assert run_cli("evaluate", run).code != 0
    assert not (workdir / "executed").exists()


@pytest.mark.slow
@pytest.mark.parametrize("weights", [b"", b"no archive", pickle.dumps([1])])
def test_matching_checksum_is_not_enough(run, run_cli, weights):
    """A file that is not an NPZ archive is damage."""
    replace_weights(run, weights)
    result = run_cli("evaluate", run)
    assert result.code == 4, result.err
    assert result.err.startswith(f"{run / 'weights.npz'}: ")


@pytest.mark.slow
@pytest.mark.parametrize("change", ["layers[0].units=9", "dtype=float64", "layers[1]={type: dense, units: 8}"])
@pytest.mark.parametrize("kind", ["final", "checkpoint"])
def test_weights_of_another_network_are_rejected(run, workdir, run_cli, change, kind):
    """Names, shapes and dtypes must be equal; nothing is truncated, broadcast or cast to fit."""
    assert run_cli("train", "config.yaml", change, "--quiet", "--name", "different").code == 0
    different = workdir / "runs" / "different"
    if kind == "checkpoint":
        (run / "evaluation.json").unlink()
        newest(run).write_bytes(newest(different).read_bytes())
    else:
        for name in ("weights.npz", "evaluation.json"):
            (run / name).write_bytes((different / name).read_bytes())
    result = run_cli("evaluate", run)
    assert result.code == 4
    assert "belongs to another run" in result.err
    anonymous(run)
    result = run_cli("evaluate", run)
    assert result.code == 4
    assert "weights do not fit" in result.err


def test_checkpoint_with_too_few_weights_is_rejected(unfinished, run_cli):
    """A vector that is too short is not broadcast."""
    known = unpack(newest(unfinished).read_bytes())
    state = known.state.model_copy({"vectors": {"values": known.state.vectors["values"][:1]}})
    newest(unfinished).write_bytes(pack(known._replace(state=state)))
    assert run_cli("evaluate", unfinished).code == 4


def test_loaded_weights_equal_the_file(run):
    """Every array is equal bit for bit, and the epoch is that of the evaluation."""
    reader = Run(run)
    network = assemble(reader.config).network
    assert reader.load_weights(network.parameters) == 30
    with np.load(run / "weights.npz") as arrays:
        for name, view in network.parameters.views(network.parameters.values).items():
            assert np.array_equal(view, arrays[name])


def test_weights_of_an_interrupted_run_are_those_of_its_newest_checkpoint(unfinished):
    """The epoch is that of the checkpoint."""
    newest(unfinished).unlink()
    reader = Run(unfinished)
    experiment = assemble(reader.config)
    drawn = experiment.network.parameters.values.copy()
    experiment.network.parameters.values[...] = 0
    assert reader.load_weights(experiment.network.parameters) == 0
    assert np.array_equal(experiment.network.parameters.values, drawn)


def test_run_json_has_the_resolved_config(run, workdir):
    """What is read equals what was trained, with every default filled in."""
    from nncli.experiment.loading import load

    assert Run(run).config.model_dump() == load(workdir / "config.yaml").config.model_dump()
    assert {split: Run(run).data[split].rows for split in ("training", "validation")} == {
        "training": 60,
        "validation": 60,
    }


@pytest.fixture
def trained(workdir, run_cli):
    """Train the small config with some overrides, under a name."""

    def run(*overrides, name="changed"):
        result = run_cli("train", "config.yaml", "--quiet", "--name", name, *overrides)
        assert result.code == 0, result.err
        return workdir / "runs" / name

    return run


def document(path):
    return json.loads(path.read_text(encoding="utf-8"))


def as_version_0_1(path):
    """Remove from a run what version 0.1.0 did not write."""
    changes = {"spec__metrics": ..., "spec__schedule": ..., "spec__clipping": ..., "spec__split_method": ...}
    edit("run.json", format=1, sha256=..., **changes)(path)
    anonymous(path)
    edit("evaluation.json", format=1, sha256=..., data=...)(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [(), ("test={type: spiral, samples: 10}",), ("validation={fraction: 0.25}",), ("rng=nnfs", "validation.seed=7")],
)
def test_run_of_version_0_1_is_evaluated(trained, run_cli, changes):
    """Missing keys have their defaults, and every metric is the recorded one."""
    path = trained(*changes)
    recorded = document(path / "evaluation.json")["splits"]
    as_version_0_1(path)
    result = run_cli("evaluate", path, "--json")
    assert (result.code, result.err) == (0, "")
    assert {name: part["metrics"] for name, part in json.loads(result.out)["splits"].items()} == recorded


def test_sampling_order_of_version_0_1_is_reported(trained, run_cli):
    """With the legacy RNG stream it sampled data sets in another order; the message says why the data differs."""
    path = trained("rng=nnfs")
    anonymous(path)
    record = document(path / "run.json")
    record["data"]["validation"]["sha256"] = "0" * 64
    record["versions"]["nncli"] = "0.1.0"
    put_record(path / "run.json", record)
    result = run_cli("evaluate", path)
    assert result.code == 4
    assert (
        "the validation data differs from what the run was trained on; the run was made with nncli 0.1.0" in result.err
    )
    record["spec"]["test"] = record["spec"]["data"]
    record["data"]["test"] = record["data"]["training"]
    put_record(path / "run.json", record)
    result = run_cli("evaluate", path)
    assert result.code == 4
    assert "nncli 0.1.0 sampled the test set before training, which is no longer supported" in result.err


def test_runs_of_two_versions_have_no_config_differences(run, run_cli):
    """Defaults that only the newer version writes are not differences."""
    as_version_0_1(run)
    result = run_cli("compare", run, run.parent / "other", "--json")
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out)["differences"] == {}


@pytest.mark.slow
@pytest.mark.parametrize("changes", [NORMALIZED, BINARY, SINE])
def test_checkpoint_gives_the_recorded_metrics(trained, run_cli, changes):
    """Its weights, with the running statistics, give the metrics of the last epoch bit for bit."""
    path = trained(*changes)
    recorded = document(path / "evaluation.json")["splits"]
    missing("evaluation.json")(path)
    missing("weights.npz")(path)
    assessment = json.loads(run_cli("evaluate", path, "--json").out)
    assert assessment["status"] == "not evaluated"
    assert {name: part["metrics"] for name, part in assessment["splits"].items()} == recorded


def test_weights_without_running_statistics_are_rejected(trained, run_cli):
    """An archive without them does not belong to this network, even with a matching checksum."""
    path = trained(*NORMALIZED)
    with np.load(path / "weights.npz") as arrays:
        kept = {name: array for name, array in arrays.items() if "running" not in name}
    file = io.BytesIO()
    np.savez(file, **kept)
    replace_weights(path, file.getvalue())
    result = run_cli("evaluate", path)
    assert result.code == 4
    assert "the weights do not fit: layers.1.running_mean is missing" in result.err


def test_late_test_set_is_described_by_evaluation_json(trained):
    """A test set that is sampled after training is not described before."""
    path = trained(*LATE_TEST)
    assert {name: data.rows for name, data in Run(path).data.items()} == {"training": 60, "validation": 60, "test": 30}
    assert Run(path).fingerprints["test"] == document(path / "evaluation.json")["data"]["test"]["sha256"]
    missing("evaluation.json")(path)
    assert set(Run(path).data) == {"training", "validation"}


@pytest.mark.parametrize(
    "damage",
    [
        edit("evaluation.json", data=...),
        edit("evaluation.json", data=[]),
        edit("evaluation.json", data__test=...),
        edit("evaluation.json", data__validation={"rows": 1, "columns": 2, "classes": 3, "sha256": ""}),
        edit("evaluation.json", data__test__rows=0),
        edit("evaluation.json", splits__test=...),
        edit("evaluation.json", splits__test__accuracy=2),
    ],
)
def test_late_test_set_without_description_is_damage(trained, run_cli, damage):
    """evaluation.json describes exactly the splits that run.json does not."""
    path = trained(*LATE_TEST)
    damage(path)
    result = run_cli("evaluate", path)
    assert (result.code, result.out) == (4, "")
    assert result.err.startswith(f"{path / 'evaluation.json'}: damaged: ")


def test_late_test_set_must_match_its_checksum(trained, run_cli):
    """If it is sampled again, it must be equal row for row."""
    path = trained(*LATE_TEST)
    edit("evaluation.json", data__test__sha256="0" * 64)(path)
    result = run_cli("evaluate", path)
    assert (result.code, result.out) == (4, "")
    assert "the test data differs from what the run was trained on" in result.err


def with_rng_state(path, change):
    """Replace the RNG state in the newest checkpoint, with a matching checksum."""
    known = unpack(newest(path).read_bytes())
    state = known.state.model_copy(update={"rng": change(known.state.rng)})
    newest(path).write_bytes(pack(known._replace(state=state)))


def other_key(change):
    """Replace the key of the Mersenne Twister in an RNG state."""
    return lambda rng: {**rng, "state": {**rng["state"], "key": change(list(rng["state"]["key"]))}}


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda rng: {}, id="empty"),
        pytest.param(lambda rng: {**rng, "state": []}, id="no_mapping"),
        pytest.param(other_key(lambda key: key[:10]), id="short_key"),
        pytest.param(other_key(lambda key: key[5:]), id="words_missing"),
        pytest.param(other_key(lambda key: [-1, *key[1:]]), id="negative_word"),
        pytest.param(other_key(lambda key: [2**40, *key[1:]]), id="word_too_large"),
        pytest.param(other_key(lambda key: [word ^ 1 for word in key]), id="other_words"),
        pytest.param(lambda rng: {**rng, "state": {**rng["state"], "pos": 2**40}}, id="position_outside"),
        pytest.param(lambda rng: {**rng, "bit_generator": "PCG64"}, id="other_generator"),
        pytest.param(lambda rng: None, id="none"),
    ],
)
def test_damaged_rng_state_is_damage_of_the_run(trained, run_cli, change):
    """The test set cannot be sampled again, which ends with exit code 4 and no traceback."""
    path = trained(*LATE_TEST)
    with_rng_state(path, change)
    result = run_cli("evaluate", path)
    assert (result.code, result.out) == (4, "")
    assert result.err.startswith(f"{path}")


def test_weights_of_a_newer_format_are_not_damage(run, run_cli):
    """run.json has the format version of weights.npz."""
    edit("run.json", formats__weights=2)(run)  # another file's
    assert run_cli("evaluate", run).code == 0
    record = document(run / "run.json")
    record["formats"] = {"metrics.csv": 1, "weights.npz": 2}
    put_record(run / "run.json", record)
    result = run_cli("evaluate", run)
    assert result.code == 4
    assert "weights.npz: has format version 2, and nncli " in result.err
    assert "damaged" not in result.err


def test_unknown_metric_of_a_newer_version_is_shown(run, run_cli):
    """evaluation.json may have metrics that this version does not know, without bounds."""
    edit("evaluation.json", splits__validation__warp=-7.25, splits__training__warp=8.5)(run)
    result = run_cli("compare", run, run.parent / "other", "--json")
    assert (result.code, result.err) == (0, "")
    shown = json.loads(result.out)["runs"][0]["metrics"]
    assert (shown["warp"], shown["validation_warp"]) == (8.5, -7.25)
    assert "validation_warp" in run_cli("compare", run, run.parent / "other").out
    assert run_cli("verify", run).code == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["auc", "\x1b[2J", "Warp", "", "w" * 200])
def test_impossible_name_of_a_metric_is_damage(run, name):
    """A known metric that the config does not have, or what cannot be the name of a metric."""
    record = document(run / "evaluation.json")
    record["splits"]["training"][name] = 0.5
    put_record(run / "evaluation.json", record)
    with pytest.raises(RunError, match=r"evaluation\.json: damaged: splits\.training has other metrics"):
        _ = Run(run).evaluation


def test_status_has_its_epoch_and_text(run, unfinished):
    """The text is that of the command line and of ``--json``."""
    assert Run(unfinished).status is RunStatus.UNEVALUATED
    newest(unfinished).unlink()
    assert Run(unfinished).progress == RunProgress(RunStatus.INTERRUPTED, 0)
    assert str(RunProgress(RunStatus.INTERRUPTED, 5, is_resumable=True)) == "interrupted at epoch 5, resumable"
    assert [str(RunProgress(status)) for status in RunStatus] == [status.value for status in RunStatus]


def test_each_file_is_parsed_once(run, monkeypatch):
    """Config, status and evaluation need run.json and evaluation.json once each; no schema is built again."""
    assert Run(run).evaluation
    parsed, schemas = [], model._validator.cache_info().misses
    load = records.load_strict_json
    monkeypatch.setattr(records, "load_strict_json", lambda data: parsed.append(len(data)) or load(data))
    again = Run(run)
    assert again.config is not None
    assert (again.progress.status, again.identity) == (
        RunStatus.FINISHED,
        again.evaluation.identity,
    )
    assert sorted(parsed) == sorted((run / name).stat().st_size for name in ("run.json", "evaluation.json"))
    assert model._validator.cache_info().misses == schemas
