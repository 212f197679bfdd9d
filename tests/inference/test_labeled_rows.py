"""Evaluation on arrays, IDX files and images: the same numbers as on the run's own data set with the same rows."""

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.data.sources.test_array_source import (
    REGRESSION,
    every_form,
    here,
    make_images,
    numbers,
    trained,
    write_idx,
    write_images,
)

__all__ = ["every_form", "here", "trained"]  # fixtures

PAIR = ("--data", "images.npy", "--data", "labels.npy")
NOT_SPLIT = {"validation": "null", "test": "null"}


@pytest.fixture
def evaluated(run_cli):
    """Evaluate the run on files, and return what is measured."""

    def evaluate(*words):
        result = run_cli("evaluate", "run", *words, "--json")
        assert result.code == 0, result.err
        (split,) = json.loads(result.out)["splits"].values()
        return split

    return evaluate


@pytest.fixture
def rejected(run_cli):
    """Evaluate the run on files that are wrong, and return the exit code and the message."""

    def evaluate(*words):
        result = run_cli("evaluate", "run", *words)
        assert result.out == ""
        return result.code, result.err

    return evaluate


@pytest.fixture
def table_run(here, run_cli):
    """A run on a small table."""
    Path("data.csv").write_text("x,y\n" + "".join(f"{i % 7}.5,{'ab'[i % 2]}\n" for i in range(20)), encoding="utf-8")
    assert run_cli("init", "run.yaml", "--data", "data.csv", "--target", "y").code == 0
    assert run_cli("train", "run.yaml", "training.epochs=2", "-q").code == 0


def without_penalties(split):
    """What is measured on the training set, as on any other data set: the loss has no penalties."""
    metrics = {name: value for name, value in split["metrics"].items() if "_loss" not in name}
    return {**split, "metrics": metrics}


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("npz", ["data.npz"]),
        ("npy", ["images.npy", "labels.npy"]),
        ("idx", ["images.idx", "labels.idx"]),
        ("images", ["pictures"]),
    ],
)
def test_files_have_the_evaluation_of_the_training_set_with_the_same_rows(
    every_form, trained, run_cli, evaluated, form, words
):
    """Bit for bit: metrics, confusion matrix, scores, interval and baseline, also once the data of the run is gone."""
    trained(every_form[form], **NOT_SPLIT)
    own = json.loads(run_cli("evaluate", "run", "--split", "training", "--json").out)["splits"]["training"]
    copies = [f"copy_of_{word}" for word in words]
    for word, copy in zip(words, copies, strict=True):
        shutil.move(word, copy)
    found = evaluated(*(each for copy in copies for each in ("--data", copy)))
    assert found == without_penalties(own)
    assert [each["name"] for each in found["classes"]] == (
        ["class_0", "class_1", "class_2"] if form == "images" else ["0", "1", "2"]
    )


def test_any_form_of_the_same_rows_has_the_same_evaluation(every_form, trained, evaluated):
    """A run on an NPZ file, evaluated on arrays, flattened ones, and compressed IDX files."""
    trained(every_form["npz"])
    expected = evaluated("--data", "data.npz")
    for name in ("images.idx", "labels.idx"):
        Path(f"{name}.gz").write_bytes(gzip.compress(Path(name).read_bytes()))
    np.save("flat.npy", np.load("images.npy").reshape(60, -1))
    assert evaluated(*PAIR) == expected
    assert evaluated("--data", "images.idx.gz", "--data", "labels.idx.gz") == expected
    assert evaluated("--data", "flat.npy", "--data", "labels.idx") == expected


def test_baseline_is_that_of_the_training_rows(here, trained, evaluated):
    """The most frequent class of the rows that were trained on, whatever the file has."""
    images, _ = make_images()
    np.savez("data.npz", inputs=images, targets=np.array([0] * 20 + [1] * 15 + [2] * 25))
    trained("arrays, path: data.npz")
    np.savez("other.npz", inputs=images, targets=np.array([0, 1] * 30))
    baseline = evaluated("--data", "other.npz")["baseline"]
    assert (baseline["class"], baseline["metrics"]["accuracy"]) == (2, 0)


