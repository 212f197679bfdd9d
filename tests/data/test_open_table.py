"""Tables as CSV, JSON lines and Parquet: the same rows train the same weights, and predictions are the same."""

import gzip
import json
import re
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest

from nncli.data.open_table import open_table
from tests.experiment.test_preparation import CLASSES, CONFIG, FRACTIONS, PRICES, rows, text

pytestmark = pytest.mark.slow
TYPES = {"age": float, "price": float, "active": {"yes": True, "no": False}.__getitem__}


def records(with_types=True):
    """The rows, with numbers and booleans as such."""
    return [
        {name: TYPES.get(name, str)(value) if with_types else value for name, value in row.items()} for row in rows()
    ]


def as_csv():
    """The rows as a CSV file has them; true and false are words."""
    table = [{**row, "active": {"yes": "true", "no": "false"}[row["active"]]} for row in rows()]
    Path("data.csv").write_text(text(table), encoding="utf-8")
    return "data.csv"


def as_json_lines():
    lines = [json.dumps(record) for record in records()]
    Path("data.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return "data.jsonl"


def as_compressed_json_lines():
    Path("data.jsonl.gz").write_bytes(gzip.compress(Path(as_json_lines()).read_bytes()))
    return "data.jsonl.gz"


def as_parquet():
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t (age DOUBLE, color TEXT, active BOOL, joined DATE, patient TEXT, part TEXT)")
    connection.execute("ALTER TABLE t ADD COLUMN price DOUBLE")
    connection.execute("ALTER TABLE t ADD COLUMN kind TEXT")
    typed = [{**record, "joined": date.fromisoformat(record["joined"])} for record in records()]
    connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [list(each.values()) for each in typed])
    connection.execute("COPY t TO 'data.parquet' (FORMAT parquet)")
    return "data.parquet"


@pytest.fixture
def train(tmp_path, monkeypatch, run_cli):
    """Train on a file, and return the exit code, the messages and the weights."""
    monkeypatch.chdir(tmp_path)

    def run(file, task=CLASSES):
        content = CONFIG.format(**{**task, **FRACTIONS}).replace("data.csv", file)
        Path("config.yaml").write_text(content, encoding="utf-8")
        result = run_cli("train", "config.yaml", "-q", "--name", file)
        path = tmp_path / "runs" / file / "weights.npz"
        return result.code, result.err, path.read_bytes() if path.exists() else None

    return run


@pytest.mark.parametrize("write", [as_json_lines, as_compressed_json_lines, as_parquet])
@pytest.mark.parametrize("task", [CLASSES, PRICES], ids=["classes", "prices"])
def test_the_same_rows_train_the_same_weights(train, run_cli, write, task):
    """Byte for byte, and predictions of each format are the same."""
    expected = train(as_csv(), task)
    assert expected[0] == 0
    file = write()
    assert train(file, task) == expected
    assert run_cli("predict", "data.csv", file).out == run_cli("predict", "data.csv", "./data.csv").out
    assert run_cli("data", file, "--target", task["target"]).code == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "data.jsonl: is empty; expected a JSON object in each line"),
        ("[1]\n", "data.jsonl:1: [1] is not an object; write a JSON object in each line"),
        ('{"x": 1, "kind": "a"}\n{"x": 2, "k": "b"}\n', "data.jsonl:2: key 'k' is not in the first line; write all"),
        ('{"x": 1, "kind": "a"}\n\n{"x": 2,\n', "data.jsonl:3: Expecting property name"),
        ('{"x": 1, "x": 2, "kind": "a"}\n', "data.jsonl:1: key 'x' occurs twice; write a JSON object in each line"),
        ('{"x": [1], "kind": "a"}\n', "data.jsonl:1: column 'x': a value of type list is neither a number nor a text"),
        ('{"x": 1, "kind": "a"}\n{"x": 2}\n', "the target 'kind' is"),
        ("[" * 100_000, "data.jsonl:1: nested too deeply"),
        ('{"": 1, "kind": "a"}\n', "data.jsonl:1: column 1 has no name"),
    ],
)
def test_damaged_json_lines_are_rejected_with_their_line(train, content, message):
    """Exit code 3."""
    Path("data.jsonl").write_text(content, encoding="utf-8")
    code, err, _ = train("data.jsonl")
    assert (code, message in err) == (3, True), err


def test_damaged_parquet_is_rejected(train):
    """Exit code 3, cut short or with other bytes."""
    content = Path(as_parquet()).read_bytes()
    for damaged in (content[:-20], content[:100], b"PAR1", content[:8] + bytes(len(content) - 16) + content[-8:]):
        Path("data.parquet").write_bytes(damaged)
        code, err, _ = train("data.parquet")
        assert (code, "data.parquet" in err) == (3, True), err


def test_missing_values_of_parquet_are_missing(train):
    """NULL and NaN; an error has the number of the row."""
    number = "CASE WHEN i = 3 THEN NULL WHEN i = 5 THEN 'nan'::DOUBLE ELSE i::DOUBLE END AS x"
    kind = "CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END AS kind"
    duckdb.sql(f"COPY (SELECT {number}, {kind} FROM range(40) t(i)) TO 'data.parquet'")
    (block,) = open_table(Path("data.parquet")).blocks()
    assert np.flatnonzero(np.isnan(block.columns[0])).tolist() == [3, 5]
    code, err, _ = train("data.parquet", {**CLASSES, "units": 2})
    assert code == 3
    assert re.search(r"data\.parquet:[46]: column 'x': the value is missing", err)
