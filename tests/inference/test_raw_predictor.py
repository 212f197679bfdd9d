"""A run on a table predicts rows in memory as it predicts those of a file, bit for bit."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest

import nncli
from nncli.errors import CommandLineError, ConfigError
from nncli.inference.opening import open_predictions
from nncli.store.run_reader import Run
from tests.examples import BINARY, SINE

CELLS = {  # the values of a program
    "size": [0.1, 1e-17, 123456789.123456789, 1 / 3, -0.0, 2.5e300, 3.0, 7.25],
    "count": [1, 2, 3, 2**53 + 1, 5, -6, 7, 8],
    "color": ["red", "green", "red", "blue", "green", "red", "red", "blue"],
    "code": [3, 1, 2, 3, 1, 2, 3, 1],
    "active": [True, False, True, True, False, False, True, False],
    "joined": [date(2020 + row, 1 + row, 3 * row + 1) for row in range(8)],
    "seen": [datetime(2024, 3, 1, row, 5, 0, row * 1001, tzinfo=UTC) for row in range(8)],
    "weight": [1.5, None, 2.5, float("nan"), 3.5, 4.5, None, 5.5],
    "kind": ["a", "b", "a", "b", "b", "a", "a", "b"],
    "price": [100.5, 200, 150, 120, 180, 111, 99, 205],
}
COLUMNS = {
    "size": {"type": "number", "transform": "quantile"},
    "code": {"type": "category", "encoding": {"type": "one_hot", "unseen": "error"}},
    "color": {"type": "category", "encoding": {"type": "one_hot", "unseen": "error"}},
    "seen": {"type": "date", "parts": ["hour", "seconds"]},
    "weight": {"type": "number", "missing": {"type": "mean", "indicator": True}},
}
INPUTS = [name for name in CELLS if name not in {"kind", "price"}]


def texts():
    """The values as a CSV file has them."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(CELLS)
    for row in zip(*CELLS.values(), strict=True):
        writer.writerow("" if value is None or value != value else value for value in row)  # noqa: PLR0124 (NaN)
    return stream.getvalue()


def records(columns=INPUTS):
    return [dict(zip(columns, row, strict=True)) for row in zip(*(CELLS[name] for name in columns), strict=True)]


@pytest.fixture(params=["kind", "price"])
def run(request, tmp_path, monkeypatch):
    """A run on the values as a file, for classes and for a regression."""
    return trained(tmp_path, monkeypatch, request.param)


def trained(tmp_path, monkeypatch, target="kind", **columns):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text(texts(), encoding="utf-8")
    other = "price" if target == "kind" else "kind"
    last = [{"type": "dense", "units": 2}, "softmax"] if target == "kind" else [{"type": "dense", "units": 1}]
    config = {
        "data": {
            "type": "table",
            "path": "data.csv",
            "target": target,
            "ignore": [other],
            "columns": {**COLUMNS, **columns},
        },
        "layers": [{"type": "dense", "units": 8}, "tanh", *last],
        "loss": "categorical_crossentropy" if target == "kind" else "mean_squared_error",
        "optimizer": "adam",
        "training": {"epochs": 5},
    }
    return nncli.train(config)


def of_file(run):
    """The outputs for the rows of the file, in the unit of the targets."""
    predictions = open_predictions(Run(run.path), [run.path.parents[1] / "data.csv"])
    tables = [block.rows for block in predictions.rows.blocks()]
    outputs = [predictions.predictor.predict_rows(table) for table in tables]
    return predictions.predictor.in_target_units(np.concatenate(outputs))


def outputs(run, inputs):
    """The probabilities, or the values."""
    return run.predict_proba(inputs) if run.config["data"]["target"] == "kind" else run.predict(inputs)[:, None]


def frame(library, columns):
    module = pytest.importorskip(library)
    return module.table(columns) if library == "pyarrow" else module.DataFrame(columns)


def typed():
    """The columns as arrays of the dtypes that a program has."""
    return {
        **{name: CELLS[name] for name in INPUTS},
        "size": np.array(CELLS["size"]),
        "count": np.array(CELLS["count"], np.int64),
        "active": np.array(CELLS["active"]),
        "code": np.array(CELLS["code"], float),
        "joined": np.array(CELLS["joined"], "datetime64[D]"),
        "seen": np.array([each.replace(tzinfo=None) for each in CELLS["seen"]], "datetime64[ns]"),
        "weight": np.array(CELLS["weight"], float),
    }


FORMS = {
    "records": records,
    "columns": lambda: {name: CELLS[name] for name in INPUTS},
    "typed columns": typed,
    "texts": lambda: list(csv.DictReader(io.StringIO(texts()))),
    "lists": lambda: [list(row.values()) for row in records()],
    "objects": lambda: np.array([list(row.values()) for row in records()], object),
    "pandas": lambda: frame("pandas", typed()),
    "pandas objects": lambda: frame("pandas", {name: CELLS[name] for name in INPUTS}),
    "polars": lambda: frame("polars", {name: CELLS[name] for name in INPUTS}),
    "pyarrow": lambda: frame("pyarrow", {name: CELLS[name] for name in INPUTS}),
    "more columns": lambda: [{**row, "other": object()} for row in records()],
}