def test_regression_on_arrays(here, trained, run_cli, evaluated):
    """In the unit of the targets, with those of several columns."""
    inputs, targets = numbers()
    np.savez("data.npz", inputs=inputs, targets=targets)
    trained("arrays, path: data.npz", **REGRESSION, **NOT_SPLIT)
    own = json.loads(run_cli("evaluate", "run", "--split", "training", "--json").out)["splits"]["training"]
    found = evaluated("--data", "data.npz")
    expected = without_penalties(own)
    accuracy = found["metrics"].pop("regression_accuracy"), expected["metrics"].pop("regression_accuracy")
    assert accuracy[0] == pytest.approx(accuracy[1])  # its tolerance is the same up to rounding
    found["baseline"]["metrics"].pop("regression_accuracy")
    expected["baseline"]["metrics"].pop("regression_accuracy")
    assert found["metrics"] == expected["metrics"]
    assert found["baseline"]["metrics"] == pytest.approx(expected["baseline"]["metrics"])


def test_names_of_the_training_data_are_preferred(here, trained, evaluated):
    """Those of its config, if the file has them; else a common pair."""
    images, labels = make_images()
    np.savez("data.npz", a=images, b=labels)
    trained("arrays, path: data.npz, names: [a, b], class_names: [cat, dog, owl]")
    np.savez("both.npz", a=images[:6], b=labels[:6], x=images, y=labels)
    np.savez("common.npz", x=images, y=labels)
    found = evaluated("--data", "both.npz")
    assert found["rows"] == 6
    assert [each["name"] for each in found["classes"]] == ["cat", "dog", "owl"]
    assert evaluated("--data", "common.npz")["rows"] == 60


def test_labels_may_be_the_names_of_the_classes(here, trained, evaluated, rejected):
    """Also if those that were trained on are numbers, which the config names."""
    images, labels = make_images()
    np.savez("data.npz", inputs=images, targets=labels)
    trained("arrays, path: data.npz, class_names: [cat, dog, owl]")
    np.savez("names.npz", inputs=images, targets=np.array(["cat", "dog", "owl"])[labels])
    assert evaluated("--data", "names.npz") == evaluated("--data", "data.npz")
    np.savez("wrong.npz", inputs=images, targets=np.array(["cat", "dog", "eel"])[labels])
    code, text = rejected("--data", "wrong.npz")
    assert (code, "wrong.npz: 'targets': row 0 is 'cat', which is not a label of the training data" in text) == (
        3,
        True,
    )


@pytest.mark.parametrize("data", ["images, path: pictures, size: [4, 3]", "images, path: pictures"])
def test_images_are_converted_as_those_that_were_trained_on(here, trained, run_cli, evaluated, data):
    """Colors stay colors, and the size is that of the training data."""
    images, labels = make_images(shape=(6, 5, 3))
    write_images(here / "pictures", images, labels)
    trained(data, **NOT_SPLIT)
    own = json.loads(run_cli("evaluate", "run", "--split", "training", "--json").out)["splits"]["training"]
    assert evaluated("--data", "pictures") == without_penalties(own)
    write_images(here / "larger", np.repeat(images, 2, axis=1), labels)
    assert evaluated("--data", "larger")["rows"] == 60


def test_gray_images_are_rows_of_one_channel(here, trained, evaluated):
    """If a run was trained on such an array."""
    images, labels = make_images()
    np.savez("data.npz", inputs=images[..., None], targets=labels)
    trained("arrays, path: data.npz, class_names: [class_0, class_1, class_2]")
    write_images(here / "pictures", images, labels)
    assert evaluated("--data", "pictures")["confusion"] == evaluated("--data", "data.npz")["confusion"]


def test_blocks_of_any_size_have_the_same_evaluation(every_form, trained, evaluated, monkeypatch):
    """Every row is evaluated, with its own target."""
    trained(every_form["npz"])
    expected = evaluated("--data", "data.npz")
    monkeypatch.setattr("nncli.data.lazy_rows.BLOCK_BYTES", 7 * 30)
    assert evaluated("--data", "data.npz") == expected


