"""Training on arrays, IDX files and images: what is scaled, fitted, recorded, refused and predicted."""

import contextlib
import json
import os
import struct
import subprocess
import sys
import time
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nncli
from nncli.errors import CommandLineError, ConfigError, RunError
from nncli.experiment.loading import load
from nncli.experiment.memory import memory_bytes
from nncli.experiment.preparation import splits
from nncli.experiment.rng import rngs
from nncli.inference.opening import open_predictions
from nncli.runner.resume import resume
from nncli.runner.train import train
from nncli.store.preprocessing import read_preprocessing
from nncli.store.run_reader import Run
from tests.conftest import ROOT

ROWS = 60
CONFIG = """\
seed: 0
data: {{type: {data}}}
validation: {validation}
test: {test}
layers: [{{type: dense, units: 8}}, relu, {{type: dense, units: {units}}}{softmax}]
loss: {loss}
optimizer: adam
training: {{epochs: 3, batch_size: 8}}
"""
CLASSES = {"units": 3, "softmax": ", softmax", "loss": "categorical_crossentropy"}
REGRESSION = {"units": 2, "softmax": "", "loss": "mean_squared_error"}
FRACTIONS = {"validation": "{fraction: 0.2}", "test": "{fraction: 0.2}"}
OTHERS = {"validation": "{path: valid.npz}", "test": "{path: test.npz}"}


def make_images(seed=0, rows=ROWS, shape=(6, 5)):
    """Images of bytes (N, H, W), and their labels from 0 to 2."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (rows, *shape), dtype=np.uint8), np.arange(rows, dtype=np.uint8) % 3


def numbers(seed=0, rows=ROWS):
    """Features of very different sizes (N, 4), and two real-valued targets (N, 2)."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal([0, 5, 1e6, -3], [1, 10, 1e3, 1e-3], (rows, 4))
    return inputs, np.stack([inputs[:, 0] * 100, inputs[:, 1] + 7], axis=1)


def write_idx(path, array):
    """Write bytes as an IDX file."""
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes())


def write_images(directory, images, labels):
    """Write a PNG for each image, in a subdirectory of its class."""
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = directory / f"class_{label}" / f"{index:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty directory that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def trained(here, run_cli):
    """Write a config, train, and return the run."""

    def train(data, name="run", *overrides, **values):
        content = CONFIG.format(**{"data": data, **CLASSES, **FRACTIONS, **values})
        (here / "config.yaml").write_text(content, encoding="utf-8")
        result = run_cli("train", "config.yaml", "-q", "--name", name, *overrides)
        assert result.code == 0, result.err
        return Run(here / "runs" / name)

    return train


@pytest.fixture
def refused(here, run_cli):
    """Check a config that is wrong, and return the message."""

    def check(data, code=3, **values):
        content = CONFIG.format(**{"data": data, **CLASSES, **FRACTIONS, **values})
        (here / "config.yaml").write_text(content, encoding="utf-8")
        result = run_cli("check", "config.yaml")
        assert result.code == code, result.err
        return result.err

    return check


@pytest.fixture
def every_form(here):
    """The same images in each form, by the source that reads them."""
    images, labels = make_images()
    np.savez("data.npz", inputs=images, targets=labels)
    np.save("images.npy", images)
    np.save("labels.npy", labels)
    write_idx(here / "images.idx", images)
    write_idx(here / "labels.idx", labels)
    write_images(here / "pictures", images, labels)
    order = np.argsort(labels, kind="stable")  # as the files of a directory are listed
    np.savez("sorted.npz", images=images[order], labels=labels[order])
    return {
        "npz": "arrays, path: data.npz",
        "npy": "arrays, path: images.npy, targets: labels.npy",
        "idx": "idx, images: images.idx, labels: labels.idx",
        "images": "images, path: pictures, grayscale: true",
        "sorted": "arrays, path: sorted.npz",
    }


def weights(run):
    return (run.path / "weights.npz").read_bytes()


def test_the_same_images_train_the_same_weights(every_form, trained):
    """NPZ, NPY and IDX files with the same content, and a directory with the same order, give the same weights."""
    runs = {name: trained(data, name) for name, data in every_form.items()}
    assert weights(runs["npz"]) == weights(runs["npy"]) == weights(runs["idx"])
    assert weights(runs["images"]) == weights(runs["sorted"]) != weights(runs["npz"])


