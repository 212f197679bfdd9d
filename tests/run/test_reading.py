"""A run directory as its readers see it: status from lock and files, and nothing taken on trust."""

import hashlib
import io
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from nncli.errors import RunError
from nncli.run import storage
from nncli.run.assembly import assemble
from nncli.run.checkpoint import pack, unpack
from nncli.run.reading import Run


@pytest.fixture
def run(here, nncli):
    """A finished run of the small spec, and another one to hold it against."""
    for name in ("run", "other"):
        assert nncli("train", "config.yaml", "--quiet", "--name", name).code == 0
    return here / "runs" / "run"


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
        (run / name).write_text(json.dumps(document), encoding="utf-8")

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


@pytest.mark.parametrize("name", ["weights.npz", "evaluation.json"])
def test_one_of_the_last_two_files_alone_is_not_finished(run, name):
    """A run whose last writes did not all happen is an interrupted one, read from its checkpoint."""
    (run / name).unlink()
    assert Run(run).status == "interrupted at epoch 30"
    assert Run(run).evaluation is None


def test_a_run_is_running_as_long_as_its_lock_is_held(unfinished):
    """The kernel's lock decides, and reading neither takes it nor waits for it."""
    lock = storage.Lock(unfinished / "lock")
    assert Run(unfinished).status == "running"
    lock.release()
    assert Run(unfinished).status == "interrupted at epoch 30"


def test_status_follows_the_newest_checkpoint(unfinished):
    """An interrupted run is as far as its newest checkpoint."""
    newest(unfinished).unlink()
    assert Run(unfinished).status == "interrupted at epoch 0"


def test_a_last_row_without_numbers_is_a_diverged_run(unfinished):
    """The row of NaN that a divergence leaves is what it is known by."""
    with (unfinished / "metrics.csv").open("a") as file:
        file.write("30" + ",nan" * 7 + "\n")
    assert Run(unfinished).status == "diverged at epoch 30"


def test_a_status_that_a_file_claims_is_not_believed(run):
    """No field of any file says how a run ended."""
    edit("run.json", status="running")(run)
    edit("evaluation.json", status="diverged")(run)
    assert Run(run).status == "finished"


def test_reading_changes_nothing(run, nncli):
    """Evaluating and comparing leave every file as it was."""
    files = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert nncli("evaluate", run).code == nncli("compare", run, run.parent / "other").code == 0
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == files


@pytest.mark.parametrize("name", ["missing", "config.yaml", "runs"])
def test_what_is_no_run_is_named(run, here, name):
    """A path that is missing, is a file, or is any other folder."""
    with pytest.raises(RunError, match=r"no .*run directory") as told:
        Run(here / name)
    assert told.value.exit_code == 4
    assert str(here / name) in str(told.value)


def test_a_half_written_last_line_of_metrics_is_ignored(run):
    """What has no line end yet is still being written."""
    whole = Run(run).metrics
    with (run / "metrics.csv").open("a") as file:
        file.write("40,0.05,1.0")
    assert Run(run).metrics == whole
    assert [row["epoch"] for row in whole] == [0, 10, 20, 30]


@pytest.mark.parametrize("length", [0, 5])
def test_metrics_without_a_whole_line_are_no_rows(unfinished, length):
    """A file that has not got its header yet gives no rows, and no error."""
    (unfinished / "metrics.csv").write_bytes((unfinished / "metrics.csv").read_bytes()[:length])
    assert Run(unfinished).metrics == []
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
    ("evaluate", "run.json", edit("run.json", format=2)),
    ("evaluate", "run.json", edit("run.json", spec=...)),
    ("evaluate", "run.json", edit("run.json", spec__loss__type="mse")),
    ("evaluate", "", edit("run.json", data__training__sha256="0" * 64)),
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
    ("evaluate", "", edit("run.json", data__training__rows=7)),
    ("compare", "evaluation.json", edit("evaluation.json", splits__training__accuracy=255)),
    ("compare", "evaluation.json", edit("evaluation.json", splits__training__data_loss=-5)),
    ("compare", "evaluation.json", edit("evaluation.json", splits__training__accuracy=...)),
    ("compare", "evaluation.json", edit("evaluation.json", epoch=77)),
    ("compare", "metrics.csv", swap("metrics.csv", b"\n10,", b"\n1\r0,")),
    ("compare", "metrics.csv", swap("metrics.csv", b"\n10,", b"\n" + b"1" * 200_000)),
]


