"""Damaged and odd CSV files, each with what training on it says; None where it is read without a complaint."""

import gzip
from typing import NamedTuple

HEADER = "x,color,kind"
ROWS = [f"{index * 0.37 % 5:.3f},{'rgb'[index % 3]},{'ab'[index % 2]}" for index in range(40)]
CLEAN = "\n".join([HEADER, *ROWS]) + "\n"
LINE = 6  # the line of the file that is damaged


class File(NamedTuple):
    """A file.

    Args:
        content: the bytes.
        message: a part of the error; None if the file is read.
    """

    content: bytes
    message: str | None


def file(content, message=None):
    """A file of text or bytes."""
    return File(content if isinstance(content, bytes) else content.encode(), message)


def with_line(text, message=None):
    """The clean file with another text in one line."""
    rows = list(ROWS)
    rows[LINE - 2] = text
    return file("\n".join([HEADER, *rows]) + "\n", message)


def with_x(text, message=None):
    """The clean file with another value of the number in one line."""
    return with_line(f"{text},r,a", message)


def mistake(text):
    """The clean file with a value that is no number."""
    reason = "39 of 40 values are numbers, but not"
    return with_x(f'"{text}"', f"data.csv:6: column 'x': text: {reason} {text!r} in row 5; correct it")


def column(name, values):
    """The clean file with other values in a column."""
    index = HEADER.split(",").index(name)
    rows = [row.split(",") for row in ROWS]
    for row, value in zip(rows, values, strict=True):
        row[index] = value
    return "\n".join([HEADER, *map(",".join, rows)]) + "\n"