def test_bytes_are_scaled_as_in_the_book(every_form, trained):
    """The network sees (x − 127.5) / 127.5 in float32, and the schema names the pixels."""
    run = trained(every_form["npz"])
    images, _ = make_images()
    inputs = read_preprocessing(run).inputs(images, "float32")
    assert np.array_equal(inputs[:], (images.reshape(ROWS, -1).astype(np.float32) - 127.5) / 127.5)
    schema = run.record.schema["data"]
    assert schema.features[:2] + schema.features[-1:] == ["pixel_0_0", "pixel_0_1", "pixel_5_4"]
    assert schema.class_names == ["0", "1", "2"]


def test_columns_of_numbers_are_standardized_on_the_training_rows(here, trained):
    """Mean and deviation of each column are those of the training rows alone; so are those of the targets."""
    inputs, targets = numbers()
    np.savez("data.npz", x=inputs, y=targets)
    run = trained(
        "arrays, path: data.npz", **REGRESSION, **{"validation": "{fraction: 0.25, last: true}", "test": "null"}
    )
    state = json.loads((run.path / "preprocessing.json").read_text())
    assert state["center"] == pytest.approx(inputs[:45].mean(axis=0), rel=1e-12)
    assert state["scale"] == pytest.approx(inputs[:45].std(axis=0), rel=1e-9)
    assert state["targets"]["mean"] == pytest.approx(targets[:45].mean(axis=0), rel=1e-12)


@pytest.mark.parametrize("scaling", ["standardize", "min_max", "symmetric", "none"])
def test_each_scaling_trains_and_is_restored(every_form, trained, scaling):
    """A run restores its scaling from its own files: predictions need no data, and are those of the evaluation."""
    run = trained(f"{every_form['npz']}, scaling: {scaling}", "run", "test=null", "validation=null")
    for path in run.path.parent.parent.glob("*.np?"):
        path.rename(path.with_suffix(".moved"))
    np.save("again.npy", make_images()[0])
    predictions = open_predictions(run, [run.path.parent.parent / "again.npy"])
    predicted = [label for block in predictions.blocks() for label in block[1]]
    accuracy = np.mean(np.array(predicted) == make_images()[1].astype(str))
    assert accuracy == run.evaluation.splits["training"]["accuracy"]


@pytest.mark.parametrize("data", ["npz", "numbers"])
def test_held_out_rows_do_not_change_the_weights(here, trained, data):
    """Other values in every held-out row, in files of their own or in the same file, leave the weights as they are."""
    (make, kind) = (make_images, CLASSES) if data == "npz" else (numbers, REGRESSION)
    (inputs, targets), (other, _) = make(), make(9)
    for name in ("data", "valid", "test"):
        np.savez(f"{name}.npz", inputs=inputs[:40], targets=targets[:40])
    for name in ("valid", "test"):
        np.savez(f"{name}.npz", inputs=inputs[40:], targets=targets[40:])
    first = trained("arrays, path: data.npz, scaling: standardize", "first", **{**kind, **OTHERS})
    np.savez("valid.npz", inputs=other[40:], targets=targets[40:])
    np.savez("test.npz", inputs=other[:7], targets=targets[:7])
    second = trained("arrays, path: data.npz, scaling: standardize", "second", **{**kind, **OTHERS})
    assert weights(first) == weights(second)
    assert first.fingerprints["validation"] != second.fingerprints["validation"]


def test_held_out_rows_of_a_fraction_do_not_change_the_weights(here, trained):
    """The rows of fractions are not used for the scaling."""
    inputs, targets = numbers()
    np.savez("data.npz", x=inputs, y=targets)
    first = trained("arrays, path: data.npz", "first", **REGRESSION)
    kept = read_preprocessing(first).values.center
    source = first.record.spec.data.build()
    source.open()
    spec = first.record.spec
    data = splits(spec, {"data": source}, rngs(spec))
    for name in ("validation", "test"):
        inputs[data[name].inputs.indices] *= -3
        targets[data[name].inputs.indices] += 1e5
    np.savez("data.npz", x=inputs, y=targets)
    second = trained("arrays, path: data.npz", "second", **REGRESSION)
    assert weights(first) == weights(second)
    assert np.array_equal(read_preprocessing(second).values.center, kept)


