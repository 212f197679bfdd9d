"""``nncli predict``: formats of the output, and messages about the rows."""

import csv
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from nncli.data.columns import Number
from nncli.errors import MissingExtraError
from nncli.inference.prediction_files import write_parquet
from nncli.store.preprocessing import read_preprocessing
from nncli.store.run_reader import Run

SPEC = """\
seed: 0
data: {type: table, path: data.csv, target: kind, id: name}
layers: [{type: dense, units: 3}, softmax]
loss: categorical_crossentropy
optimizer: adam
training: {epochs: 3}
"""
KINDS = ("réd", "green, dark", 'a "b"')


def rows(count=30):
    """Rows with ids of different lengths, two numbers and a class."""
    rng = np.random.default_rng(0)
    names = [f"n{'x' * (i % 7)}{i}" for i in range(count)]
    return [[name, *rng.normal(size=2).round(6).tolist(), KINDS[i % 3]] for i, name in enumerate(names)]


def write_csv(path, header, table):
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *table])


@pytest.fixture
def run(workdir, run_cli):
    """The directory of a run on a table with an id; data.csv has its rows."""
    write_csv("data.csv", ["name", "width", "height", "kind"], rows())
    Path("run.yaml").write_text(SPEC, encoding="utf-8")
    assert run_cli("train", "run.yaml", "-q").code == 0
    return "run"


def columns_of_csv(path):
    """The columns of a CSV file: texts, and numbers where all values are."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    return {name: list(values) for name, *values in zip(header, *lines, strict=True)}


def columns_of(path):
    """The columns of a file of predictions, in their order."""
    if path.endswith(".npy"):
        records = np.load(path, allow_pickle=False)
        return {name: records[name].tolist() for name in records.dtype.names}
    if path.endswith(".parquet"):
        import duckdb

        found = duckdb.sql(f"SELECT * FROM '{path}'")
        return dict(zip(found.columns, map(list, zip(*found.fetchall(), strict=True)), strict=True))
    lines = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
    return {name: [line[name] for line in lines] for name in lines[0]}


@pytest.mark.parametrize("suffix", ["jsonl", "ndjson", "npy", "parquet"])
@pytest.mark.parametrize("options", [[], ["--probabilities"]])
def test_every_format_has_the_columns_of_csv(run, run_cli, suffix, options):
    """Names, order, texts and every bit of the numbers are those of the CSV file."""
    assert run_cli("predict", run, "data.csv", "-o", "out.csv", *options).code == 0
    assert run_cli("predict", run, "data.csv", "-o", f"out.{suffix}", *options).code == 0
    expected, found = columns_of_csv("out.csv"), columns_of(f"out.{suffix}")
    assert list(found) == list(expected)
    for name, values in found.items():
        assert values == (expected[name] if isinstance(values[0], str) else [float(each) for each in expected[name]])
    assert [type(values[0]) for values in found.values()] == [str, str, *[float] * (len(found) - 2)]
    assert set(map(str, Path.cwd().glob(".*"))) == set()


REGRESSION = """\
seed: 0
data: {type: table, path: data.csv, target: [width, height], ignore: [name, kind], columns: {size: number}}
layers: [{type: dense, units: 2}]
loss: mean_squared_error
optimizer: adam
training: {epochs: 3}
"""


@pytest.mark.parametrize("suffix", ["jsonl", "npy", "parquet"])
def test_regression_with_two_targets_has_their_columns(workdir, run_cli, suffix):
    """Without an id there is the number of the row, an integer; each target has a column of float64."""
    write_csv("data.csv", ["name", "width", "height", "kind", "size"], [[*row, row[1] * 2] for row in rows()])
    Path("run.yaml").write_text(REGRESSION, encoding="utf-8")
    assert run_cli("train", "run.yaml", "-q").code == 0
    for path in ("out.csv", f"out.{suffix}"):
        assert run_cli("predict", "run", "data.csv", "-o", path).code == 0
    expected, found = columns_of_csv("out.csv"), columns_of(f"out.{suffix}")
    assert list(found) == ["row", "prediction_width", "prediction_height"]
    assert found["row"] == list(range(1, 31))
    assert type(found["row"][0]) is int
    assert {name: list(map(float, values)) for name, values in expected.items()} == found


def test_lines_end_with_a_line_feed_and_letters_are_not_escaped(run, run_cli):
    """In CSV and in JSON lines, so that other programs show the names of the classes as they are."""
    for path in ("out.csv", "out.jsonl"):
        assert run_cli("predict", run, "data.csv", "--probabilities", "-o", path).code == 0
        content = Path(path).read_bytes()
        assert ("probability_réd".encode() in content, b"\r" in content) == (True, False)


@pytest.mark.parametrize("suffix", ["npy", "parquet"])
def test_rows_are_written_beside_the_output_first(run, run_cli, monkeypatch, suffix):
    """The directory for temporary files, which may be small or in memory, is not used."""
    with monkeypatch.context() as patched:
        patched.setattr(tempfile, "tempdir", "missing")
        assert run_cli("predict", run, "data.csv", "-o", f"out.{suffix}").code == 0
    assert len(columns_of(f"out.{suffix}")["prediction"]) == 30


def test_parquet_needs_its_extra_before_rows_are_predicted(monkeypatch):
    """Not after the last one."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(MissingExtraError, match="parquet"):
        write_parquet(None, None)


