"""The reader of CSV and TSV files: whatever the file, it is read exactly or rejected with the line."""

import codecs
import gzip
import io
from pathlib import Path

import pytest

from nncli.data.columns import CellProblem
from nncli.data.delimited import DelimitedFile, TableError, text_file
from nncli.data.delimited import rows as delimited_rows
from nncli.data.delimited.problems import Problem, Problems


def read(content, **options):
    """The header and the rows of a file; each field is a string, or a float in a block of numbers."""
    file = DelimitedFile(content if isinstance(content, Path) else io.BytesIO(content), **options)
    return file.header, rows_of(file)


def rows_of(file):
    """The rows of all blocks, whose indices are consecutive."""
    rows = []
    for block in file.blocks():
        assert block.first_row == len(rows)
        columns = [list(block.columns[index]) for index in sorted(block.columns)]
        found = list(map(list, zip(*columns, strict=True)))
        assert len(found) == len(block.lines)
        assert {len(row) for row in found} == {len(file.header)}
        rows += found
    return rows


def as_floats(rows):
    """Fields that are numbers as floats, so that both kinds of blocks can be compared."""
    return [[field if isinstance(field, float) else value_of(field) for field in row] for row in rows]


def value_of(field):
    """The number that a field stands for, else the field."""
    try:
        return float(field) if field.isascii() and "_" not in field and "n" not in field.lower() else field
    except ValueError:
        return field


def error_of(content, **options):
    """The message with which a file is rejected, without its name."""
    with pytest.raises(TableError) as caught:
        read(content, **options)
    return str(caught.value).replace("standard input:", "")