def test_a_changed_byte_is_noticed(every_form, trained, run_cli):
    """A run cannot be verified, or trained further, with another byte in its data."""
    trained(every_form["npz"])
    images, labels = make_images()
    images[ROWS - 1, 5, 4] ^= 1
    np.savez("data.npz", inputs=images, targets=labels)
    result = run_cli("train", "--resume", "run", "training.epochs=5")
    assert result.code == 4
    assert "data.npz differs from what the run was trained on" in result.err


@pytest.mark.parametrize("batches", [1, 3, 9])
def test_resumed_training_gives_the_same_bytes(every_form, trained, run_cli, monkeypatch, batches):
    """Training on bytes that is stopped after a few batches, and resumed, ends with the same weights."""
    uninterrupted = trained(every_form["npz"], "whole")
    stops = iter([False] * (batches - 1) + [True])
    config = uninterrupted.path.parent.parent / "config.yaml"
    path = train(load(config), "stopped", runs=uninterrupted.path.parent, stop=lambda: next(stops)).path
    resume(path)
    assert weights(Run(path)) == weights(uninterrupted)
    assert (path / "metrics.csv").read_bytes() == (uninterrupted.path / "metrics.csv").read_bytes()


def test_verification_reproduces_the_evaluation(every_form, trained, run_cli):
    """All checks pass, for the same metrics bit for bit."""
    trained(every_form["idx"])
    result = run_cli("verify", "run")
    assert result.code == 0, result.out
    assert "metrics reproduced bit for bit" in result.out


def test_class_names_are_those_of_the_config(every_form, trained):
    """Predictions have the names that the config gives to the labels; the validation set takes them over."""
    run = trained(f"{every_form['idx']}, class_names: [shirt, bag, boot]")
    predictions = open_predictions(run, [run.path.parent.parent / "images.idx"], with_probabilities=True)
    names = ["shirt", "bag", "boot"]
    assert predictions.header == ["row", "prediction", "probability", *(f"probability_{name}" for name in names)]
    (block,) = predictions.blocks()
    assert set(block[1]) <= {"shirt", "bag", "boot"}
    assert list(block[0]) == list(range(1, ROWS + 1))


def test_labels_may_be_text_and_need_not_be_consecutive(here, trained):
    """The classes are the labels in order."""
    images, labels = make_images()
    np.savez("data.npz", X=images, y=np.array(["b", "c", "a"])[labels])
    assert trained("arrays, path: data.npz", "text").record.schema["data"].class_names == ["a", "b", "c"]
    np.savez("data.npz", X=images, y=np.array([7, -1, 30])[labels])
    assert trained("arrays, path: data.npz", "integers").record.schema["data"].class_names == ["-1", "7", "30"]


def test_a_run_is_predicted_in_every_form(every_form, here, trained, run_cli):
    """The same images give the same predictions from NPZ, NPY, IDX and PNG files, one by one and together."""
    trained(every_form["images"])
    images, labels = make_images()
    flat = here / "flat.npy"
    np.save(flat, images.reshape(ROWS, -1))
    by_form = [run_cli("predict", "run", name).out for name in ("data.npz", "images.npy", "images.idx", "flat.npy")]
    assert len(set(by_form)) == 1
    rows = [line.split(",")[1:] for line in by_form[0].splitlines()[1:]]
    directory = run_cli("predict", "run", "pictures").out.splitlines()
    assert directory[0] == "file,prediction,probability"
    of_file = {line.split(",")[0]: line.split(",")[1:] for line in directory[1:]}
    assert [of_file[f"pictures/class_{label}/{index:03}.png"] for index, label in enumerate(labels)] == rows
    one = run_cli("predict", "run", "pictures/class_1/001.png", "--format", "jsonl")
    assert json.loads(one.out)["prediction"] == rows[1][0]