@pytest.mark.parametrize("form", FORMS)
def test_rows_in_memory_are_predicted_as_those_of_the_file(run, form):
    """The same bits: floats, integers beyond 2^53, booleans, missing values, dates, categories that are numbers."""
    assert np.array_equal(outputs(run, FORMS[form]()), of_file(run))


def test_order_of_columns_does_not_matter(run):
    """They are found by name."""
    assert np.array_equal(outputs(run, [dict(reversed(row.items())) for row in records()]), of_file(run))


def test_predictions_are_what_the_target_has(tmp_path, monkeypatch):
    """Names of classes, or values (N,) in their unit."""
    run = trained(tmp_path, monkeypatch)
    assert (run.classes_.tolist(), run.feature_names_in_.tolist()) == (["a", "b"], INPUTS)
    probabilities = run.predict_proba(records())
    assert np.array_equal(run.predict(records()), np.array(["a", "b"])[probabilities.argmax(axis=1)])
    assert run.score(records(), CELLS["kind"]) == np.mean(run.predict(records()) == np.array(CELLS["kind"]))
    regression = trained(tmp_path, monkeypatch, "price")
    values, expected = regression.predict(records()), np.array(CELLS["price"])
    assert values.shape == (8,)
    assert 50 < values.min() < values.max() < 300
    r2 = 1 - np.square(values - expected).sum() / np.square(expected - expected.mean()).sum()
    assert regression.score(records(), expected) == pytest.approx(r2, abs=1e-12)
    with pytest.raises(CommandLineError, match="a regression has no probabilities; use predict"):
        regression.predict_proba(records())
    assert not hasattr(regression, "classes_")


def test_no_rows_have_no_predictions(run):
    """The result has the same number of columns as ever."""
    assert len(run.predict([])) == len(run.predict({name: [] for name in INPUTS})) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": "big"}, r"inputs\[2\], column 'size': 'big' is not a number"),
        ({"size": float("inf")}, r"inputs\[2\], column 'size': 'inf'"),
        ({"count": 10**400}, r"inputs\[2\], column 'count': '1000"),
        (
            {"size": None},
            r"inputs\[2\], column 'size': the value is missing; write it, remove the row, or train with missing: ",
        ),
        ({"size": True}, r"inputs\[2\], column 'size': 'True' is not a number"),
        ({"size": [1]}, r"inputs\[2\], column 'size': a value of type list is neither a number nor a text"),
        ({"color": "pink"}, r"inputs\[2\], column 'color': 'pink'"),
        ({"code": 9}, r"inputs\[2\], column 'code': '9'"),
        ({"active": 2}, r"inputs\[2\], column 'active': '2' is neither true nor false"),
        ({"joined": "1.3.2024"}, r"inputs\[2\], column 'joined': '1.3.2024' is not an ISO 8601 date"),
    ],
)
def test_wrong_values_are_named(tmp_path, monkeypatch, changes, message):
    """With the index of the row, the column and the value, the first twenty at once."""
    run, rows = trained(tmp_path, monkeypatch), records()
    rows[2] |= changes
    with pytest.raises(ConfigError, match=message):
        run.predict(rows)


def test_warning_names_unseen_categories_that_are_accepted(tmp_path, monkeypatch):
    """By default their inputs are 0; the warning is that of the line that predicts."""
    run, rows = trained(tmp_path, monkeypatch, color="category"), records()
    rows[2]["color"] = rows[4]["color"] = "pink"
    with pytest.warns(
        UserWarning, match=r"^inputs\[2\], column 'color': 'pink' in 2 rows is in no training row$"
    ) as caught:
        run.predict(rows)
    assert caught[0].filename == __file__


def test_all_problems_are_listed_in_the_order_of_rows(tmp_path, monkeypatch):
    """Twenty of them, then a count."""
    run, rows = trained(tmp_path, monkeypatch), records() * 4
    for row in rows:
        row["size"] = "x"
    with pytest.raises(ConfigError) as caught:
        run.predict(rows)
    lines = str(caught.value).splitlines()
    assert [line.partition(",")[0] for line in lines[:20]] == [f"inputs[{row}]" for row in range(20)]
    assert lines[20:] == ["inputs: and 12 more"]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([{"size": 1}], r"inputs\[0\] lacks the columns 'count', 'color', .*; write None for a missing value"),
        ([*records(), {**records()[0], "x": 1}, {}], r"inputs\[9\] lacks"),
        ({"size": [1]}, "inputs lack the columns 'count', .* of the training data; they have the column 'size'"),
        ({**typed(), "size": [1]}, "the columns are not of the same length: 'size' has 1, 'count' has 8"),
        ({**typed(), "size": 1}, "column 'size' is neither a list nor a one-dimensional array"),
        ([[1, 2]], r"an array of the shape \(rows, 8\) with the columns 'size', .*; got list of the shape \(1, 2\)"),
        (np.zeros(8), r"got ndarray of the shape \(8,\)"),
        ("data.csv", r"got str"),
    ],
)
def test_missing_columns_are_named_at_once(tmp_path, monkeypatch, inputs, message):
    """All of them, in whatever form the rows are."""
    with pytest.raises(ConfigError, match=message):
        trained(tmp_path, monkeypatch).predict(inputs)


