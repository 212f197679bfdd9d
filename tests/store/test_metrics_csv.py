"""Reading of metrics.csv: valid and invalid rows, float64 bit for bit, and bounded memory."""

import math
import random
import re
import struct
import tracemalloc

import numpy as np
import pytest

from nncli.experiment.metric_columns import plausible
from nncli.store import metrics_csv
from nncli.store.metrics_csv import CHUNK, NUMBER, parse

NAMES = ("epoch", "learning_rate", "loss", "accuracy", "r2")
HEADER = ",".join(NAMES) + "\n"
EPOCHS = 50
VALID = "0,0.05,1.5,0.25,-3.5\n10,0.05,1e-05,1.0,-0.0\n20,0.05,0.0,0.5,1.0\n"
DIVERGED = "20,nan,nan,nan,nan\n"


def parsed(rows, epochs=EPOCHS):
    """The rows of a file with this content after the header."""
    return parse((HEADER + rows).encode("utf-8", "surrogateescape"), NAMES, epochs)


def expected(rows, epochs=EPOCHS):
    """The rows before the first invalid one and the epoch of a divergence, one value at a time by ``float``."""
    found, diverged, before = [], None, -1
    for line in rows[: rows.rfind("\n") + 1].split("\n")[:-1]:
        texts = line.split(",")
        if len(texts) != len(NAMES) or not all(re.fullmatch(NUMBER, text) for text in texts):
            break
        values = list(map(float, texts))
        is_nan = all(map(math.isnan, values[1:]))
        is_epoch = texts[0].isdecimal() and len(texts[0]) <= 15
        is_next = diverged is None and before + (not is_nan) <= values[0] <= epochs if is_epoch else False
        if not is_next or not (is_nan or plausible(dict(zip(NAMES[1:], values[1:], strict=True)))):
            break
        before, diverged = values[0], values[0] if is_nan else None
        found += [] if is_nan else [values]
    return np.array(found).reshape(-1, len(NAMES)), diverged


def bits(values):
    """The bit patterns, which differ for -0.0 and 0.0."""
    return np.asarray(values, np.float64).view(np.uint64).tolist()


def agrees(rows, epochs=EPOCHS):
    """Whether the reader and the reference implementation agree."""
    metrics, (values, diverged) = parsed(rows, epochs), expected(rows, epochs)
    return bits(metrics.values) == bits(values) and metrics.diverged_at == diverged


ODD = (*"0123456789", ".", "-", "+", "e", "E", ",", ",,", "\n", "\n\n", "\r\n", " ", "\t", "nan", "NaN", "inf", '"')
ODD += ("00", "-0", "-0.0", "1e400", "1e-400", "5e-324", "١", "\0", "[", "]", "],[", "null", "true", "1_0", "0x1", "é")
ODD += ("\n30,0.1,0.2,0.3,0.4\n", DIVERGED, "20,0.05,-0,1,0\n", "9" * 15, "9" * 16, "9" * 400, "1e15", "20.0", "\udcff")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_damaged_rows_are_read_up_to_the_first_invalid_one(seed):
    """After random insertions, replacements and deletions the reader agrees with the reference implementation."""
    source = random.Random(seed)
    for _ in range(400):
        rows = VALID + source.choice(["", DIVERGED, "30,1,0,1,1\n", "30,0.1,"])
        for _ in range(source.choice([1, 1, 2, 4])):
            start = source.randrange(len(rows) + 1)
            rows = rows[:start] + source.choice(ODD) + rows[start + source.choice([0, 1, 2, 5]) :]
        assert agrees(rows, source.choice([EPOCHS, 20, 10**20])), rows


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param("0,0.05,1.5,0.25\n1,10,0.05,1.5,0.25,0.5\n", id="a line end in another place"),
        pytest.param("1000000000000000,0.05,1.5,0.25,0.5\n", id="an epoch that float64 may not hold"),
        pytest.param("0.0,0.05,1.5,0.25,0.5\n", id="an epoch that is no integer"),
        pytest.param("0,0.05,1.5,0.25,1E0\n", id="an exponent that is not as written"),
    ],
)
def test_fast_path_accepts_only_valid_rows(rows):
    """A chunk that is valid as one JSON array may still have invalid rows."""
    assert agrees(rows, 10**20)
    assert len(parsed(rows, 10**20)) == 0