def test_images_are_converted_as_those_that_were_trained_on(every_form, here, trained, run_cli):
    """A colored photo of something dark on white, in another size, is inverted, resized and converted to gray."""
    trained(every_form["idx"])
    image = np.kron(make_images()[0][0], np.ones((4, 4), np.uint8))
    Image.fromarray(255 - image).convert("RGB").save("photo.png")
    Image.fromarray(image).resize((5, 6), Image.Resampling.BILINEAR).save("small.png")
    photo, small = (run_cli("predict", "run", *words).out for words in (("photo.png", "--invert"), ("small.png",)))
    (of_photo, of_small) = (float(out.rpartition(",")[2]) for out in (photo, small))
    assert of_photo == pytest.approx(of_small, abs=1e-3)  # a pixel may be rounded to another side
    not_inverted = run_cli("predict", "run", "photo.png").out
    assert float(not_inverted.rpartition(",")[2]) != pytest.approx(of_small, abs=1e-2)


def test_images_of_a_directory_are_in_the_order_of_their_names(every_form, here, trained, run_cli):
    """Those of subdirectories too, and suffixes may be in upper case."""
    trained(every_form["images"])
    names = ["d.png", "a.PNG", "f/b.png", "c.jpg", "b.JPEG", "e.png"]
    (here / "new" / "f").mkdir(parents=True)
    for name in names:
        Image.fromarray(make_images()[0][0]).save(here / "new" / name)
    lines = run_cli("predict", "run", "new").out.splitlines()[1:]
    assert [line.split(",")[0] for line in lines] == [f"new/{name}" for name in sorted(names)]


def test_inputs_have_the_name_of_the_training_data_first(here, trained, run_cli):
    """Then a common one."""
    images, labels = make_images()
    np.savez("data.npz", a=images, b=labels)
    trained("arrays, path: data.npz, names: [a, b]")
    np.savez("both.npz", inputs=images[:2], a=images[:5])
    np.savez("common.npz", inputs=images[:2])
    assert [len(run_cli("predict", "run", name).out.splitlines()) for name in ("both.npz", "common.npz")] == [6, 3]


def test_blocks_are_predicted_alike(every_form, here, trained, monkeypatch):
    """Rows keep their numbers, and images their names."""
    run, names = trained(every_form["images"]), ("images.npy", "pictures")

    def predicted(name):
        blocks = open_predictions(run, [here / name]).blocks()
        return [list(chain.from_iterable(column)) for column in zip(*blocks, strict=True)]

    whole = [predicted(name) for name in names]
    monkeypatch.setattr("nncli.inference.array_rows.BLOCK_ROWS", 7)
    monkeypatch.setattr("nncli.inference.array_rows.BLOCK_IMAGES", 7)
    assert [predicted(name) for name in names] == whole
    assert whole[0][0] == list(range(1, ROWS + 1))


def test_a_value_that_is_not_finite_is_named_in_any_block(here, trained, run_cli, monkeypatch):
    """By its row in the file."""
    inputs, targets = numbers()
    np.savez("numbers.npz", x=inputs, y=targets)
    trained("arrays, path: numbers.npz", **REGRESSION)
    inputs[10, 2] = np.nan
    np.save("new.npy", inputs)
    monkeypatch.setattr("nncli.inference.array_rows.BLOCK_ROWS", 7)
    result = run_cli("predict", "run", "new.npy")
    assert (result.code, "new.npy: the value at [10, 2] is nan" in result.err) == (3, True)