def test_document_names_the_files(every_form, trained, run_cli):
    """Inputs and targets."""
    trained(every_form["npz"])
    document = json.loads(run_cli("evaluate", "run", *PAIR, "--json").out)
    assert (document["file"], document["targets_file"]) == ("images.npy", "labels.npy")
    assert "targets_file" not in json.loads(run_cli("evaluate", "run", "--data", "data.npz", "--json").out)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["images.npy"], 2, "images.npy: has no targets; name their file, too: --data images.npy --data TARGETS"),
        (["images.npy", "labels.npy", "labels.npy"], 2, "3 files; name one with inputs and targets, or one of each"),
        (["data.npz", "labels.npy"], 2, "data.npz: inputs and targets of two files have to be NPY or IDX files"),
        (["pictures/class_0/000.png"], 2, "name a directory with a subdirectory for each class"),
        (["missing.npz"], 3, "missing.npz: no such file"),
        (["cut.npy", "labels.npy"], 3, "cut.npy: byte 1000: the file ends after 872 of 1,800 bytes of values"),
        (["labels.npy", "images.npy"], 3, "labels.npy: shape (60,), expected rows"),
        (["narrow.npy", "labels.npy"], 3, "narrow.npy: rows of shape (5, 5), but the training rows have the shape"),
        (["real.npy", "labels.npy"], 3, "real.npy: values of float64, but the training rows are of uint8"),
        (["images.npy", "few.npy"], 3, "few.npy: 59 targets for the 60 rows of images.npy"),
        (["images.npy", "other.npy"], 3, "other.npy: row 3 is '7', which is not a label of the training data"),
        (["images.npy", "values.npy"], 3, "values.npy: real numbers, but the training data has labels"),
        (["pictures"], 3, "pictures: row 0 is 'class_0', which is not a label of the training data"),
        (["unclear.npz"], 3, "unclear.npz: its arrays are 'a', 'b'; save two of them alone, named inputs and targets"),
        (["twice.npz"], 3, "twice.npz: its arrays are 'inputs', 'targets', 'x', 'y'; save two of them alone"),
        (["table.csv", "labels.npy"], 3, "table.csv: not an NPY, NPZ, IDX, PNG or JPEG file"),
    ],
)  # fmt: skip
def test_wrong_files_are_rejected(every_form, trained, rejected, words, code, message):
    """Each with its place, the value and the fix."""
    trained(every_form["npz"])
    images, labels = make_images()
    Path("cut.npy").write_bytes(Path("images.npy").read_bytes()[:1000])
    np.save("narrow.npy", images[:, :5])
    np.save("real.npy", images.astype(float))
    np.save("few.npy", labels[:59])
    np.save("other.npy", np.where(np.arange(60) == 3, 7, labels))
    np.save("values.npy", labels.astype(float))
    np.savez("unclear.npz", a=images, b=labels)
    np.savez("twice.npz", inputs=images, targets=labels, x=images, y=labels)
    Path("table.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    found = rejected(*(each for word in words for each in ("--data", word)))
    assert found[0] == code, found[1]
    assert message in found[1]


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (np.zeros((60, 3)), "3 columns, but the targets of the training data have 2"),
        (np.zeros(60, int), "labels, but the targets of the training data are real numbers; convert them with"),
        (np.full((60, 2), np.nan), "the value at [0, 0] is nan, and 119 more are not finite"),
    ],
)
def test_wrong_targets_of_a_regression_are_rejected(here, trained, rejected, targets, message):
    """With the name of the array."""
    inputs, values = numbers()
    np.savez("data.npz", inputs=inputs, targets=values)
    trained("arrays, path: data.npz", **REGRESSION)
    np.savez("other.npz", inputs=inputs, targets=targets)
    code, text = rejected("--data", "other.npz")
    assert (code, "other.npz: 'targets': " in text, message in text) == (3, True, True), text


def test_images_are_no_rows_of_numbers(here, trained, rejected):
    """The message has the shape of the rows that were trained on."""
    np.savez("data.npz", inputs=numbers()[0], targets=make_images()[1])
    trained("arrays, path: data.npz")
    write_images(here / "pictures", *make_images())
    code, text = rejected("--data", "pictures")
    assert (code, "pictures: images, but the run was trained on rows of shape (4,)" in text) == (2, True), text


@pytest.mark.usefixtures("table_run")
def test_a_table_is_one_file(run_cli):
    """Two of them are rejected."""
    result = run_cli("evaluate", "run", "--data", "data.csv", "--data", "data.csv")
    assert (result.code, "was trained on a table; evaluate it on one file at a time" in result.err) == (2, True)


def test_idx_of_another_shape_is_rejected(every_form, trained, rejected):
    """With both shapes."""
    trained(every_form["idx"])
    write_idx(Path("wide.idx"), make_images(shape=(6, 7))[0])
    code, text = rejected("--data", "wide.idx", "--data", "labels.idx")
    assert (code, "wide.idx: rows of shape (6, 7), but the training rows have the shape (6, 5)" in text) == (3, True)
