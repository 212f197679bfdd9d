"""The output of ``nncli data`` for arrays, IDX files, images and configs with them."""

import gzip
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nncli.analysis.array_overview import ArraySummary, overview_of_arrays
from nncli.data.array_files import open_npy
from tests.data.sources.test_array_source import write_idx, write_images

CONFIG = """\
seed: 0
data: {type: arrays, path: data.npz, class_names: [cat, dog]}
validation: {fraction: 0.2}
test: {path: test.npz}
layers: [{type: dense, units: 2}, softmax]
loss: categorical_crossentropy
optimizer: adam
training: {epochs: 1}
"""
APART = "are equal to an earlier one; a split may put them into different sets"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty directory that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def normal(rows, columns=3, seed=0):
    """Real numbers (N, D)."""
    return np.random.default_rng(seed).normal(size=(rows, columns))


def overview(values):
    """The overview of an NPY file with these values."""
    np.save("values.npy", values)
    return overview_of_arrays(Path("values.npy"))


def test_values_are_measured_over_all_blocks(here):
    """Smallest, mean and largest of several mebibytes, as of the whole array."""
    values = normal(100_000, 6) * 1e3
    (found,) = overview(values).arrays
    assert (found.smallest, found.largest) == (values.min(), values.max())
    assert found.mean == pytest.approx(values.mean(), rel=1e-9, abs=1e-9)
    assert (found.name, found.shape, found.dtype) == ("values.npy", [100_000, 6], "float64")


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float32", ">f8", "bool"])
def test_arrays_of_any_number_are_measured(here, dtype):
    """Also those of another byte order, and with several dimensions, in either order."""
    values = np.asfortranarray((np.arange(60).reshape(5, 3, 4) * 3 % 7).astype(dtype))
    (found,) = overview(values).arrays
    expected = values.astype(float)
    assert (found.smallest, found.largest) == (expected.min(), expected.max())
    assert found.mean == pytest.approx(expected.mean())


def test_missing_and_infinite_values_are_counted(here):
    """By row; the other values are measured."""
    values = normal(50)
    values[3, :2] = values[7, 1] = values[8, 1] = np.nan
    values[9, 0], values[10, 0] = np.inf, -np.inf
    found = overview(values)
    known = values[np.isfinite(values)]
    assert found.arrays[0].rows_with_missing == 3
    assert (found.arrays[0].smallest, found.arrays[0].largest) == (known.min(), known.max())
    assert found.arrays[0].mean == pytest.approx(known.mean())
    assert found.warnings == [
        "values.npy: 3 rows with missing values (NaN); remove or replace them",
        "values.npy: 2 values infinite; remove or replace these rows",
    ]


def test_array_without_a_finite_value(here):
    """It has no smallest one."""
    (found,) = overview(np.full((4, 2), np.nan)).arrays
    assert (found.rows_with_missing, found.smallest, found.mean, found.largest) == (4, None, None, None)


def test_equal_rows_and_constant_columns_have_warnings(here):
    """−0 equals 0; a constant byte is a border of images."""
    values = normal(50)
    values[:, 1] = 2.5
    values[7] = values[6]
    values[20], values[21] = [0.0, 2.5, 1], [-0.0, 2.5, 1]
    assert overview(values).warnings == ["values.npy: always the same value: x_1", f"2 rows of 50 {APART}"]
    assert overview(np.arange(60, dtype=np.uint8).reshape(20, 3) * [1, 0, 1]).warnings[-1].endswith("x_1")
    constant = (np.arange(60).reshape(20, 3) * [1, 0, 1]).astype(np.uint8)
    assert overview(constant).warnings == []
    assert overview(normal(1)).warnings == []  # a single row


def test_many_constant_columns_are_counted(here):
    """After twenty of them."""
    (warning,) = overview(np.column_stack([np.ones((50, 25)), normal(50)])).warnings
    assert warning.endswith(", x_19 and 5 more")


@pytest.mark.parametrize("labels", [np.array(["dog", "cat"]), np.array([7, -1], np.int8), np.array([True, False])])
def test_labels_are_counted(here, labels):
    """Of integers, booleans and texts; not of real numbers or of integers that nearly all differ."""
    values = labels[(np.arange(31) % 3 == 0).astype(int)]
    texts = [str(each) for each in sorted(labels.tolist())]
    counts = {text: int((values == label).sum()) for text, label in zip(texts, sorted(labels.tolist()), strict=True)}
    assert overview(values).classes == counts
    assert overview(values[:, None]).classes == counts
    assert overview(np.arange(31)).classes is None
    assert overview(np.arange(30) % 15).classes == {str(label): 2 for label in range(15)}
    assert overview(np.arange(31) % 2 / 2).classes is None


def test_archive_compares_its_arrays(here):
    """Rows that two of them share, and inputs without their targets."""
    inputs = normal(40)
    arrays = {"x_train": inputs[:30], "y_train": np.arange(29) % 2, "x_test": inputs[25:], "y_test": np.arange(15) % 2}
    np.savez_compressed("data.npz", **arrays)
    found = overview_of_arrays(Path("data.npz"))
    assert [each.name for each in found.arrays] == ["x_train", "y_train", "x_test", "y_test"]
    assert (found.rows, found.classes, found.arrays[1].classes) == (30, None, {"0": 15, "1": 14})
    assert found.warnings == [
        "x_train has 30 rows, but y_train 29",
        "5 of 15 rows of x_test are equal to a row of x_train (data leakage)",
    ]
    np.savez("bits.npz", numbers=inputs, integers=inputs.view(np.int64))  # other values of the same bytes
    assert overview_of_arrays(Path("bits.npz")).warnings == []