def test_mistakes_in_the_arguments_of_predict(every_form, here, trained, run_cli):
    """Each says what is wrong with which file, and what to do."""
    trained(every_form["idx"])
    np.save("wide.npy", np.zeros((3, 31), np.uint8))
    np.save("floats.npy", np.zeros((3, 30)))
    np.save("single.npy", make_images()[0][0])
    np.save("texts.npy", np.array(["a", "b"]))
    np.savez("two.npz", a=make_images()[0], b=make_images()[0])
    (here / "empty").mkdir()
    good = "pictures/class_0/000.png"
    (here / "bad.png").write_bytes((here / good).read_bytes()[:50])
    (here / "text.png").write_text("no image", encoding="utf-8")
    cases = {
        ("wide.npy",): (3, "wide.npy: rows of shape (31,), but the training rows have the shape (6, 5)"),
        ("floats.npy",): (3, "floats.npy: values of float64, but the training rows are of uint8; convert"),
        ("single.npy",): (3, "single.npy: shape (6, 5), which is a single row; save array[None]"),
        ("texts.npy",): (3, "texts.npy: an array of <U1, expected numbers"),
        ("two.npz",): (3, "two.npz: its arrays are 'a', 'b'; save the inputs alone, or name them inputs"),
        ("empty",): (3, "empty: has no PNG or JPEG images"),
        ("config.yaml",): (3, "config.yaml: not an NPY, NPZ, IDX, PNG or JPEG file"),
        ("missing.png",): (3, "missing.png: no such file"),
        ("images.npy", "data.npz"): (
            2,
            "images.npy: several files have to be images; predict other files one by one",
        ),
        (good, "bad.png", good): (
            3,
            "bad.png: a damaged image: image file is truncated; save it again as PNG or JPEG, or",
        ),
        (good, "text.png"): (3, "text.png: not a PNG or JPEG image, or its start is damaged, unlike other files; save"),
        ("images.npy", "--invert"): (2, "images.npy: --invert is for images"),
        ("-",): (2, "was trained on idx, which cannot be read from standard input; name a file"),
    }
    for words, (code, message) in cases.items():
        result = run_cli("predict", "run", *words)
        assert (result.code, result.out, message in result.err) == (code, "", True), (words, result.err)


def test_a_run_on_numbers_predicts_no_images(here, trained, every_form, run_cli):
    """A network of columns has no height and width for a image."""
    inputs, targets = numbers()
    np.savez("numbers.npz", x=inputs, y=targets)
    trained("arrays, path: numbers.npz", **REGRESSION)
    result = run_cli("predict", "run", "pictures/class_0/000.png")
    assert result.code == 2
    assert "an image, but the run was trained on rows of shape (4,) and dtype float64" in result.err
    np.save("new.npy", np.array([[1, 2, 3, 4], [1, 2, np.nan, 4]]))
    result = run_cli("predict", "run", "new.npy")
    assert result.code == 3
    assert "new.npy: the value at [1, 2] is nan; remove these rows, or replace the 1 value" in result.err
    np.save("new.npy", inputs[:2])
    header, *rows = run_cli("predict", "run", "new.npy").out.splitlines()
    assert header == "row,prediction_target_0,prediction_target_1"
    assert all(5 < float(row.split(",")[2]) < 19 for row in rows)  # in the unit of the targets, of mean 12


