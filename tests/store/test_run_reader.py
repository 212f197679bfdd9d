"""A run directory as its readers see it: status from lock and files, and nothing taken on trust."""

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
from nncli.store import safe_read as files
from nncli.store.checkpoint import checkpoints, pack, unpack
from nncli.store.lock import Lock
from nncli.store.run_reader import Run
from tests.examples import BINARY, LATE_TEST, NORMALIZED, SINE, put_record


@pytest.fixture
def run(workdir, run_cli):
    """A finished run of the small spec, and another one to hold it against."""
    for name in ("run", "other"):
        assert run_cli("train", "config.yaml", "--quiet", "--name", name).code == 0
    return workdir / "runs" / "run"


@pytest.fixture
def unfinished(run):
    """The same run without what declares it finished."""
    (run / "evaluation.json").unlink()
    (run / "weights.npz").unlink()
    return run


def newest(run):
    return max((run / "checkpoints").iterdir())


def put(name, text):
    """A damage: the file holds this instead."""
    return lambda run: (run / name).write_bytes(text)


def cut(name):
    """A damage: the second half of the file is gone."""
    return lambda run: (run / name).write_bytes((run / name).read_bytes()[: (run / name).stat().st_size // 2])


def swap(name, old, new):
    """A damage: one place in the file is another."""

    def swapped(run):
        data = (run / name).read_bytes()
        assert old in data
        (run / name).write_bytes(data.replace(old, new, 1))

    return swapped


def edit(name, **values):
    """A damage: valid JSON in which some values, given as ``a__b=value``, are others; ... takes a key away."""

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


def gone(name):
    """A damage: the file is not there."""
    return lambda run: (run / name).unlink()


def folder(name):
    """A damage: a folder has the file's name."""

    def replaced(run):
        (run / name).unlink()
        (run / name).mkdir()

    return replaced


def test_a_finished_run_says_so(run):
    """weights.npz and evaluation.json, with no lock held, mean finished."""
    assert Run(run).status == "finished"


def test_a_run_without_its_evaluation_is_not_finished(run):
    """A run whose last write did not happen is an interrupted one, read from its checkpoint."""
    (run / "evaluation.json").unlink()
    assert Run(run).status == "interrupted at epoch 30"
    assert Run(run).evaluation is None


def test_an_evaluation_without_weights_is_damage(run):
    """weights.npz is written first: where it is missing, it was removed."""
    (run / "weights.npz").unlink()
    with pytest.raises(RunError, match=r"weights\.npz: missing, though evaluation\.json is there"):
        assert Run(run).status


def test_an_evaluation_of_fewer_epochs_than_asked_for_counts_no_more(run):
    """As in a run whose number of epochs was raised, before evaluation.json is removed."""
    edit("run.json", spec__training__epochs=50)(run)
    assert Run(run).evaluation is None
    assert Run(run).status == "interrupted at epoch 30"


def test_a_run_is_running_as_long_as_its_lock_is_held(unfinished):
    """The kernel's lock decides, and reading neither takes it nor waits for it."""
    lock = Lock(unfinished / "lock")
    assert Run(unfinished).status == "running"
    lock.release()
    assert Run(unfinished).status == "interrupted at epoch 30"


def test_status_follows_the_newest_checkpoint(unfinished):
    """An interrupted run is as far as its newest checkpoint."""
    newest(unfinished).unlink()
    assert Run(unfinished).status == "interrupted at epoch 0"


def test_a_last_row_without_numbers_is_a_diverged_run(unfinished):
    """The row of NaN that a divergence leaves is what it is known by."""
    with (unfinished / "metrics.csv").open("a", encoding="utf-8") as file:
        file.write("30" + ",nan" * 7 + "\n")
    assert Run(unfinished).status == "diverged at epoch 30"


def test_a_status_that_a_file_claims_is_not_believed(run):
    """No field of any file says how a run ended."""
    edit("run.json", status="running")(run)
    edit("evaluation.json", status="diverged")(run)
    assert Run(run).status == "finished"


def test_reading_changes_nothing(run, run_cli):
    """Evaluating and comparing leave every file as it was."""
    files = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert run_cli("evaluate", run).code == run_cli("compare", run, run.parent / "other").code == 0
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == files


@pytest.mark.parametrize("name", ["missing", "config.yaml", "runs"])
def test_what_is_no_run_is_named(run, workdir, name):
    """A path that is missing, is a file, or is any other folder."""
    with pytest.raises(RunError, match=r"no .*run directory") as told:
        Run(workdir / name)
    assert told.value.exit_code == 4
    assert str(workdir / name) in str(told.value)


def test_a_run_without_run_json_is_damaged(run, run_cli):
    """Its other files tell that it is a run: the message names the missing file, and the list of runs has it."""
    (run / "run.json").unlink()
    with pytest.raises(RunError, match=r"run\.json: missing, though the other files of a run are there"):
        Run(run)
    assert "damaged" in run_cli("runs").out
    assert "run.json: missing, though the other files of a run are there" in run_cli("evaluate", "run").err


def test_a_small_file_does_not_make_large_arrays(run, run_cli):
    """Sizes of files are compared with the parameters that run.json lists before anything of their size is made."""
    edit("run.json", spec__layers__0__units=900_000)(run)
    record = document(run / "run.json")
    for array in record["parameters"][:3]:
        array["shape"] = [900_000 if size == 8 else size for size in array["shape"]]
    put_record(run / "run.json", record)
    gone("evaluation.json")(run)
    for path in (run / "checkpoints").iterdir():
        known = unpack(path.read_bytes())
        path.write_bytes(pack(known._replace(identity=Run(run).identity)))
    tracemalloc.start()
    result = run_cli("evaluate", run)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result.code == 4
    assert "run.json lists 21,600,012 bytes of parameters, and no file holds as many" in result.err
    assert peak < 2_000_000


def test_a_half_written_last_line_of_metrics_is_ignored(run):
    """What has no line end yet is still being written."""
    whole = Run(run).metrics
    with (run / "metrics.csv").open("a", encoding="utf-8") as file:
        file.write("40,0.05,1.0")
    assert np.array_equal(Run(run).metrics.values, whole.values)
    assert whole.column("epoch").tolist() == [0, 10, 20, 30]


@pytest.mark.parametrize("length", [0, 5])
def test_metrics_without_a_whole_line_are_no_rows(unfinished, length):
    """A file that has not got its header yet gives no rows, and no error."""
    (unfinished / "metrics.csv").write_bytes((unfinished / "metrics.csv").read_bytes()[:length])
    assert len(Run(unfinished).metrics) == 0
    assert Run(unfinished).status == "interrupted at epoch 30"


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
    ("compare", "metrics.csv", gone("metrics.csv")),
    ("compare", "metrics.csv", folder("metrics.csv")),
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


@pytest.mark.parametrize(("command", "name", "damage"), DAMAGED)
def test_damage_is_told_with_the_file_and_exit_code_4(run, run_cli, command, name, damage):
    """Whatever is wrong with a file of a run, the reader names the file, and it is no bug."""
    damage(run)
    result = run_cli(command, run, *([run.parent / "other"] if command == "compare" else []))
    assert result.code == 4, result.err
    assert result.err.startswith(f"{run / name}: ")
    assert result.out == ""


def anonymous(run):
    """The run as nncli 0.3 wrote it: no file says to which run it belongs."""
    if (run / "evaluation.json").exists():
        edit("evaluation.json", identity=...)(run)
    for path in (run / "checkpoints").iterdir():
        known = unpack(path.read_bytes())
        path.write_bytes(pack(known._replace(identity=None)))


def damaged_checkpoint(run):
    data = bytearray(newest(run).read_bytes())
    data[100] ^= 1
    newest(run).write_bytes(data)


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
def test_damage_of_an_unfinished_run_is_told_with_the_file(unfinished, run_cli, name, damage):
    """A checkpoint that was changed, cut, or is missing ends evaluation with exit code 4."""
    damage(unfinished)
    result = run_cli("evaluate", unfinished)
    assert result.code == 4, result.err
    assert result.err.startswith(f"{unfinished / name}: ")


@pytest.mark.parametrize(
    "torn", [b"30,0.05,0.1\0\0\0", b"30,0.05,0.1,0.2\n", b"\0" * 99 + b"\n", b"5,0.05,1.0,1.0,0.0,0.5,1.0,0.5\n"]
)
def test_rows_that_a_power_cut_has_torn_are_none(unfinished, run_cli, torn):
    """Behind the last checkpoint rows were not synced: the readers take those before the first that is none."""
    metrics = unfinished / "metrics.csv"
    lines = metrics.read_bytes().splitlines(keepends=True)
    metrics.write_bytes(b"".join(lines[:-1]) + torn + lines[-1])
    assert Run(unfinished).metrics.column("epoch").tolist() == [0, 10, 20]
    assert run_cli("compare", unfinished, unfinished.parent / "other").code == 0


def test_a_row_of_too_few_values_is_named(run, run_cli):
    """The message says in which line the row is, how many values it has, and how many there should be."""
    swap("metrics.csv", b"\n10,0.05,", b"\n10,")(run)
    result = run_cli("verify", run)
    assert result.code == 4
    assert "line 3: row of epoch 10 has 7 values, expected 8" in " ".join(result.out.split())


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


def test_a_file_that_no_run_could_have_written_is_not_read(run, run_cli):
    """A size far beyond any small network's is refused before a byte of it is read."""
    with (run / "weights.npz").open("r+b") as file:
        file.truncate(2**31 + 1)
    result = run_cli("evaluate", run)
    assert result.code == 4
    assert result.err == (
        f"{run / 'weights.npz'}: has 2,147,483,649 bytes; in this run it can have no more than 4,796\n"
    )


FILES = ["run.json", "evaluation.json", "metrics.csv", "weights.npz"]


def linked(path):
    """Move a file or a folder out of the run, and leave a link to it."""
    outside = path.parents[1] / f"outside-{path.name}"
    path.rename(outside)
    path.symlink_to(outside)


def piped(path):
    """Leave a pipe under the name of a file, to which nobody writes."""
    path.unlink()
    os.mkfifo(path)


def sparse(path):
    """A file of 3 GiB that takes no room on the disk."""
    with path.open("r+b") as file:
        file.truncate(3 * 2**30)


@pytest.mark.parametrize("damage", [linked, piped, sparse])
@pytest.mark.parametrize("name", FILES)
def test_what_lies_under_a_files_name_is_no_trap(run, run_cli, name, damage):
    """A link out of the run, a pipe, a file without end: an error that names it, at once."""
    damage(run / name)
    results = [run_cli("evaluate", run), run_cli("compare", run, run.parent / "other")]
    told = [result.err for result in results if result.code]
    assert told
    assert {result.code for result in results} <= {0, 4}
    assert all(err.startswith(f"{run / name}: ") for err in told)


@pytest.mark.parametrize("damage", [linked, piped, sparse])
@pytest.mark.parametrize("name", ["checkpoints/00000030.ckpt", "checkpoints"])
def test_a_checkpoint_is_no_trap(unfinished, run_cli, name, damage):
    """Nor is the folder of the checkpoints, which has to be one."""
    if name == "checkpoints" and damage is not linked:
        shutil.rmtree(unfinished / name)
        (unfinished / name).touch()
    damage(unfinished / name)
    result = run_cli("evaluate", unfinished)
    assert result.code == 4
    assert result.err.startswith(f"{unfinished / name}: ")


def test_a_run_that_is_itself_a_link_is_read(run, workdir, run_cli):
    """Whoever names a link means where it leads."""
    (workdir / "link").symlink_to(run)
    assert run_cli("evaluate", workdir / "link").code == 0


def test_a_checkpoint_under_another_moments_name_is_refused(unfinished, run_cli):
    """An old checkpoint that was given the newest name is not the newest state."""
    first = unfinished / "checkpoints" / "00000000.ckpt"
    first.rename(newest(unfinished))
    result = run_cli("evaluate", unfinished)
    assert result.code == 4
    assert "00000030.ckpt: damaged: it is the checkpoint after 0 updates" in result.err


def test_a_checkpoint_that_is_replaced_meanwhile_is_looked_for_again(unfinished, monkeypatch):
    """Where the trainer has put newer ones and removed the newest that was listed, the newer one is read."""
    read, newer = files.read, newest(unfinished).with_name("00000031.ckpt")

    def late(folder, name, most):
        if name.endswith("30.ckpt") and not newer.exists():
            known = unpack(newest(unfinished).read_bytes())
            newest(unfinished).unlink()
            newer.write_bytes(pack(known._replace(state=known.state.model_copy({"updates": 31}))))
        return read(folder, name, most)

    monkeypatch.setattr(files, "read", late)
    assert Run(unfinished).checkpoint.state.updates == 31


def test_only_numbers_of_updates_name_checkpoints(unfinished):
    """What else lies in the folder, whatever it is, is not looked at."""
    for name in ("99.ckpt", "000000099.ckpt", "٣٣٣٣٣٣٣٣.ckpt", ".00000099.ckpt.ab12", "9" * 60 + ".ckpt", "x"):
        (unfinished / "checkpoints" / name).write_bytes(b"x")
    assert [path.name for path in checkpoints(unfinished)] == ["00000000.ckpt", "00000030.ckpt"]
    (unfinished / "checkpoints" / "100000000.ckpt").touch()
    assert checkpoints(unfinished)[-1].name == "100000000.ckpt"


def test_a_checkpoint_behind_the_last_epoch_is_refused(unfinished, run_cli):
    """No training goes on behind its spec."""
    known = unpack(newest(unfinished).read_bytes())
    newest(unfinished).write_bytes(pack(known._replace(state=known.state.model_copy(update={"epoch": 31}))))
    result = run_cli("evaluate", unfinished)
    assert result.code == 4
    assert "it has more epochs than the config" in result.err


@pytest.mark.parametrize("name", ["spec.yaml", "run.json", "checkpoints/00000030.ckpt"])
def test_every_file_can_be_read_as_it_is(run, name):
    """A run gives out any of its files, bounded like those that it reads itself."""
    assert Run(run).read(name) == (run / name).read_bytes()
    sparse(run / name)
    with pytest.raises(RunError, match="can have no more than"):
        Run(run).read(name)


def test_a_network_that_no_machine_holds_is_not_begun(run, run_cli):
    """A spec and a list of arrays that resolve_config on a petabyte are refused before any of it is made."""
    edit("run.json", spec__layers__0__units=2**45)(run)
    record = document(run / "run.json")
    for array in record["parameters"][:3]:
        array["shape"] = [2**45 if size == 8 else size for size in array["shape"]]
    put_record(run / "run.json", record)
    result = run_cli("evaluate", run)
    assert result.code == 4
    assert "GiB of memory, but this machine has" in result.err


def sealed(run, weights):
    """Put other final weights into a run, with an evaluation.json that their digest fits."""
    (run / "weights.npz").write_bytes(weights)
    edit("evaluation.json", weights={"bytes": len(weights), "sha256": hashlib.sha256(weights).hexdigest()})(run)


class Touch:
    """An object whose pickle makes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_no_pickle_is_ever_loaded(run, workdir, run_cli):
    """Weights that hold a program are not run, even where their digest fits."""
    file = io.BytesIO()
    np.savez(file, **{"layers.0.weights": np.array([Touch(workdir / "made")], object)})
    sealed(run, file.getvalue())
    assert run_cli("evaluate", run).code != 0
    assert not (workdir / "made").exists()


@pytest.mark.parametrize("weights", [b"", b"no archive", pickle.dumps([1])])
def test_a_digest_that_fits_makes_no_weights(run, run_cli, weights):
    """A file that is no archive of arrays is damage, whatever its digest says."""
    sealed(run, weights)
    result = run_cli("evaluate", run)
    assert result.code == 4, result.err
    assert result.err.startswith(f"{run / 'weights.npz'}: ")


@pytest.mark.parametrize("change", ["layers[0].units=9", "dtype=float64", "layers[1]={type: dense, units: 8}"])
@pytest.mark.parametrize("kind", ["final", "checkpoint"])
def test_weights_of_another_network_are_refused(run, workdir, run_cli, change, kind):
    """Names, shapes and number format have to be equal; nothing is cut, repeated or converted to fit."""
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
    assert "that of another run" in result.err
    anonymous(run)
    result = run_cli("evaluate", run)
    assert result.code == 4
    assert "weights do not fit" in result.err


def test_a_checkpoint_without_some_of_the_weights_is_refused(unfinished, run_cli):
    """A vector that is too short does not broadcast."""
    known = unpack(newest(unfinished).read_bytes())
    state = known.state.model_copy({"vectors": {"values": known.state.vectors["values"][:1]}})
    newest(unfinished).write_bytes(pack(known._replace(state=state)))
    assert run_cli("evaluate", unfinished).code == 4


def test_the_weights_that_are_loaded_are_those_in_the_file(run):
    """Every array is in its place, to the last bit; the epoch is the one that was kept."""
    reader = Run(run)
    network = assemble(reader.config).network
    assert reader.load_weights(network.parameters) == 30
    with np.load(run / "weights.npz") as arrays:
        for name, view in network.parameters.views(network.parameters.values).items():
            assert np.array_equal(view, arrays[name])


def test_an_interrupted_runs_weights_are_those_of_its_newest_checkpoint(unfinished):
    """Without final weights the last checkpoint stands in, with its epoch."""
    newest(unfinished).unlink()
    reader = Run(unfinished)
    experiment = assemble(reader.config)
    drawn = experiment.network.parameters.values.copy()
    experiment.network.parameters.values[...] = 0
    assert reader.load_weights(experiment.network.parameters) == 0
    assert np.array_equal(experiment.network.parameters.values, drawn)


def test_run_json_gives_back_the_resolved_spec(run, workdir):
    """What is read is equal to what was trained, every default filled in."""
    from nncli.experiment.loading import load

    assert Run(run).config.model_dump() == load(workdir / "config.yaml").config.model_dump()
    assert {split: Run(run).data[split].rows for split in ("training", "validation")} == {
        "training": 60,
        "validation": 60,
    }


@pytest.fixture
def trained(workdir, run_cli):
    """Train the small spec, with some values changed, under a name."""

    def run(*overrides, name="changed"):
        result = run_cli("train", "config.yaml", "--quiet", "--name", name, *overrides)
        assert result.code == 0, result.err
        return workdir / "runs" / name

    return run


def document(path):
    return json.loads(path.read_text(encoding="utf-8"))


def as_before(path):
    """Make a run directory as version 0.1.0 has left it: without the keys that came later."""
    changes = {"spec__metrics": ..., "spec__schedule": ..., "spec__clipping": ..., "spec__split_method": ...}
    edit("run.json", format=1, sha256=..., **changes)(path)
    anonymous(path)
    edit("evaluation.json", format=1, sha256=..., data=...)(path)


@pytest.mark.parametrize(
    "changes",
    [(), ("test={type: spiral, samples: 10}",), ("validation={fraction: 0.25}",), ("rng=nnfs", "validation.seed=7")],
)
def test_a_run_of_an_earlier_version_is_evaluated(trained, run_cli, changes):
    """PartialConfig and keys that were not there yet have their defaults, and every metric is the recorded one."""
    path = trained(*changes)
    recorded = document(path / "evaluation.json")["splits"]
    as_before(path)
    result = run_cli("evaluate", path, "--json")
    assert (result.code, result.err) == (0, "")
    assert {name: part["metrics"] for name, part in json.loads(result.out)["splits"].items()} == recorded


def test_the_order_of_an_earlier_version_is_told(trained, run_cli):
    """Sets that 0.1.0 drew in another order from the book's stream cannot be drawn again, and the message says why."""
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
    assert "the test set was drawn before training, as nncli 0.1.0 did it; train it again" in result.err


def test_runs_of_two_versions_are_compared(run, run_cli):
    """What only the newer one says outright is no difference between their specs."""
    as_before(run)
    result = run_cli("compare", run, run.parent / "other", "--json")
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out)["differences"] == {}


@pytest.mark.parametrize("changes", [NORMALIZED, BINARY, SINE])
def test_a_checkpoint_is_worth_what_was_recorded(trained, run_cli, changes):
    """Its weights, running statistics among them, give the metrics of the last epoch to the last bit."""
    path = trained(*changes)
    recorded = document(path / "evaluation.json")["splits"]
    gone("evaluation.json")(path)
    gone("weights.npz")(path)
    assessment = json.loads(run_cli("evaluate", path, "--json").out)
    assert assessment["status"] == "interrupted at epoch 30"
    assert {name: part["metrics"] for name, part in assessment["splits"].items()} == recorded


def test_weights_without_running_statistics_are_refused(trained, run_cli):
    """An archive that lacks them is not one of this network, whatever its digest says."""
    path = trained(*NORMALIZED)
    with np.load(path / "weights.npz") as arrays:
        kept = {name: array for name, array in arrays.items() if "running" not in name}
    file = io.BytesIO()
    np.savez(file, **kept)
    sealed(path, file.getvalue())
    result = run_cli("evaluate", path)
    assert result.code == 4
    assert "the weights do not fit: layers.1.running_mean is missing" in result.err


def test_a_late_test_set_is_known_once_the_run_is_finished(trained):
    """Its rows and fingerprint are read from evaluation.json, and before that there are none."""
    path = trained(*LATE_TEST)
    assert {name: data.rows for name, data in Run(path).data.items()} == {"training": 60, "validation": 60, "test": 30}
    assert Run(path).fingerprints["test"] == document(path / "evaluation.json")["data"]["test"]["sha256"]
    gone("evaluation.json")(path)
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
def test_a_late_test_set_that_is_not_described_is_damage(trained, run_cli, damage):
    """evaluation.json has to say what was drawn, and nothing that run.json says already."""
    path = trained(*LATE_TEST)
    damage(path)
    result = run_cli("evaluate", path)
    assert (result.code, result.out) == (4, "")
    assert result.err.startswith(f"{path / 'evaluation.json'}: damaged: ")


def test_another_late_test_set_than_the_runs_is_refused(trained, run_cli):
    """Drawn again it has to be the one that was measured, row for row."""
    path = trained(*LATE_TEST)
    edit("evaluation.json", data__test__sha256="0" * 64)(path)
    result = run_cli("evaluate", path)
    assert (result.code, result.out) == (4, "")
    assert "the test data differs from what the run was trained on" in result.err


def with_random_state(path, change):
    """Put another random state into the newest checkpoint, which stays whole in itself."""
    known = unpack(newest(path).read_bytes())
    state = known.state.model_copy(update={"rng": change(known.state.rng)})
    newest(path).write_bytes(pack(known._replace(state=state)))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda state: [], id="empty"),
        pytest.param(lambda state: state[:10], id="cut"),
        pytest.param(lambda state: state[5:], id="words_missing"),
        pytest.param(lambda state: [-1, *state[1:]], id="negative_word"),
        pytest.param(lambda state: [2**40, *state[1:]], id="word_too_large"),
        pytest.param(lambda state: [*(word ^ 1 for word in state[:-3]), *state[-3:]], id="other_words"),
        pytest.param(lambda state: [*state[:-3], 2**40, *state[-2:]], id="position_outside"),
        pytest.param(lambda state: None, id="none"),
    ],
)
def test_a_damaged_random_state_is_damage_of_the_run(trained, run_cli, change):
    """A test set that cannot be drawn again ends with exit code 4, neither in silence nor with a traceback."""
    path = trained(*LATE_TEST)
    with_random_state(path, change)
    result = run_cli("evaluate", path)
    assert (result.code, result.out) == (4, "")
    assert result.err.startswith(f"{path}")