BOM = codecs.BOM_UTF8
LONG = b"x" * 1_000_000
READ = {
    "plain": (b"a,b\n1,2\n3,4\n", {}, "a b", [["1", "2"], ["3", "4"]]),
    "no newline at the end": (b"a,b\n1,2\n3,4", {}, "a b", [["1", "2"], ["3", "4"]]),
    "carriage returns and line feeds": (b"a,b\r\n1,2\r\n3,4\r\n", {}, "a b", [["1", "2"], ["3", "4"]]),
    "carriage returns": (b"a,b\r1,2\r3,4\r", {}, "a b", [["1", "2"], ["3", "4"]]),
    "mixed line ends": (b"a,b\r\n1,2\r3,4\n5,6", {}, "a b", [["1", "2"], ["3", "4"], ["5", "6"]]),
    "blank lines at the end": (b"a,b\n1,2\n\n \n\n", {}, "a b", [["1", "2"]]),
    "blank line in the middle": (b"a,b\n1,2\n\n  \n3,4\n", {}, "a b", [["1", "2"], ["3", "4"]]),
    "blank lines before the header": (b"\n \n\na,b\n1,2\n", {}, "a b", [["1", "2"]]),
    "blank line in one column": (b"a\n1\n\n2\n\n", {}, "a", [["1"], [""], ["2"]]),
    "blank row of tabs": (b"a\tb\n\t\n1\t2\n\t\n", {}, "a b", [["", ""], ["1", "2"], ["", ""]]),
    "byte order mark": (BOM + b"a,b\n1,2\n", {}, "a b", [["1", "2"]]),
    "byte order mark before a quote": (BOM + b'"a",b\n1,2\n', {}, "a b", [["1", "2"]]),
    "UTF-8": ("größe,b\n東京,é\n".encode(), {}, "größe b", [["東京", "é"]]),
    "UTF-8 named": (BOM + "a,b\né,1\n".encode(), {"encoding": "UTF8"}, "a b", [["é", "1"]]),
    "UTF-16 named": ("a,b\né,1\n".encode("utf-16"), {"encoding": "utf-16"}, "a b", [["é", "1"]]),
    "UTF-16 of one order": ("\ufeffa,b\né,1\n".encode("utf-16-be"), {"encoding": "utf-16-be"}, "a b", [["é", "1"]]),
    "Latin-1 named": ("a,b\né,1\n".encode("latin-1"), {"encoding": "latin-1"}, "a b", [["é", "1"]]),
    "cp1252 named": ("a,b\n€,1\n".encode("cp1252"), {"encoding": "cp1252"}, "a b", [["€", "1"]]),
    "Shift JIS named": ("a,b\n東,1\n".encode("shift_jis"), {"encoding": "shift_jis"}, "a b", [["東", "1"]]),
    "semicolons": (b"a;b\n1;2\n", {}, "a b", [["1", "2"]]),
    "decimal commas": (b"a;b\n3,14;2,5\n1,0;1,1\n", {}, "a b", [["3,14", "2,5"], ["1,0", "1,1"]]),
    "tabs": (b"a\tb\n1\t2\n", {}, "a b", [["1", "2"]]),
    "bars": (b"a|b\n1|2\n", {}, "a b", [["1", "2"]]),
    "colons on request": (b"a:b\n1:2\n", {"delimiter": ":"}, "a b", [["1", "2"]]),
    "tab by name": (b"a,b\tc\n1,2\t3\n", {"delimiter": "tab"}, "a,b c", [["1,2", "3"]]),
    "white space": (
        b"  a b\tc \n 1  2 \t 3\n4 5 6  \n\n",
        {"delimiter": "whitespace"},
        "a b c",
        [["1", "2", "3"], ["4", "5", "6"]],
    ),
    "white space and quotes": (
        b'a b\n"x  y"   2\n  "\t"\t "1"\n',
        {"delimiter": "whitespace"},
        "a b",
        [["x  y", "2"], ["", "1"]],
    ),
    "single column": (b"a\n1\n2\n", {}, "a", [["1"], ["2"]]),
    "single column of words": (b"a\nx y\nz\n", {}, "a", [["x y"], ["z"]]),
    "single column with quoted commas": (b'a\n"1,2"\n"3,4"\n', {}, "a", [["1,2"], ["3,4"]]),
    "single column on request": (b"a b\nx y\n", {"delimiter": ","}, "a b", [["x y"]]),
    "empty fields": (b"a,b,c\n,,\n1,,3\n", {}, "a b c", [["", "", ""], ["1", "", "3"]]),
    "white space around fields": (b" a ,\tb\n 1,2 \nx\xc2\xa0, y\n", {}, "a b", [["1", "2"], ["x", "y"]]),
    "quotes": (b'"a","b,c"\n"1","x ""y"""\n"",""""\n', {}, "a b,c", [["1", 'x "y"'], ["", '"']]),
    "white space around quotes": (b'a,b\n "x, y" ,\t"2"\n', {}, "a b", [["x, y", "2"]]),
    "line ends in quotes": (b'a,b\n"x\r\ny",2\r"\n\n",4\r\n', {}, "a b", [["x\ny", "2"], ["", "4"]]),
    "quoted row of one column": (b'a\n""\n"x"\n', {}, "a", [[""], ["x"]]),
    "quoted header with a line end": (b'"a\nb",c\n1,2\n', {}, "a\nb c", [["1", "2"]]),
    "names for a file without a header": (b"1,2\n3,4\n", {"header": ["a", " b "]}, "a b", [["1", "2"], ["3", "4"]]),
    "names say which delimiter": (
        b"1,5;2,5\n3,5;4,5\n",
        {"header": ["a", "b"]},
        "a b",
        [["1,5", "2,5"], ["3,5", "4,5"]],
    ),
    "leading zeros": (b"a,b\n007,1\n-00,2\n", {}, "a b", [["007", "1"], ["-00", "2"]]),
    "words that are floats": (b"a,b\nnan,inf\n1_000,0x10\n", {}, "a b", [["nan", "inf"], ["1_000", "0x10"]]),
    "infinite number": (b"a,b\n1e999,1\n", {}, "a b", [["1e999", "1"]]),
    "30-digit integer": (b"a,b\n" + b"1234567890" * 3 + b",1\n", {}, "a b", [["1234567890" * 3, "1"]]),
    "field of a million bytes": (b"a,b\n" + LONG + b",1\n", {}, "a b", [[LONG.decode(), "1"]]),
    "quoted field of a million bytes": (b'a,b\n"' + LONG + b'",1\n', {}, "a b", [[LONG.decode(), "1"]]),
    "formula": (b"a,b\n=1+2,@x\n", {}, "a b", [["=1+2", "@x"]]),
    "comment": (b"a,b\n#1,2\n", {}, "a b", [["#1", "2"]]),
    "gzip": (gzip.compress(b"a,b\n1,2\n"), {}, "a b", [["1", "2"]]),
    "gzip in two members": (gzip.compress(b"a,b\n1,") + gzip.compress(b"2\n"), {}, "a b", [["1", "2"]]),
    "gzip with zeros at the end": (gzip.compress(b"a,b\n1,2\n") + bytes(512), {}, "a b", [["1", "2"]]),
    "gzip of UTF-16": (gzip.compress("a,b\n1,é\n".encode("utf-16")), {"encoding": "utf-16"}, "a b", [["1", "é"]]),
}
REJECTED = {
    "empty": (b"", {}, " is empty; expected a header and rows"),
    "byte order mark alone": (BOM, {}, " is empty; expected a header and rows"),
    "blank lines alone": (b"\n\r\n \n\t\n", {}, " is empty; expected a header and rows"),
    "header alone": (b"a,b\n\n", {}, " has a header but no rows; write at least one row"),
    "header without a newline": (b"a,b", {}, " has a header but no rows; write at least one row"),
    "gzip of nothing": (gzip.compress(b""), {}, " is empty; expected a header and rows"),
    "short row": (b"a,b,c\n1,2,3\n\n4,5\n", {}, "4: 2 fields, the header has 3: '4,5'; write all of them"),
    "long row": (
        b"a,b\nx,1\nNew York, NY,2\n",
        {},
        "3: 3 fields, the header has 2: 'New York, NY,2'; quote a field that contains ','",
    ),
    "short row below quoted lines": (
        b'a,b\n"x\n\ny",1\n2\n',
        {},
        "5: 1 field, the header has 2: '2'; write all of them",
    ),
    "long row of tabs": (
        b"a\tb\n1\t2\n1\t2\t\n",
        {},
        "3: 3 fields, the header has 2: '1\\t2\\t'; quote a field that contains a tab",
    ),
    "quoted empty row": (b'a,b\n1,2\n""\n', {}, "3: 1 field, the header has 2: '\"\"'; write all of them"),
    "delimiter in a single column": (
        b"a\n1\n" + b"2\n" * 200_000 + b"3,4\n",
        {},
        "200003: 2 fields, the header has 1: '3,4'; quote a field that contains ','",
    ),
    "two damaged rows": (
        b"a,b\n1\n2,3\n4,5,6\n",
        {},
        "2: 1 field, the header has 2: '1'; write all of them\n"
        "4: 3 fields, the header has 2: '4,5,6'; quote a field that contains ','",
    ),
    "unclosed quote": (
        b'a,b\n1,2\n"x,3\n4,5\n',
        {},
        "3: the quote that opens here is not closed: '\"x,3'; close it, or write it twice",
    ),
    "unclosed quote after a doubled one": (
        b'a,b\n1,2\n"x""\n4,5\n',
        {},
        '3: the quote that opens here is not closed: \'"x""\'; close it, or write it twice',
    ),
    "unclosed quote in the header": (
        b'a,"b\n1,2\n',
        {},
        "1: the quote that opens here is not closed: '\"b'; close it, or write it twice",
    ),
    "unclosed quote before a megabyte": (
        b'a,b\n1,2\n"x,3\n' + b"4,5\n" * 600_000 + b'"y",6\n',
        {},
        "3: the quote that opens here is not closed: '\"x,3'; close it, or write it twice",
    ),
    "unclosed quote before another field": (
        b'a,b\n"x,1\n2,3\n"y",4\n',
        {},
        "2: text after the closing quote 2 lines further down: '\"y\",4'; write a quote within a quoted field twice",
    ),
    "text after a quote": (
        b'a,b\n1,2\n"x"y,3\n',
        {},
        "3: text after the closing quote: '\"x\"y,3'; write a quote within a quoted field twice",
    ),
    "quote in a field": (
        b'a,b\n1,2\n5" pipe,3\n6" pipe,4\n',
        {},
        "3: a quote within the field '5\" pipe,3'; write the field in quotes, and the quote in it twice",
    ),
    "quote in a single column": (
        b'a\n5" pipe\n6" pipe\n',
        {},
        "2: a quote within the field '5\" pipe'; write the field in quotes, and the quote in it twice",
    ),
    "short row before an unclosed quote": (
        b'a,b\n1\n"x,3\n',
        {},
        "2: 1 field, the header has 2: '1'; write all of them\n"
        "3: the quote that opens here is not closed: '\"x,3'; close it, or write it twice",
    ),
    "equal names": (
        b"a, b,a,b \n1,2,3,4\n",
        {},
        "1: columns 1 and 3 are both named 'a'; rename one\n1: columns 2 and 4 are both named 'b'; rename one",
    ),
    "empty name": (
        b",a\n0,1\n",
        {},
        "1: column 1 has no name; write one, or write the file without its row numbers",
    ),
    "no header": (
        b"1,2.5\n3,4\n",
        {},
        "1: the first row has only numbers, '1, 2.5', so that a header is missing; write one there, or its 2 names as "
        "header: [NAME, ...]",
    ),
    "too few names": (
        b"1,2\n3,4\n",
        {"header": ["a"], "delimiter": ","},
        "1: the first row has 2 fields, and header: 1 name; write one name for each column",
    ),
    "no names": (b"1,2\n", {"header": []}, "header: it is empty; write a name for each column"),
    "equal given names": (b"1,2\n", {"header": ["a", "a"]}, "header: columns 1 and 2 are both named 'a'; rename one"),
    "several delimiters": (
        b"a,b;c\n1,2;3\n",
        {},
        " the delimiter is not clear: ',' gives 2 fields in every row, ';' gives 2 fields in every row; write the "
        "right one as delimiter:",
    ),
    "no delimiter": (
        b"a\n3,14\n2;3\n",
        {},
        " the delimiter is not clear: ',' gives 1 field in line 1 and 2 in line 2, ';' gives 1 field in line 1 and 2 "
        "in line 3; write the right one as delimiter:",
    ),
    "white space": (
        b"a b\n1 2\n3  4\n",
        {},
        " white space divides every row into 2 fields; write delimiter: whitespace, or delimiter: ',' for a single "
        "column",
    ),
    "word as a delimiter": (
        b"a,b\n",
        {"delimiter": "commas"},
        "'commas' cannot be a delimiter; write ',', ';', '|', ':', tab or whitespace",
    ),
    "digit as a delimiter": (
        b"a,b\n",
        {"delimiter": "1"},
        "'1' cannot be a delimiter; write ',', ';', '|', ':', tab or whitespace",
    ),
    "NUL": (b"a,b\n1,2\nx\0,3\n", {}, "3:2: a NUL byte; remove it"),
    "control character": ("a,b\né\x0b,3\n".encode(), {}, "2:2: control character U+000B; remove it"),
    "delete character": (b"a,b\n1,\x7f\n", {}, "2:3: control character U+007F; remove it"),
    "separator of the reader": (b"a,b\n1\x1f2,3\n", {}, "2:2: control character U+001F; remove it"),
    "cp1252 as Latin-1": (
        "a,b\n€,1\n".encode("cp1252"),
        {"encoding": "latin-1"},
        "2:1: control character U+0080; write encoding: cp1252, or remove it",
    ),
    "NULs in a later row": (
        b"a,b\n" + b"1,2\n" * 100_000 + b"3,\0\0\n",
        {},
        "100002:3: a NUL byte; remove it\n100002:4: a NUL byte; remove it",
    ),
    "Latin-1": (
        "a,b\n1,2\nxé,3\n".encode("latin-1"),
        {},
        "3:2: byte 0xe9 is not UTF-8; write encoding: latin-1, in which it is 'é', or the right one",
    ),
    "cp1252": (
        "a,b\r\n1,2\r\n3,€\r\n".encode("cp1252"),
        {},
        "3:3: byte 0x80 is not UTF-8; write encoding: cp1252, in which it is '€', or the right one",
    ),
    "UTF-8 cut short": (
        b"a,b\n1,2\n3,\xc3",
        {},
        "3:3: byte 0xc3 is not UTF-8; write encoding: latin-1, in which it is 'Ã', or the right one",
    ),
    "UTF-16": ("a,b\n1,2\n".encode("utf-16"), {}, " the text is UTF-16; write encoding: utf-16"),
    "UTF-32": ("a,b\n1,2\n".encode("utf-32"), {}, " the text is UTF-32; write encoding: utf-32"),
    "UTF-16 without a mark": (
        "a,b\n1,2\n".encode("utf-16-be"),
        {},
        " the text is UTF-16-BE; write encoding: utf-16-be",
    ),
    "wrong encoding": (
        b"a,b\n1,2\n\xff,3\n",
        {"encoding": "ascii"},
        "3:1: byte 0xff is not valid in ascii; write another encoding",
    ),
    "UTF-16 named but without a mark": (
        "a,b\n".encode("utf-16-le"),
        {"encoding": "utf-16"},
        "1:1: the text is not utf-16: UTF-16 stream does not start with BOM",
    ),
    "unknown encoding": (
        b"a,b\n",
        {"encoding": "utf-9"},
        "unknown encoding 'utf-9'; known are utf-8, utf-16, latin-1, cp1252, cp1251, shift_jis, gb18030, big5, euc_kr "
        "and the others of Python",
    ),
    "encoding of bytes": (
        b"a,b\n",
        {"encoding": "base64"},
        "unknown encoding 'base64'; known are utf-8, utf-16, latin-1, cp1252, cp1251, shift_jis, gb18030, big5, euc_kr "
        "and the others of Python",
    ),
    "gzip cut short": (
        gzip.compress(b"a,b\n" + b"1,2\n" * 1000)[:-8],
        {},
        "1002:1: the gzip data are cut short here; copy or download the file again",
    ),
    "gzip cut in its header": (
        gzip.compress(b"a,b\n")[:5],
        {},
        "1:1: the gzip data are cut short here; copy or download the file again",
    ),
    "gzip with a wrong checksum": (
        gzip.compress(b"a,b\n1,2\n")[:-8] + bytes(8),
        {},
        "1:1: the gzip data are damaged here; copy or download the file again",
    ),
    "gzip and other data": (
        gzip.compress(b"a,b\n1,2\n") + bytes(3) + b"other data",
        {},
        "1:1: the gzip data are damaged here; copy or download the file again",
    ),
    "ZIP": (b"PK\x03\x04abc", {}, " is a ZIP archive or an Excel workbook; save the table as CSV"),
    "ZIP in gzip": (
        gzip.compress(b"PK\x03\x04abc"),
        {},
        " is a ZIP archive or an Excel workbook; save the table as CSV",
    ),
    "Parquet": (b"PAR1\x15\x04", {}, " is a Parquet file, which cannot be read from a stream; name the file"),
    "field of more than a megabyte": (
        b"a,b\n1,2\n" + b"x" * (2**20 + 1) + b",3\n",
        {},
        "3: a field has more than 1,048,576 bytes; shorten it",
    ),
    "row of more than eight megabytes": (
        b"a,b\n1,2\n" + b"x," * 2**23 + b"\n",
        {},
        "3: the row that begins here has more than 8,388,608 bytes; write shorter rows",
    ),
}