MISSING = "data.csv:6: column 'x': the value is missing; write it, remove the row, or train with missing: median"
FILES = {
    "clean": file(CLEAN),
    "short row": with_line("1,r", "data.csv:6: 2 fields, the header has 3: '1,r'; write all of them"),
    "long row": with_line("1,r,a,b", "data.csv:6: 4 fields, the header has 3: '1,r,a,b'"),
    "unclosed quote": with_line('1,"r,a', "data.csv:6: the quote that opens here is not closed"),
    "quote within a field": with_line('1,r"x,a', "data.csv:6: a quote within the field 'r\"x,a'"),
    "text after a quote": with_line('1,"r"x,a', "data.csv:6: text after the closing quote"),
    "doubled quote": with_line('1,"r""g",a'),
    "line end in quotes": with_line('1,"r\ng",a'),
    "comma in quotes": with_line('1,"r,g",a'),
    "NUL": with_line("1,r\0,a", "data.csv:6:4: a NUL byte; remove it"),
    "control character": with_line("1,r\7,a", "data.csv:6:4: control character U+0007; remove it"),
    "Latin-1": file(CLEAN.replace("color", "é").encode("latin-1"), "data.csv:1:3: byte 0xe9 is not UTF-8; write"),
    "Latin-1 late": with_line("1,\xe9,a")._replace(
        content=CLEAN.encode() + b"1,\xe9,a\n", message="data.csv:42:3: byte 0xe9 is not UTF-8"
    ),
    "surrogate": file(CLEAN.encode() + b"1,\xed\xa0\x80,a\n", "data.csv:42:3: byte 0xed is not UTF-8"),
    "UTF-16": file(CLEAN.encode("utf-16"), "data.csv: the text is UTF-16; write encoding: utf-16"),
    "UTF-16 without mark": file(CLEAN.encode("utf-16-le"), "the text is UTF-16-LE; write encoding: utf-16-le"),
    "UTF-32": file(CLEAN.encode("utf-32"), "the text is UTF-32; write encoding: utf-32"),
    "byte order mark": file(b"\xef\xbb\xbf" + CLEAN.encode()),
    "carriage returns": file(CLEAN.replace("\n", "\r")),
    "both line ends": file(CLEAN.replace("\n", "\r\n")),
    "mixed line ends": file(CLEAN.replace("\n", "\r\n", 5).replace("a\n", "a\r")),
    "no last line end": file(CLEAN.rstrip("\n")),
    "blank lines": file(CLEAN.replace("\n", "\n\n", 5) + "\n\n"),
    "spaces around values": file(CLEAN.replace(",", " , ")),
    "semicolons": file(CLEAN.replace(",", ";")),
    "tabs": file(CLEAN.replace(",", "\t")),
    "bars": file(CLEAN.replace(",", "|")),
    "spaces": file(CLEAN.replace(",", " "), "write delimiter: whitespace"),
    "decimal commas": file(
        CLEAN.replace(",", ";").replace(".", ","), "data.csv:2: column 'x': text: '0,000' in row 1 is not a number"
    ),
    "another delimiter in a line": with_line("1;r;a", "data.csv:6: 1 field, the header has 3"),
    "two equal names": file(CLEAN.replace("x,color", "x,x"), "data.csv:1: columns 1 and 2 are both named 'x'"),
    "two targets": file(CLEAN.replace("color", "kind"), "data.csv:1: columns 2 and 3 are both named 'kind'"),
    "empty name": file(CLEAN.replace("color", ""), "data.csv:1: column 2 has no name; write one"),
    "blank name": file(CLEAN.replace("color", "  "), "data.csv:1: column 2 has no name; write one"),
    "long name": file(CLEAN.replace("color", "c" * 100_000)),
    "no header": file("\n".join(ROWS), "no column 'kind'; its columns are '0.000', 'r', 'a'; if its first line is no"),
    "comment": file(f"# from a sensor\n{CLEAN}", "the delimiter is not clear: ',' gives 1 field in line 1 and 3 in"),
    "empty": file("", "data.csv: is empty; expected a header and rows"),
    "blank": file("\n\n", "data.csv: is empty; expected a header and rows"),
    "no rows": file(f"{HEADER}\n", "data.csv: has a header but no rows; write at least one row"),
    "one row": file(f"{HEADER}\n1,r,a\n", "data.csv: the target 'kind' is 'a' in every row; a classifier needs"),
    "two rows": file(f"{HEADER}\n1,r,a\n2,g,b\n", "leave no row for training of 2 classes: 'a' (1 row), 'b' (1"),
    "one class": file(column("kind", ["a"] * 40), "the target 'kind' is 'a' in every row; a classifier needs"),
    "a class in one row": file(
        column("kind", ["ab"[i % 2] for i in range(39)] + ["c"]), "leave no row for training of 1 class: 'c' (1 row)"
    ),
    "no target in a row": with_line("1,r,", "data.csv:6: the target 'kind' is missing in 1 row; write it, or remove"),
    "no target": file(column("kind", [""] * 40), "column 'kind': text: no value in 40 rows; write ignore: [kind]"),
    "missing": with_x("", MISSING),
    "NA": with_x("NA", MISSING),
    "nan": with_x("nan", MISSING),
    "all missing": file(column("x", [""] * 40), "column 'x': text: no value in 40 rows; write ignore: [x]"),
    "constant": file(column("x", ["1"] * 40)),
    "text among numbers": mistake("abc"),
    "infinite": mistake("inf"),
    "too large": mistake("1e999"),
    "thousands": mistake("1,234.5"),
    "percent": mistake("5%"),
    "hexadecimal": mistake("0x10"),
    "underscore": mistake("1_000"),
    "Arabic digits": mistake("١٢"),
    "full-width digit": mistake("１"),
    "minus sign": mistake("−1"),
    "formula": mistake("=1+1"),
    "smallest number": with_x("4.9e-324"),
    "30 digits": with_x("123456789012345678901234567890"),
    "leading zeros": file(column("x", [f"00{i % 7}" for i in range(40)])),
    "impossible date": file(
        column("x", [*(f"2024-02-{i % 28 + 1:02}" for i in range(39)), "2024-02-30"]),
        "data.csv:41: column 'x': text: 39 of 40 values are dates, but not '2024-02-30' in row 40; correct it",
    ),
    "day or month": file(
        column("x", [f"{i % 12 + 1:02}/{i % 28 + 1:02}/2024" for i in range(40)]),
        "data.csv:2: column 'x': text: '01/01/2024' in row 1 may be a date, but not in the form 2024-03-31; write",
    ),
    "names of people": file(
        column("color", [f"person {i}" for i in range(40)]),
        "column 'color': text: 40 different texts in 40 rows; write ignore: [color] or columns: {color: category}",
    ),
    "category of 1 MB": with_line(f"1,{'r' * 1_000_000},a"),
    "row of 9 MB": with_line(f"1,{'r' * 9_000_000},a", "data.csv:6: the row that begins here has more than 8,388,608"),
    "endless quote": with_line('1,"' + "r\n" * 5_000_000, "data.csv:6: the quote that opens here is not closed"),
    "gzip": file(gzip.compress(CLEAN.encode())),
    "gzip cut short": file(gzip.compress(CLEAN.encode())[:-20], "the gzip data are cut short here; copy or download"),
    "gzip with more": file(gzip.compress(CLEAN.encode()) + b"junk", "the gzip data are damaged here; copy or download"),
    "gzip checksum": file(gzip.compress(CLEAN.encode())[:-8] + bytes(8), "the gzip data are damaged here"),
    "Excel": file(b"PK\x03\x04xl/workbook.xml", "is a ZIP archive or an Excel workbook; save the table as CSV"),
    "old Excel": file(b"\xd0\xcf\x11\xe0" + bytes(50), "is an Excel workbook; save the table as CSV"),
    "SQLite": file(b"SQLite format 3\0" + bytes(50), "is an SQLite database; save the table as CSV"),
    "HTML": file("<!DOCTYPE html><html><body>404</body></html>", "is an HTML page; save the table as CSV"),
    "JSON": file('[{"x": 1, "kind": "a"}]', "is a JSON array; save the table as CSV or JSON lines"),
    "PNG": file(b"\x89PNG\r\n\x1a\n" + bytes(40), "is a PNG image; expected a table as text"),
    "PDF": file(b"%PDF-1.7\n", "is a PDF document; save the table as CSV"),
    "NumPy": file(b"\x93NUMPY" + bytes(40), "is a NumPy array"),
}