def test_chunk_size_does_not_change_the_result(monkeypatch):
    """Order, line numbers and a divergence are checked across the boundaries of chunks."""
    rows = "".join(f"{epoch},0.1,{epoch}.5,0.5,-1.0\n" for epoch in range(0, 40, 2))
    cases = [rows, rows + DIVERGED.replace("20,", "38,"), rows.replace("\n24,", "\n21,"), rows.replace("0.5", "nan", 9)]
    cases.append(cases[1] + "39,0.1,1.5,0.5,-1.0\n")
    undivided = [parsed(case) for case in cases]
    for size in (25, 40, 64, 100):
        monkeypatch.setattr(metrics_csv, "CHUNK", size)
        for case, metrics in zip(cases, undivided, strict=True):
            divided = parsed(case)
            assert bits(divided.values) == bits(metrics.values)
            assert (divided.diverged_at, divided.problem) == (metrics.diverged_at, metrics.problem)


def test_values_equal_those_of_float(monkeypatch):
    """Random bit patterns, subnormals and decimals halfway between two floats are read as ``float`` reads them."""
    source = random.Random(0)
    patterns = [struct.unpack("<d", struct.pack("<Q", source.getrandbits(63)))[0] for _ in range(5000)]
    texts = [repr(number) for number in patterns if math.isfinite(number)]
    texts += [repr(source.random() * 10 ** source.randrange(-320, 300)) for _ in range(5000)]
    texts += [f"{source.getrandbits(source.randrange(1, 200))}e{source.randrange(-340, 200)}" for _ in range(2000)]
    texts += ["2.4703282292062328e-324", "9007199254740993", "1" + "0" * 22, "0.1" + "0" * 40 + "1", "5e-324", "-0.0"]
    texts += [f"{2**53 + 2 * odd + 1}{'0' * 30}1e-31" for odd in range(50)]
    texts = [text for text in texts if float(text) < math.inf]
    rows = "".join(f"{epoch},{text},{text},1.0,0.5\n" for epoch, text in enumerate(texts))
    monkeypatch.delattr(metrics_csv._Rows, "_from_text")  # none is left to the slow way
    assert bits(parsed(rows, len(texts)).column("loss")) == bits(list(map(float, texts)))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("ten,0.05,0.5,0.5,0.5", "'ten,0.05,0.5,0.5,0.5' does not begin with an epoch"),
        ("", "'' does not begin with an epoch"),
        ("-30,0.05,0.5,0.5,0.5", "'-30,0.05,0.5,0.5,0.5' does not begin with an epoch"),
        ("\x1b[2J30,0.05", "'\\x1b[2J30,0.05' does not begin with an epoch"),
        ("30,0.05,0.5", "row of epoch 30 has 3 values, expected 5"),
        ("30,0.05,0.5,0.5,0.5,0.5", "row of epoch 30 has 6 values, expected 5"),
        ("30,0.05,0.5,0.5,0.0_5", "row of epoch 30: r2 is '0.0_5', which is not a number"),
        ("30,0.05,0.5, 0.5,0.5", "row of epoch 30: accuracy is ' 0.5', which is not a number"),
        ("30,0.05,0.5,0.5,0.5\r", "row of epoch 30: r2 is '0.5\\r', which is not a number"),
        ("30,0.05,0.5,1.5,0.5", "row of epoch 30: accuracy is 1.5, expected 0 to 1"),
        ("30,0.05,-1.0,0.5,0.5", "row of epoch 30: loss is -1.0, expected 0 to 1.79769e+308"),
        ("30,0.05,nan,0.5,0.5", "row of epoch 30: loss is nan, expected 0 to 1.79769e+308"),
        ("30,0.05,1e999,0.5,0.5", "row of epoch 30: loss is inf, expected 0 to 1.79769e+308"),
        ("20,0.05,0.5,0.5,0.5", "row of epoch 20 follows that of epoch 20, expected a later epoch"),
        ("5,nan,nan,nan,nan", "row of epoch 5 follows that of epoch 20, expected a later epoch"),
        ("51,0.05,0.5,0.5,0.5", "row of epoch 51, expected at most 50, the epochs of the config"),
        ("1" * (CHUNK + 1), "longer than 262,144 bytes, expected a row of metrics"),
    ],
)
def test_invalid_row_is_reported_with_line_and_value(row, reason):
    """The message says what is wrong and what is expected; the rows before it are kept."""
    metrics = parsed(VALID + row + "\n40,0.05,0.5,0.5,0.5\n")
    assert metrics.problem == f"line 5: {reason}"
    assert metrics.column("epoch").tolist() == [0, 10, 20]


def test_row_of_nan_is_the_last_row():
    """It may be of the same epoch as the previous row, and no row follows it."""
    metrics = parsed(VALID + DIVERGED)
    assert (len(metrics), metrics.diverged_at, metrics.problem) == (3, 20, None)
    metrics = parsed(VALID + DIVERGED + "30,0.05,0.5,0.5,0.5\n")
    reason = "row of epoch 30 follows that of epoch 20 without numbers, expected no more rows"
    assert (len(metrics), metrics.diverged_at, metrics.problem) == (3, 20, f"line 6: {reason}")