DAMAGES = {
    "rows": ({"targets": np.zeros(59, int)}, "data.npz: 'targets': 59 targets for the 60 rows of"),
    "one dimension": ({"inputs": np.zeros(60)}, "'inputs': shape (60,), expected rows; for a single feature save"),
    "text": ({"inputs": np.full((60, 2), "a")}, "'inputs': an array of <U1, expected numbers"),
    "infinite": ({"inputs": np.full((60, 2, 2), np.inf)}, "the value at [0, 0, 0] is inf, and 239 more are not finite"),
    "one-hot": ({"targets": np.zeros((60, 3), int)}, "int64 of shape (60, 3); write one label for each row, as by"),
    "missing target": ({"targets": np.full(60, np.nan)}, "'targets': the value at [0] is nan, and 59 more are not"),
    "constant": ({"inputs": np.ones((60, 2))}, "no input varies in the training rows"),
    "too large": ({"inputs": np.linspace(-1e200, 1e200, 120).reshape(60, 2)}, "values are too large to be scaled"),
    "empty": ({"inputs": np.zeros((0, 2))}, "'inputs': shape (0, 2), which has no rows of values"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_arrays_that_do_not_fit_are_rejected(here, refused, damage):
    """The message has the config's line, the file, the array, the place and the value."""
    changed, message = DAMAGES[damage]
    images, labels = make_images()
    np.savez("data.npz", **{"inputs": images, "targets": labels, **changed})
    error = refused("arrays, path: data.npz")
    assert error.startswith("config.yaml:2:")
    assert message in error


def test_unknown_and_unclear_names_are_rejected(every_form, here, refused):
    """All arrays of the file are listed."""
    images, labels = make_images()
    np.savez("data.npz", x_train=images, y_train=labels, x=images, y=labels)
    listed = "its arrays are 'x', 'x_train', 'y', 'y_train'"
    assert f"data.npz: {listed}; write names: [INPUTS, TARGETS]" in refused("arrays, path: data.npz")
    assert f"data.npz: no array 'z'; {listed}" in refused("arrays, path: data.npz, names: [x, z]")
    assert "write targets: FILE.npy beside it" in refused("arrays, path: images.npy")
    assert "labels.npy: no such file" in refused("arrays, path: images.npy, targets: nowhere/labels.npy")
    assert "write one of them" in refused("arrays, path: images.npy, targets: labels.npy, names: [a, b]")


def test_named_arrays_of_one_file_are_training_and_test_set(here, trained):
    """One NPZ file may have both, as that of Keras does."""
    images, labels = make_images()
    np.savez("mnist.npz", x_train=images[:40], y_train=labels[:40], x_test=images[40:], y_test=labels[40:])
    test = "{type: arrays, path: mnist.npz, names: [x_test, y_test]}"
    run = trained("arrays, path: mnist.npz", validation="null", test=test)
    assert {name: data.rows for name, data in run.data.items()} == {"training": 40, "test": 20}


@pytest.mark.parametrize("as_floats", [False, True], ids=["bytes", "floats"])
def test_rows_of_two_splits_that_are_equal_are_counted(here, trained, run_cli, as_floats):
    """As a warning, also with --quiet; −0 equals 0."""
    images, labels = make_images()
    images[45:48] = images[:3]
    if as_floats:
        images = images - images[:1].astype(np.float64)  # the first row is 0
        images[45] *= -1
    np.savez("mnist.npz", x_train=images[:40], y_train=labels[:40], x_test=images[40:], y_test=labels[40:])
    trained(
        "arrays, path: mnist.npz", validation="{type: arrays, path: mnist.npz, names: [x_test, y_test]}", test="null"
    )
    result = run_cli("train", "config.yaml", "-q", "--name", "again")
    assert result.err.startswith("warning: 3 of 20 rows of validation are equal to a row of training (data leakage)\n")


HELD_OUT = {
    "other shape": ({"inputs": np.zeros((3, 5, 6), np.uint8)}, "rows of shape (5, 6), but the training rows have"),
    "floats": ({"inputs": np.zeros((3, 6, 5))}, "values of float64, but the training rows are of uint8"),
    "unknown label": (
        {"targets": np.array([0, 1, 3])},
        "row 2 is '3', which is not a label of the training data; its labels are 0, 1, 2",
    ),
}


@pytest.mark.parametrize("case", HELD_OUT)
def test_a_validation_set_has_the_form_of_the_training_set(here, refused, case):
    """Another shape, another range of values, or an unknown label is an error in its section."""
    changed, message = HELD_OUT[case]
    images, labels = make_images()
    np.savez("data.npz", inputs=images, targets=labels)
    np.savez("valid.npz", **{"inputs": images[:3], "targets": labels[:3], **changed})
    error = refused("arrays, path: data.npz", validation="{path: valid.npz}", test="null")
    assert error.startswith("config.yaml:3:")
    assert message in error


def test_a_validation_set_may_lack_a_class(here, trained):
    """A small file need not have a row of each class."""
    images, labels = make_images()
    np.savez("data.npz", inputs=images, targets=labels)
    np.savez("valid.npz", inputs=images[:2], targets=labels[:2])
    run = trained("arrays, path: data.npz", validation="{path: valid.npz}", test="null")
    assert run.evaluation.splits["validation"]["loss"] > 0
    assert run.record.schema["validation"].class_counts == [1, 1, 0]


@pytest.mark.parametrize("validation", ["arrays, path: pairs.npz", "table, path: pairs.csv, target: c", "spiral"])
@pytest.mark.parametrize("data", ["arrays, path: pairs.npz", "table, path: pairs.csv, target: c", "spiral"])
def test_training_and_validation_set_are_of_one_kind(here, refused, data, validation):
    """Rows of another kind could not be scaled as those that are trained on, even with as many columns and classes."""
    inputs, labels = numbers()[0][:, :2], np.arange(ROWS) % 3
    np.savez("pairs.npz", inputs=inputs, targets=labels)
    rows = [f"{x},{y},c{label}" for (x, y), label in zip(inputs, labels, strict=True)]
    (here / "pairs.csv").write_text("\n".join(["a,b,c", *rows]), encoding="utf-8")
    is_same = data.split(",")[0] == validation.split(",")[0]
    error = refused(
        data, validation=f"{{type: {validation}}}", test="null", code=0 if is_same and data == "spiral" else 3
    )
    assert ("rows of another kind than those of data" in error) == (not is_same)


@pytest.mark.parametrize("data", ["idx, images: images.idx, labels: labels.idx", "spiral"])
def test_another_file_needs_data_with_a_path(every_form, refused, data):
    """A section that only names a file is never ignored."""
    error = refused(data, validation="{path: other.idx}", test="null")
    assert error.startswith("config.yaml:3:")
    assert f"{data.split(',')[0]} has no path that another file could stand for; write a source with its type" in error


def test_other_inputs_need_other_targets(every_form, refused):
    """The targets of the training set are not taken for another file of inputs."""
    error = refused(every_form["npy"], validation="{path: images.npy}", test="null")
    assert "labels.npy: has the targets of the training data; write a section of its own" in error


def test_class_names_need_labels_that_they_name(every_form, refused):
    """Labels beyond the names, and names for real-valued targets, are refused."""
    error = refused(f"{every_form['npz']}, class_names: [shirt, bag]")
    assert (
        "row 2 is '2', which is not a label of class_names, which name the labels 0, 1, …; its labels are 0, 1" in error
    )
    inputs, targets = numbers()
    np.savez("data.npz", x=inputs, y=targets)
    error = refused("arrays, path: data.npz, class_names: [a, b]", **REGRESSION)
    assert "class_names are for labels, but the targets are real numbers" in error


def test_columns_of_a_table_are_not_found_in_arrays(every_form, refused, run_cli):
    """A split by a column needs a table."""
    for section in ("{fraction: 0.2, group: patient}", "{where: {split: test}}", "{fraction: 0.2, last: date}"):
        error = refused(every_form["npz"], validation=section, test="null")
        assert "only a table has columns with names" in error, section


def test_damaged_files_are_reported_with_their_key(every_form, here, refused):
    """The location in the config is that of the file's key."""
    (here / "labels.idx").write_bytes(b"\0\0\x08\x01\0\0\0\x3c123")
    error = refused(every_form["idx"])
    assert "data.labels" in error
    assert "labels.idx: byte 11: the file ends after 3 of 60 bytes" in error


def test_a_damaged_preprocessing_is_reported(every_form, trained):
    """A file that was changed is not used."""
    run = trained(every_form["npz"])
    path = run.path / "preprocessing.json"
    path.write_bytes(path.read_bytes().replace(b"127.5", b"127.0"))
    with pytest.raises(RunError, match="damaged: checksum mismatch"):
        read_preprocessing(Run(run.path))


def test_a_run_on_a_toy_set_predicts_no_files(here, every_form, trained, run_cli):
    """It says what to do in Python."""
    run = trained("spiral, samples: 20")
    with pytest.raises(CommandLineError, match="was trained on spiral, not on a table"):
        open_predictions(run, [here / "images.npy"])


def test_memory_is_that_of_a_batch(every_form, here):
    """Rows that are scaled by batch are not counted as inputs of the network, unless all of them are one batch."""
    inputs = np.zeros((4000, 1000), np.float32)
    inputs[::2] = 1
    np.save("large.npy", inputs)
    np.save("large_labels.npy", np.arange(4000) % 3)
    content = CONFIG.format(data="arrays, path: large.npy, targets: large_labels.npy", **CLASSES, **FRACTIONS)
    (here / "config.yaml").write_text(content, encoding="utf-8")
    needed = []
    for size in (8, "null"):
        loaded = load(here / "config.yaml", (f"training.batch_size={size}",))
        needed.append(memory_bytes(loaded.config, loaded.plan))
    assert needed[0] < inputs.nbytes
    assert 0.6 * inputs.nbytes < needed[1] - needed[0] < inputs.nbytes  # the training rows


def test_images_need_their_extra(every_form, here, refused, run_cli, monkeypatch):
    """Without Pillow the message has the command that installs it; arrays need no Pillow."""
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert "pip install 'nncli[images]'" in refused(every_form["images"], code=2)
    (here / "second.yaml").write_text((here / "config.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    assert run_cli("check", "config.yaml", "second.yaml").code == 2
    refused(every_form["idx"], code=0)


def test_images_of_different_sizes_need_a_size(here, refused, trained):
    """They are resized to the size in the config, and so are those of the test set."""
    images, labels = make_images(rows=12)
    write_images(here / "pictures", images, labels)
    write_images(here / "others", make_images(1, 9, (12, 10))[0], make_images(1, 9)[1])
    Image.fromarray(images[0].repeat(2, axis=0)).save(here / "pictures" / "class_0" / "tall.png")
    error = refused("images, path: pictures")
    assert "images of different sizes" in error
    assert "set size" in error
    run = trained("images, path: pictures, size: [4, 3]", validation="null", test="{path: others}")
    assert {data.columns for data in run.data.values()} == {4 * 3 * 3}


def test_a_config_and_its_files_may_be_in_another_directory(every_form, here, run_cli):
    """Relative paths start at the directory of the config, and the run has absolute ones."""
    (here / "config.yaml").write_text(CONFIG.format(data=every_form["npy"], **CLASSES, **FRACTIONS), encoding="utf-8")
    (here / "elsewhere").mkdir()
    with contextlib.chdir(here / "elsewhere"):
        assert run_cli("train", "../config.yaml", "-q", "--name", "run").code == 0
        assert run_cli("verify", "run").code == 0
    spec = Run(here / "elsewhere" / "runs" / "run").record.spec
    assert spec.data.path.is_absolute()
    assert [path.resolve() for path in (spec.data.path, spec.data.targets)] == [
        here / "images.npy",
        here / "labels.npy",
    ]


@pytest.mark.slow
def test_a_killed_training_on_bytes_ends_with_the_same_bytes(every_form, trained, run_cli):
    """Killed by SIGKILL between any two writes, resumed, and compared with a training that was never killed."""
    settings = ("training.epochs=300", "training.checkpoint_seconds=0")
    whole = trained(every_form["idx"], "whole", *settings)
    directory = whole.path.parent.parent
    command = [sys.executable, "-m", "nncli", "train", "config.yaml", "-q", "--name", "killed", *settings]
    process = subprocess.Popen(command, cwd=directory, env={**os.environ, "PYTHONPATH": str(ROOT)})
    checkpoints = directory / "runs" / "killed" / "checkpoints"
    while process.poll() is None and not any(int(path.stem) > 200 for path in checkpoints.glob("*.ckpt")):
        time.sleep(0.01)
    process.kill()
    process.wait()
    killed = Run(directory / "runs" / "killed")
    assert killed.evaluation is None
    assert run_cli("train", "--resume", "killed", "-q").code == 0
    assert weights(Run(killed.path)) == weights(whole)
    assert (killed.path / "metrics.csv").read_bytes() == (whole.path / "metrics.csv").read_bytes()


def test_python_predicts_arrays_as_they_are(trained):
    """Images as bytes, also flattened, give the classes of the command; other values are refused."""
    images, labels = make_images()
    np.savez("data.npz", inputs=images, targets=labels)
    run = nncli.load(trained("arrays, path: data.npz").path)
    np.save("new.npy", images)
    lines = list(open_predictions(run._files, [Path("new.npy")]).blocks())
    expected = [name for block in lines for name in block[1]]
    assert run.predict(images).tolist() == expected
    assert run.predict(images.reshape(ROWS, -1)).tolist() == expected
    assert run.predict(images.astype(float)).tolist() == expected
    with pytest.raises(ConfigError, match=r"bytes from 0 to 255, as in training; got an array of float64"):
        run.predict(images / 255)
    with pytest.raises(ConfigError, match=r"shape \(rows, 6, 5\), got \(60, 5, 6\)"):
        run.predict(images.transpose(0, 2, 1))