@pytest.mark.parametrize(("command", "name", "damage"), DAMAGED)
def test_damage_is_told_with_the_file_and_exit_code_4(run, nncli, command, name, damage):
    """Whatever is wrong with a file of a run, the reader names the file, and it is no bug."""
    damage(run)
    result = nncli(command, run, *([run.parent / "other"] if command == "compare" else []))
    assert result.code == 4, result.err
    assert result.err.startswith(f"{run / name}: ")
    assert result.out == ""


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
def test_damage_of_an_unfinished_run_is_told_with_the_file(unfinished, nncli, name, damage):
    """A checkpoint that was changed, cut, or is missing ends evaluation with exit code 4."""
    damage(unfinished)
    result = nncli("evaluate", unfinished)
    assert result.code == 4, result.err
    assert result.err.startswith(f"{unfinished / name}: ")


def test_a_file_that_no_run_could_have_written_is_not_read(run, nncli):
    """A size far beyond any small network's is refused before a byte of it is read."""
    with (run / "weights.npz").open("r+b") as file:
        file.truncate(2**31 + 1)
    result = nncli("evaluate", run)
    assert result.code == 4
    assert result.err == f"{run / 'weights.npz'}: larger than any file of a run\n"


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


def test_no_pickle_is_ever_loaded(run, here, nncli):
    """Weights that hold a program are not run, even where their digest fits."""
    file = io.BytesIO()
    np.savez(file, **{"layers.0.weights": np.array([Touch(here / "made")], object)})
    sealed(run, file.getvalue())
    assert nncli("evaluate", run).code != 0
    assert not (here / "made").exists()


@pytest.mark.parametrize("weights", [b"", b"no archive", pickle.dumps([1])])
def test_a_digest_that_fits_makes_no_weights(run, nncli, weights):
    """A file that is no archive of arrays is damage, whatever its digest says."""
    sealed(run, weights)
    result = nncli("evaluate", run)
    assert result.code == 4, result.err
    assert result.err.startswith(f"{run / 'weights.npz'}: ")


@pytest.mark.parametrize("change", ["layers[0].units=9", "dtype=float64", "layers[1]={type: dense, units: 8}"])
@pytest.mark.parametrize("kind", ["final", "checkpoint"])
def test_weights_of_another_network_are_refused(run, here, nncli, change, kind):
    """Names, shapes and number format have to be equal; nothing is cut, repeated or converted to fit."""
    assert nncli("train", "config.yaml", change, "--quiet", "--name", "different").code == 0
    different = here / "runs" / "different"
    if kind == "checkpoint":
        (run / "evaluation.json").unlink()
        newest(run).write_bytes(newest(different).read_bytes())
    else:
        for name in ("weights.npz", "evaluation.json"):
            (run / name).write_bytes((different / name).read_bytes())
    result = nncli("evaluate", run)
    assert result.code == 4
    assert "weights do not fit" in result.err


def test_a_checkpoint_without_some_of_the_weights_is_refused(unfinished, nncli):
    """A vector that is too short does not broadcast."""
    known = unpack(newest(unfinished).read_bytes())
    newest(unfinished).write_bytes(pack(known.position, {"values": known.vectors["values"][:1]}))
    assert nncli("evaluate", unfinished).code == 4


def test_the_weights_that_are_loaded_are_those_in_the_file(run):
    """Every array is in its place, to the last bit; the epoch is the one that was kept."""
    reader = Run(run)
    network = assemble(reader.spec).network
    assert reader.load_weights(network.parameters) == 30
    with np.load(run / "weights.npz") as arrays:
        for name, view in network.parameters.views(network.parameters.values).items():
            assert np.array_equal(view, arrays[name])


def test_an_interrupted_runs_weights_are_those_of_its_newest_checkpoint(unfinished):
    """Without final weights the last checkpoint stands in, with its epoch."""
    newest(unfinished).unlink()
    reader = Run(unfinished)
    experiment = assemble(reader.spec)
    drawn = experiment.network.parameters.values.copy()
    experiment.network.parameters.values[...] = 0
    assert reader.load_weights(experiment.network.parameters) == 0
    assert np.array_equal(experiment.network.parameters.values, drawn)


def test_run_json_gives_back_the_resolved_spec(run, here):
    """What is read is equal to what was trained, every default filled in."""
    from nncli.run.loading import load

    assert Run(run).spec.model_dump() == load(here / "config.yaml").spec.model_dump()
    assert {split: Run(run).rows(split) for split in ("training", "validation")} == {"training": 60, "validation": 60}