@pytest.mark.parametrize("name", READ)
def test_odd_file_is_read(name):
    """The header and the rows are the expected ones, the numbers as well as the text."""
    content, options, header, rows = READ[name]
    names, found = read(content, **options)
    assert " ".join(names) == header
    assert as_floats(found) == as_floats(rows)


@pytest.mark.parametrize("name", REJECTED)
def test_damaged_file_is_rejected(name):
    """The message names the line, what is wrong, and the fix."""
    content, options, message = REJECTED[name]
    assert error_of(content, **options) == message


@pytest.mark.parametrize("size", [1, 2, 3, 5, 17])
def test_pieces_of_any_length_are_read_alike(monkeypatch, size):
    """Rows, line ends, quotes, characters and gzip members that pieces divide are read as those of one piece."""
    small = {name: odd for name, odd in READ.items() if len(odd[0]) < 1000}
    delimiters = {name: DelimitedFile(io.BytesIO(odd[0]), **odd[1]).delimiter for name, odd in small.items()}
    monkeypatch.setattr(text_file, "PIECE", size)
    monkeypatch.setattr(delimited_rows, "MIN_LINES", 1)
    for name, (content, options, header, rows) in small.items():
        names, found = read(content, **{**options, "delimiter": delimiters[name]})
        assert (name, " ".join(names), as_floats(found)) == (name, header, as_floats(rows))