@pytest.mark.parametrize("suffix", ["npy", "parquet"])
def test_failed_prediction_leaves_the_output_as_it_was(run, run_cli, suffix):
    """A damaged row at the end of the file changes nothing, and nothing temporary is left."""
    output = Path(f"out.{suffix}")
    output.write_bytes(b"before")
    write_csv("bad.csv", ["name", "width", "height"], [*(row[:3] for row in rows()), ["last", "big", "1"]])
    assert run_cli("predict", run, "bad.csv", "-o", output).code == 3
    assert output.read_bytes() == b"before"
    assert [path.name for path in Path.cwd().iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "out.xlsx"], "out.xlsx: predictions are written as .csv, .jsonl, .ndjson, .npy or .parquet"),
        (["--format", "npy"], "standard output is text; name a file for --format npy: -o predictions.npy"),
    ],
)
def test_format_that_cannot_be_written(run, run_cli, arguments, message):
    """An unknown suffix lists the known ones; binary formats need a file."""
    result = run_cli("predict", run, "data.csv", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_format_stands_above_the_suffix(run, run_cli):
    """``--format`` writes its format under any name."""
    assert run_cli("predict", run, "data.csv", "-o", "out.txt", "--format", "npy").code == 0
    assert len(np.load("out.txt")) == 30


def test_suffix_may_be_in_upper_case(run, run_cli):
    """As some systems write it."""
    assert run_cli("predict", run, "data.csv", "-o", "out.NPY").code == 0
    assert len(np.load("out.NPY")) == 30


@pytest.mark.parametrize("suffix", ["jsonl", "npy", "parquet"])
def test_columns_of_the_same_name_are_rejected(run, run_cli, suffix):
    """An id that is called prediction would hide the predictions in formats with one value for each name."""
    spec = Path("run.yaml").read_text(encoding="utf-8").replace("id: name", "id: prediction")
    write_csv("data.csv", ["prediction", "width", "height", "kind"], rows())
    Path("other.yaml").write_text(spec, encoding="utf-8")
    assert run_cli("train", "other.yaml", "-q").code == 0
    result = run_cli("predict", "other", "data.csv", "-o", f"out.{suffix}")
    assert (result.code, Path(f"out.{suffix}").exists()) == (2, False)
    assert "two columns of the predictions are called 'prediction'; write them as CSV" in result.err
    assert run_cli("predict", "other", "data.csv", "-o", "out.csv").code == 0


def test_columns_of_parquet_differ_in_more_than_case(run, run_cli):
    """DuckDB would rename the second one."""
    spec = Path("run.yaml").read_text(encoding="utf-8").replace("id: name", "id: Prediction")
    write_csv("data.csv", ["Prediction", "width", "height", "kind"], rows())
    Path("other.yaml").write_text(spec, encoding="utf-8")
    assert run_cli("train", "other.yaml", "-q").code == 0
    result = run_cli("predict", "other", "data.csv", "-o", "out.parquet")
    assert (result.code, "two columns of the predictions are called 'prediction'" in result.err) == (2, True)
    assert run_cli("predict", "other", "data.csv", "-o", "out.npy").code == 0


def test_values_far_outside_of_the_training_range_are_named(run, run_cli):
    """Column, number, range, and the first values with their lines; just within twice the range there is no warning."""
    table = [row[:3] for row in rows()]
    widths = [row[1] for row in table]
    smallest, largest = min(widths), max(widths)
    within, beyond = 2 * largest - smallest - 1e-9, 2 * smallest - largest - 1e-9
    table[3][1], table[5][1] = within, beyond
    write_csv("new.csv", ["name", "width", "height"], table)
    result = run_cli("predict", run, "new.csv", "-o", "out.csv")
    of_range = f"training range {smallest:g} to {largest:g}"
    assert result.err == f"new.csv: column width has 1 value far outside of the {of_range}: {beyond:g} in line 7\n"
    for row in table[7:]:
        row[1] = 1e6
    write_csv("new.csv", ["name", "width", "height"], table)
    err = run_cli("predict", run, "new.csv", "-o", "out.csv").err
    assert f"column width has 24 values far outside of the {of_range}: " in err
    assert err.endswith("1e+06 in line 9, 1e+06 in line 10, 1e+06 in line 11, 1e+06 in line 12 and 19 more\n")


def test_training_data_has_no_value_far_outside(run, run_cli):
    """The rows that were trained on are not noted."""
    assert "outside" not in run_cli("predict", run, "data.csv", "-o", "out.csv").err


def test_run_without_a_range_predicts_the_same(run, run_cli):
    """A state of an older version has no smallest and largest value: no note, and the same predictions."""
    preprocessing = read_preprocessing(Run(Path("runs/run")))
    state = preprocessing.state()
    width = state["columns"]["width"]
    column = Number()
    column.restore({name: value for name, value in width.items() if name not in {"smallest", "largest"}})
    values = np.array([0.5, 1e9])
    assert column.out_of_range(values).tolist() == []
    assert preprocessing.columns["width"].out_of_range(values).tolist() == [1]
    assert column.apply(values).tobytes() == preprocessing.columns["width"].apply(values).tobytes()


def test_missing_values_that_are_replaced_are_counted(run, run_cli):
    """Each column with its number and the first line."""
    spec = Path("run.yaml").read_text(encoding="utf-8")
    spec = spec.replace("id: name", "id: name, columns: {width: {type: number, missing: mean}}")
    Path("filled.yaml").write_text(spec, encoding="utf-8")
    assert run_cli("train", "filled.yaml", "-q").code == 0
    table = [row[:3] for row in rows()]
    table[3][1] = table[9][1] = ""
    write_csv("new.csv", ["name", "width", "height"], table)
    err = run_cli("predict", "filled", "new.csv", "-o", "out.csv").err
    assert err == "new.csv: missing values were replaced: width 2 (first in line 5)\n"


@pytest.mark.parametrize(
    ("output", "form", "message"),
    [
        (".", "csv", ".: is a directory; name a file in it with -o"),
        ("", "csv", ".: is a directory; name a file in it with -o"),
        ("/dev/full", "npy", "/dev/full: is a device or a pipe; name a file for --format npy"),
    ],
)
def test_output_is_a_file(run, run_cli, output, form, message):
    """Before a row is read."""
    found = run_cli("predict", run, "data.csv", "-o", output, "--format", form)
    assert found.code == 2
    assert found.err == f"{message}\n"


def test_empty_targets_have_no_score(run, run_cli):
    """A file in which all of them are still missing is predicted."""
    write_csv("new.csv", ["name", "width", "height", "kind"], [[*row[:3], ""] for row in rows()])
    result = run_cli("predict", run, "new.csv", "-o", "out.csv")
    assert (result.code, result.err) == (0, "")


def test_rows_are_not_overwritten(run, run_cli):
    """Under whichever name the file is given."""
    before = Path("data.csv").read_bytes()
    Path("link.csv").symlink_to("data.csv")
    for output in ("data.csv", "./runs/../data.csv", "link.csv"):
        result = run_cli("predict", run, "data.csv", "-o", output)
        assert (result.code, "is an input file" in result.err) == (2, True)
    assert Path("data.csv").read_bytes() == before