def test_rows_and_columns_are_found_by_epoch_and_name():
    """A row is a mapping of its columns; an epoch that was not logged has none."""
    metrics = parsed(VALID)
    assert metrics.row(-1) == {"epoch": 20.0, "learning_rate": 0.05, "loss": 0.0, "accuracy": 0.5, "r2": 1.0}
    assert metrics.row_of(20) == metrics.row(2)
    assert metrics.row_of(15) is metrics.row_of(21) is parsed("").row_of(0) is None
    assert metrics.column("r2").tolist() == [-3.5, 0.0, 1.0]


@pytest.mark.parametrize("data", [b"", HEADER[:5].encode(), HEADER.encode()])
def test_file_without_a_row_is_empty(data):
    """An incomplete first line is no error."""
    metrics = parse(data, NAMES, EPOCHS)
    assert (len(metrics), metrics.diverged_at, metrics.problem) == (0, None, None)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("epoch,lr,loss,accuracy,r2", "does not name the column learning_rate"),
        (
            "epoch,learning_rate,loss,r2,accuracy",
            "does not name the columns in the order learning_rate, loss, accuracy",
        ),
        ("learning_rate,epoch,loss,accuracy,r2", "does not name the column epoch first"),
        ('"epoch",learning_rate,loss,accuracy,r2', "does not name the column epoch first"),
        ("", "does not name the column epoch first"),
        (HEADER[:-1] + ",auc", "names the column 'auc', which this run cannot have"),
        (HEADER[:-1] + ",warp,warp", "names the column 'warp', which this run cannot have"),
        (HEADER[:-1] + ",\x1b[2J", r"names the column '\\x1b\[2J', which this run cannot have"),
        (HEADER[:-1] + ",epoch", "names the column 'epoch', which this run cannot have"),
        (HEADER[:-1] + "".join(f",a{index}" for index in range(17)), "names the column 'a0', which"),
        (HEADER[:-1] + ",a" * 100_000, "names the column 'a', which"),
    ],
)
def test_header_without_the_expected_columns_is_damage(header, reason):
    """A known column that is missing or misplaced, or one that cannot be a new column, is named."""
    with pytest.raises(ValueError, match=f"its first line {reason}"):
        parse(f"{header}\n{VALID}".encode(), NAMES, EPOCHS)


@pytest.mark.parametrize("names", [(*NAMES, "warp"), (*NAMES[:2], "warp", *NAMES[2:]), (*NAMES, "validation_warp")])
def test_unknown_columns_of_a_newer_version_are_read_without_bounds(names):
    """They may stand between the known columns, whose bounds are still checked."""
    index = next(index for index, name in enumerate(names) if name.endswith("warp"))

    def row(epoch, accuracy, unknown):
        values = [epoch, "0.05", "1.5", accuracy, "0.5"]
        return ",".join([*values[:index], unknown, *values[index:]])

    rows = [row("0", "0.25", "-3.5"), row("10", "0.5", "1e300"), row("20", "1.5", "0.0"), row("30", "0.5", "0.0")]
    metrics = parse("\n".join([",".join(names), *rows, ""]).encode(), NAMES, EPOCHS)
    assert metrics.names == names
    assert metrics.column(names[index]).tolist() == [-3.5, 1e300]
    assert metrics.problem == "line 4: row of epoch 20: accuracy is 1.5, expected 0 to 1"


@pytest.mark.slow
@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(
            lambda: "".join(f"{n},0.05,{1 / (n + 3)!r},{0.5 + n / 1e9!r},-0.5\n" for n in range(60_000)), id="ok"
        ),
        pytest.param(lambda: "," * 3_000_000 + "\n", id="commas"),
        pytest.param(lambda: "\n" * 3_000_000, id="empty lines"),
        pytest.param(lambda: "0,0.05," + "1" * 3_000_000 + ",0.5,0.5\n", id="digits"),
        pytest.param(
            lambda: "".join(f"{n},0.05,{n}.5,0.5,{'nan' if n > 40_000 else 0.5}\n" for n in range(80_000)), id="nan"
        ),
    ],
)
def test_memory_is_bounded_by_the_file_size(rows):
    """Reading takes less than twice the size of the file besides its content, whatever the content is."""
    data = (HEADER + rows()).encode()
    tracemalloc.start()
    try:
        metrics = parse(data, NAMES, 10**6)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * len(data)
    assert (metrics.problem is None) == (len(metrics) == 60_000)