def test_texts_of_wide_rows_have_many_rows():
    """Each block takes time for every column, so that 100 rows or 8 MiB are read at once."""
    row = b",".join([b"1.5"] * 3000) + b"\n"  # 12 kB
    file = DelimitedFile(io.BytesIO(b",".join(b"x%d" % index for index in range(3000)) + b"\n" + row * 400))
    sizes = [len(block.lines) for block in file.blocks()]
    assert sum(sizes) == 400
    assert min(sizes[1:-1]) >= 100  # without the first ones, among which the header is, and the last ones


def test_many_wrong_values_of_a_column_are_one_problem():
    """In any number of blocks: the first one with its reason, five with their lines, all by number."""
    problems = Problems("x.csv")
    problems.add([Problem(9, 4, "a quote")], 1)
    for first_line in (2, 4, 6, 8):
        cells = [CellProblem(row, "x", "{!r} is wrong".format) for row in range(2)]
        problems.add_cells("a", cells, range(first_line, 10).__getitem__)
    first, second = str(problems.error()).splitlines()
    assert first.startswith("x.csv:2: column 'a': 'x' is wrong; and 7 more values of the column: 'x' in line 3, ")
    assert first.count(" in line ") == 4
    assert first.endswith("in line 6, ...")
    assert second == "x.csv:9:4: a quote"
    three = Problems("x.csv")
    three.add_cells("a", cells[:1] * 3, range(2, 10).__getitem__)
    assert len(str(three.error()).splitlines()) == 3
    five = Problems("x.csv")
    five.add_cells("a", cells[:1] * 5, range(2, 10).__getitem__)
    assert "and 4 more values" in str(five.error())
    assert "..." not in str(five.error())