def test_frame_that_has_a_column_twice_is_rejected(tmp_path, monkeypatch):
    """It cannot be told which one is meant."""
    pandas = pytest.importorskip("pandas")
    doubled = pandas.concat([pandas.DataFrame(typed()), pandas.DataFrame({"size": range(8)})], axis=1)
    with pytest.raises(ConfigError, match="inputs have the column 'size' more than once"):
        trained(tmp_path, monkeypatch).predict(doubled)


@pytest.mark.parametrize("missing", ["NA", "", float("nan"), None, Decimal("nan"), np.datetime64("NaT")])
def test_missing_values_of_all_kinds_are_the_same(tmp_path, monkeypatch, missing):
    """In a column that replaces them."""
    run, rows = trained(tmp_path, monkeypatch), records()
    rows[1]["weight"] = missing
    assert np.array_equal(run.predict_proba(rows), run.predict_proba(records()))


def test_masked_values_are_missing(tmp_path, monkeypatch):
    """Whatever is below the mask."""
    run, columns = trained(tmp_path, monkeypatch), typed()
    columns["weight"] = np.ma.masked_array(np.nan_to_num(columns["weight"]), np.isnan(columns["weight"]))
    assert np.array_equal(run.predict_proba(columns), run.predict_proba(records()))


def test_missing_values_of_pandas_are_missing(tmp_path, monkeypatch):
    """NA of nullable columns."""
    pandas = pytest.importorskip("pandas")
    nullable = pandas.DataFrame(typed()).convert_dtypes()
    assert nullable["weight"].isna().sum() == 3
    run = trained(tmp_path, monkeypatch)
    assert np.array_equal(run.predict_proba(nullable), run.predict_proba(records()))


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (["a"] * 7, "as many targets as rows"),
        ([*CELLS["kind"][:7], "c"], r"targets\[7\]: 'c' is not a class of the training data; its classes are 'a', 'b'"),
        ([None, *CELLS["kind"][1:]], r"targets\[0\]: null is not a class"),
    ],
)
def test_wrong_targets_are_rejected(tmp_path, monkeypatch, targets, message):
    """With the index and the value."""
    with pytest.raises(ConfigError, match=message):
        trained(tmp_path, monkeypatch).score(records(), targets)


def test_wrong_values_of_targets_are_rejected(tmp_path, monkeypatch):
    """Of a regression."""
    run = trained(tmp_path, monkeypatch, "price")
    with pytest.raises(ConfigError, match=r"targets\[1\] is not a finite number"):
        run.score(records(), [1, float("nan"), *range(6)])
    with pytest.raises(ConfigError, match="targets must be numbers"):
        run.score(records(), ["a"] * 8)
    with pytest.raises(ConfigError, match=r"targets must have the shape \(8, 1\), got \(8, 2\)"):
        run.score(records(), np.zeros((8, 2)))


def test_threads_that_predict_at_the_same_time_do_not_mix_categories(tmp_path, monkeypatch):
    """The columns of the run have one vocabulary, which each call has to itself."""
    run, rows = trained(tmp_path, monkeypatch), records()
    chunks = [rows[start : start + 3] * 50 for start in range(6)]
    expected = [run.predict_proba(chunk).tolist() for chunk in chunks]
    with ThreadPoolExecutor(4) as pool:
        assert [each.tolist() for each in pool.map(run.predict_proba, chunks)] == expected


@pytest.mark.parametrize(("overrides", "classes"), [((), 3), (BINARY, 2), (SINE, None)], ids=["classes", "two", "sine"])
def test_run_on_sampled_data_predicts_outputs(workdir, overrides, classes):
    """As its layers compute them; probabilities have a column for each class, and score takes class labels."""
    run = nncli.train("config.yaml", overrides)
    inputs = np.linspace(0.1, 0.9, 6).reshape((3, 2) if classes else (6, 1))
    predicted = run.predict(inputs)
    assert predicted.shape == (len(inputs), 3 if classes == 3 else 1)
    if classes is None:
        assert run.score(inputs, predicted) == 1
        return
    probabilities = run.predict_proba(inputs)
    assert probabilities.shape == (3, classes)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert run.feature_names_in_.tolist() == ["x", "y"]
    assert run.score(inputs, probabilities.argmax(axis=1)) == 1
