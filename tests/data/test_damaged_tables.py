"""Damaged and odd CSV files: an exit code and a message with line, column and value, or the right values."""

import os
import re
import socket
from pathlib import Path

import pytest

from nncli.data.sources.table import TableSource
from tests.data.damaged_tables import CLEAN, FILES, HEADER

pytestmark = pytest.mark.slow
CONFIG = """\
seed: 0
data: {type: table, path: data.csv, target: kind}
validation: {fraction: 0.2}
layers: [{type: dense, units: 2}, softmax]
loss: categorical_crossentropy
optimizer: sgd
training: {epochs: 1, batch_size: 8}
"""
SAME_VALUES = [
    "byte order mark",
    "carriage returns",
    "both line ends",
    "mixed line ends",
    "no last line end",
    "blank lines",
    "spaces around values",
    "semicolons",
    "tabs",
    "bars",
    "gzip",
]


@pytest.fixture
def train(tmp_path, monkeypatch, run_cli):
    """Train on data.csv in an empty directory."""
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(CONFIG, encoding="utf-8")
    return lambda: run_cli("train", "config.yaml", "-q")


@pytest.mark.parametrize("name", FILES)
def test_file_is_read_or_rejected_with_its_line(train, name):
    """Exit code 3, the message at the key of the config, and no run; or a run."""
    Path("data.csv").write_bytes(FILES[name].content)
    result, message = train(), FILES[name].message
    if message is None:
        assert (result.code, Path("runs/config").is_dir()) == (0, True), result.err
    else:
        assert (result.code, result.out, Path("runs").exists()) == (3, "", False), result.err
        assert result.err.startswith(("config.yaml:2:", "config.yaml:3:")), result.err  # data or validation
        assert message in result.err
        assert len(result.err) < 3000


@pytest.mark.parametrize("name", SAME_VALUES)
def test_other_forms_have_the_same_values(tmp_path, name):
    """Line ends, delimiters, white space and compression change no value."""
    tables = []
    for content in (CLEAN.encode(), FILES[name].content):
        (tmp_path / "data.csv").write_bytes(content)
        source = TableSource(tmp_path / "data.csv", "kind")
        source.open()
        table = source.file.read.table
        tables.append({name: table.values(name).tolist() for name in HEADER.split(",")})
    assert tables[0] == tables[1]


def test_problems_are_listed_up_to_twenty_then_counted(train):
    """In the order of the lines."""
    Path("data.csv").write_text(CLEAN + "1,r\n" * 30, encoding="utf-8")
    lines = train().err.splitlines()
    assert [f"data.csv:{42 + index}: 2 fields, the header has 3" in line for index, line in enumerate(lines[:20])]
    assert lines[20].startswith("data.csv: and 10 more")


def test_wrong_values_of_a_column_share_a_line(train):
    """If there are more than three: the first ones with their lines, and the number of the others."""
    wrong = "".join(f"{'abc'[row % 3]}{row},r,a\n" for row in range(30))
    columns = "columns: {x: number, color: {type: category}}"
    config = Path("config.yaml").read_text(encoding="utf-8").replace("target: kind", f"target: kind, {columns}")
    Path("config.yaml").write_text(config, encoding="utf-8")
    for count, expected in ((3, 3), (4, 1), (30, 1)):
        Path("data.csv").write_text(CLEAN + "".join(wrong.splitlines(keepends=True)[:count]), encoding="utf-8")
        lines = [line for line in train().err.splitlines() if "data.csv:" in line]
        assert len(lines) == expected
        assert "data.csv:42: column 'x': 'a0' is not a number; correct it, or train" in lines[0]
    assert lines[0].endswith(
        "; and 29 more values of the column: 'b1' in line 43, 'c2' in line 44, 'a3' in line 45, 'b4' in line 46, ..."
    )


def test_missing_values_share_a_line(train):
    """Those of two columns are two lines."""
    Path("data.csv").write_text(CLEAN + ",,a\n" * 30, encoding="utf-8")
    lines = [line for line in train().err.splitlines() if "data.csv:" in line]
    more = r"and \d\d more values of the column: line \d+, line \d+, line \d+, line \d+, \.\.\."
    assert len(lines) == 2
    for name, line in zip(("color", "x"), lines, strict=True):
        assert re.search(rf"data\.csv:\d+: column '{name}': the value is missing; .*; {more}$", line)


def make_socket(path):
    """A socket instead of a file."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "data.csv: no such file; check the path"),
        (lambda path: path.mkdir(), "data.csv: is a directory; name the file in it"),
        (lambda path: path.symlink_to("nowhere"), "is a symbolic link to 'nowhere', which does not exist"),
        (lambda path: path.symlink_to("data.csv"), "is a symbolic link to itself; name the file"),
        (lambda path: path.symlink_to(os.devnull), "data.csv: is empty; expected a header and rows"),
        (lambda path: path.symlink_to("/dev/zero"), "data.csv:1: the row that begins here has more than 8,388,608"),
        (make_socket, "data.csv: is a socket; expected a file"),
    ],
    ids=["missing", "directory", "dangling link", "link to itself", "null", "endless", "socket"],
)
def test_what_is_no_file_is_rejected(train, make, message):
    """With what it is."""
    make(Path("data.csv"))
    result = train()
    assert (result.code, message in result.err) == (3, True), result.err


def test_link_to_a_file_is_read(train):
    """As the file."""
    Path("other.csv").write_text(CLEAN, encoding="utf-8")
    Path("data.csv").symlink_to("other.csv")
    assert train().code == 0


def test_file_that_may_not_be_read_is_a_storage_error(train, monkeypatch):
    """Exit code 5, as it is no fault of the file."""
    Path("data.csv").write_text(CLEAN, encoding="utf-8")
    original = Path.open

    def refuse(path, *args, **kwargs):
        if path.name == "data.csv":
            raise PermissionError(13, "Permission denied")
        return original(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    result = train()
    assert (result.code, "data.csv: Permission denied" in result.err) == (5, True), result.err


def test_many_columns_of_text_are_listed_up_to_twenty(train):
    """Then counted."""
    names = [f"n{index}" for index in range(30)]
    rows = [",".join([f"{name} {row}" for name in names] + ["ab"[row % 2]]) for row in range(40)]
    Path("data.csv").write_text("\n".join([",".join([*names, "kind"]), *rows]), encoding="utf-8")
    result = train()
    assert (result.code, result.err.count("different texts")) == (3, 20)
    assert "data.csv: and 10 more columns of text" in result.err