def test_idx_file_is_recognized_by_its_content(here, run_cli):
    """Also compressed, whatever its name; a compressed table stays one."""
    write_idx(here / "images", np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    Path("images.gz").write_bytes(gzip.compress(Path("images").read_bytes()))
    Path("table.gz").write_bytes(gzip.compress(b"PK,b\n1.5,2\n2.5,3\n"))
    Path("table.csv").write_bytes(b"PK,b\n1.5,2\n2.5,3\n")
    for name in ("images", "images.gz"):
        document = json.loads(run_cli("data", name, "--json").out)
        assert (document["arrays"][0]["shape"], document["arrays"][0]["mean"]) == ([2, 3, 4], 11.5)
    for name in ("table.gz", "table.csv"):
        assert [each["name"] for each in json.loads(run_cli("data", name, "--json").out)["columns"]] == ["PK", "b"]


def test_images_are_summarized_one_by_one(here):
    """Their sizes, classes and equal ones."""
    images = np.random.default_rng(0).integers(1, 255, (9, 6, 5), dtype=np.uint8)
    images[3] = images[0]
    write_images(here / "images", images, np.arange(9) % 2)
    Image.fromarray(np.zeros((9, 7), np.uint8)).save("images/class_0/large.png")
    found = overview_of_arrays(Path("images"))
    assert (found.rows, found.classes) == (10, {"class_0": 6, "class_1": 4})
    assert (found.arrays[0].shape, found.arrays[0].smallest, found.arrays[0].largest) == ([10, 6, 5], 0, images.max())
    assert found.warnings == [
        "2 different sizes, 9 images of 6 × 5 (height × width); write size: [6, 5]",
        "all images are gray; write grayscale: true",
        "1 row of 10 is equal to an earlier one; a split may put both into different sets",
    ]


def test_colors_and_sizes_of_images_count(here):
    """A single one in color is enough, and the same bytes in another size are another image."""
    write_images(here / "pictures", np.zeros((2, 4, 7), np.uint8), np.arange(2))
    Image.fromarray(np.zeros((7, 4), np.uint8)).save("pictures/class_1/tall.png")
    Image.fromarray(np.full((4, 7, 3), [1, 2, 3], np.uint8)).save("pictures/class_0/000.png")
    found = overview_of_arrays(Path("pictures"))
    assert found.arrays[0].shape == [3, 4, 7, 3]
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith("2 different sizes, 2 images of 4 × 7")


def test_config_compares_its_splits(here, run_cli):
    """With the names of the classes, and the number of rows of each split."""
    inputs, labels = normal(50), np.arange(50) % 2
    np.savez("data.npz", x=inputs, y=labels)
    np.savez("test.npz", x=np.concatenate([inputs[:5], normal(5, seed=1)]), y=labels[:10])
    Path("config.yaml").write_text(CONFIG, encoding="utf-8")
    document = json.loads(run_cli("data", "config.yaml", "--json").out)
    assert (document["classes"], document["path"]) == ({"cat": 25, "dog": 25}, str(here / "data.npz"))
    assert document["splits"] == {"training": 40, "validation": 10, "test": 10}
    assert [each["name"] for each in document["arrays"]] == ["inputs", "targets"]
    shared = [int(text.split()[0]) for text in document["warnings"] if "of test are equal to a row of" in text]
    assert sum(shared) == 5
    printed = run_cli("data", "config.yaml").out
    assert "classes: cat 25, dog 25\nsplits: training 40, validation 10, test 10\n" in printed
    assert "  50 × 3   float64" in printed


def test_only_some_rows_are_in_memory(here):
    """A tenth of a memory-mapped file of 40 MB."""
    np.save("large.npy", np.zeros((50_000, 100)) + np.arange(50_000.0)[:, None])
    tracemalloc.start()
    ArraySummary.of("large", open_npy(Path("large.npy")))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12e6


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["cut.npy"], 3, "cut.npy: byte 200: the file ends after 72 of 160 bytes of values"),
        (["image.png"], 3, "image.png: an image; name a directory with a subdirectory for each class"),
        (["empty"], 3, "empty: 0 subdirectories, expected two or more, one for each class"),
        (["whole.npy", "--target", "a"], 2, "whole.npy: is not a table; remove --target"),
        (["missing.npy"], 3, "missing.npy: no such file"),
        (["toy.yaml", "--target", "a"], 2, "toy.yaml: names the target itself; --target is for a table"),
        (["toy.yml"], 2, "toy.yml: its data is moons, which is not read from a file"),
        (["toy.yaml"], 2, "toy.yaml: its data is moons, which is not read from a file"),
    ],
)
def test_what_cannot_be_summarized_is_rejected(here, run_cli, words, code, message):
    """Each with its place and the fix."""
    np.save("whole.npy", np.zeros((10, 2)))
    Path("cut.npy").write_bytes(Path("whole.npy").read_bytes()[:200])
    Image.fromarray(np.zeros((4, 7), np.uint8)).save("image.png")
    Path("empty").mkdir()
    toy = CONFIG.replace("{type: arrays, path: data.npz, class_names: [cat, dog]}", "moons")
    Path("toy.yaml").write_text(toy.replace("test: {path: test.npz}\n", ""), encoding="utf-8")
    Path("toy.yml").write_bytes(Path("toy.yaml").read_bytes())
    result = run_cli("data", *words)
    assert (result.code, result.out, message in result.err) == (code, "", True), result.err
