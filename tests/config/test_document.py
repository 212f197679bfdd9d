"""YAML reading: values, their locations, and ambiguous or invalid YAML, which is rejected."""

import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nncli.config import document as reader
from nncli.config.diagnostics import SourceText
from nncli.config.document import MAX_DEPTH, DocumentError, is_rejected, read
from nncli.config.scalars import scalar

CONFIG = """\
seed: 0
data: {type: spiral, samples: 20}
layers:
  - {type: dense, units: 8}
  - relu
"""


def read_text(text):
    return read(SourceText("config.yaml", text))


def value_of(text):
    document = read_text(text)
    assert document.diagnostics == []
    return document.root.plain()


def reading_error(text):
    """Line, column and message of the error that ends the reading."""
    with pytest.raises(DocumentError) as caught:
        read_text(text)
    diagnostic = caught.value.diagnostic
    return diagnostic.location.line, diagnostic.location.column, diagnostic.message


def position(location):
    return location.line, location.column


def only_diagnostic(text):
    (diagnostic,) = read_text(text).diagnostics
    return diagnostic


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), (1, 1)),
        (("seed",), (1, 7)),
        (("data",), (2, 7)),
        (("data", "type"), (2, 14)),
        (("data", "samples"), (2, 31)),
        (("layers",), (4, 3)),
        (("layers", 0), (4, 5)),
        (("layers", 0, "units"), (4, 26)),
        (("layers", 1), (5, 5)),
    ],
)
def test_value_has_a_location(path, expected):
    """A node has the line and column of its first character."""
    assert position(read_text(CONFIG).root.find(path).location) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("seed",), (1, 1)),
        (("data",), (2, 1)),
        (("data", "samples"), (2, 22)),
        (("layers", 0, "units"), (4, 19)),
        (("layers", 1), (4, 3)),
        (("data", "rows"), (2, 7)),
    ],
)
def test_key_has_a_location(path, expected):
    """A key has its own location; a path without a key has that of the enclosing value."""
    assert position(read_text(CONFIG).root.key_location(path)) == expected


@pytest.mark.parametrize("path", [("layers", 7), ("layers", 7, "units"), ("layers", "units")])
def test_find_returns_the_deepest_existing_node(path):
    """A path that leaves the document leads to the last node on it."""
    root = read_text(CONFIG).root
    assert root.find(path) is root.children["layers"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("12", 12),
        ("-12", -12),
        ("+3", 3),
        ("0x10", 16),
        ("0xfF", 255),
        ("0o17", 15),
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("5e-7", 5e-7),
        ("1.5", 1.5),
        ("-0.5", -0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1.0", 1.0),
        ("9" * 40, int("9" * 40)),
        ("true", True),
        ("True", True),
        ("TRUE", True),
        ("false", False),
        ("null", None),
        ("Null", None),
        ("NULL", None),
        ("~", None),
        ("", None),
        ("relu", "relu"),
        ("tRUE", "tRUE"),
        ("nULL", "nULL"),
        ("1e", "1e"),
        ("0x", "0x"),
        ("0o8", "0o8"),
        ("1.2.3", "1.2.3"),
        ("2001-01-01", "2001-01-01"),
        ("12 rows", "12 rows"),
        ("nano", "nano"),
        ("a_1", "a_1"),
        ("=", "="),
    ],
)
def test_plain_scalars_follow_the_yaml_1_2_core_schema(text, expected):
    """A plain scalar has the value and the type of YAML's core schema."""
    value = value_of(f"key: {text}")["key"]
    assert (type(value), value) == (type(expected), expected)


AMBIGUOUS = [
    ("010", "write 10 or 8"),
    ("007", "write 7"),
    ("08", "write 8"),
    ("+010", "write 10 or 8"),
    ("1:30", "write a decimal number or '1:30'"),
    ("-1:30", "write a decimal number or '-1:30'"),
    ("12:30:45", "write a decimal number or '12:30:45'"),
    ("190:20:30.15", "write a decimal number"),
    ("off", "write false or 'off'"),
    ("OFF", "write false or 'OFF'"),
    ("no", "write false or 'no'"),
    ("n", "write false or 'n'"),
    ("on", "write true or 'on'"),
    ("Yes", "write true or 'Yes'"),
    ("y", "write true or 'y'"),
    (".nan", "write a finite number"),
    (".NaN", "write a finite number"),
    ("nan", "write a finite number"),
    (".inf", "write a finite number"),
    ("-.inf", "write a finite number"),
    ("+.INF", "write a finite number"),
    ("-inf", "write a finite number"),
    ("Infinity", "write a finite number"),
    ("1_000", "write 1000"),
    ("1_0.5", "write 10.5"),
    ("0x_ff", "write 0xff"),
    ("0b1_1", "write 0b11"),
    ("1e400", "too large for float64"),
    ("-1e400", "too large for float64"),
]


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        *AMBIGUOUS,
        ("-010", "write -10"),
        ("0b11", "0b11"),
        ("-0x10", "-0x10"),
    ],
)
def test_ambiguous_scalar_is_rejected(text, fix):
    """An ambiguous scalar is one diagnostic at its location, and the message quotes it and suggests a fix."""
    diagnostic = only_diagnostic(f"a:\n  key: {text}")
    assert position(diagnostic.location) == (2, 8)
    assert diagnostic.path == ("a", "key")
    assert text in diagnostic.message
    assert fix in diagnostic.message


@pytest.mark.parametrize("text", ["1" * 100, "-" + "1" * 99, "0x" + "f" * 98, "0." + "1" * 98])
def test_long_number_is_rejected(text):
    """The message does not quote a number of a hundred characters."""
    diagnostic = only_diagnostic(f"key: {text}")
    assert position(diagnostic.location) == (1, 6)
    assert diagnostic.message == "number too long (100 characters, limit: 40)"


def test_rejected_value_is_marked():
    """Validation can skip values that have already been reported."""
    root = read_text("[off, 'off']").root
    assert [is_rejected(child.value) for child in root.children.values()] == [True, False]


@pytest.mark.parametrize("text", [text for text, _ in AMBIGUOUS] + ["1", "1e-3", "true", "null", "~", "", "0x10"])
@pytest.mark.parametrize("form", ["key: '{}'", 'key: "{}"', "key: |-\n  {}", "key: >-\n  {}"])
def test_quoted_scalar_is_a_string(form, text):
    """Quoted and block scalars are strings, whatever they look like."""
    assert value_of(form.format(text)) == {"key": text}


@pytest.mark.parametrize(
    ("text", "location", "path", "first_line"),
    [
        ("seed: 1\nseed: 2\n", (2, 1), (), 1),
        ("data: {a: 1, a: 2}", (1, 14), ("data",), 1),
        ("x:\n  - a: 1\n    b: 2\n    a: 3\n", (4, 5), ("x", 0), 2),
        ("'seed': 1\n\"seed\": 2\n", (2, 1), (), 1),
    ],
)
def test_duplicate_key_is_reported(text, location, path, first_line):
    """The second of two equal keys is reported at its location, with the line of the first."""
    diagnostic = only_diagnostic(text)
    assert (position(diagnostic.location), diagnostic.path) == (location, path)
    assert f"(first on line {first_line})" in diagnostic.message


def test_first_of_two_duplicate_keys_is_used():
    """Reading continues after a duplicate key with the first value, and every duplicate is reported."""
    document = read_text("a: 1\na: 2\na: 3\nb: 4\n")
    assert document.root.plain() == {"a": 1, "b": 4}
    assert [diagnostic.location.line for diagnostic in document.diagnostics] == [2, 3]


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("a: !!int 5", (1, 4)),
        ("a: ! 5", (1, 4)),
        ("a: !own 5", (1, 4)),
        ("a: !<tag:x> 5", (1, 4)),
        ("a: !!python/object/apply:os.system [ls]", (1, 4)),
        ("!!map {a: 1}", (1, 1)),
        ("!!str a: 1", (1, 1)),
    ],
)
def test_tag_is_rejected(text, location):
    """A tag is a diagnostic at its location, whatever its value."""
    diagnostic = only_diagnostic(text)
    assert position(diagnostic.location) == location
    assert "tag" in diagnostic.message
    assert "remove it" in diagnostic.message


@pytest.mark.parametrize(
    ("text", "line"), [("a: 1\n---\nb: 2\n", 2), ("a: 1\n...\n---\nb: 2\n", 3), ("---\na: 1\n---\n", 3)]
)
def test_second_document_is_rejected(text, line):
    """A text is a single document, and the location is the start of the second one."""
    assert reading_error(text) == (line, 1, "a second YAML document starts here; a config is a single document")


@pytest.mark.parametrize("text", ["---\na: 1\n", "---\na: 1\n...\n", "%YAML 1.2\n---\na: 1\n", "# c\n\na: 1 # c\n"])
def test_document_markers_are_accepted(text):
    """Markers of a single document, directives and comments change nothing."""
    assert value_of(text) == {"a": 1}


def test_alias_repeats_its_anchor():
    """An alias has the value of its anchor and its own location."""
    root = read_text("a: &x {b: [1, 2]}\nc: *x\n").root
    assert root.plain() == {"a": {"b": [1, 2]}, "c": {"b": [1, 2]}}
    assert position(root.find(("c",)).location) == (2, 4)


def test_merge_key_is_an_ordinary_key():
    """``<<`` has no meaning in YAML 1.2."""
    assert value_of("a: &x {b: 1}\nc: {<<: *x}\n")["c"] == {"<<": {"b": 1}}


@pytest.mark.parametrize(
    ("text", "location"),
    [("a: *x", (1, 4)), ("a: *x\nb: &x 1\n", (1, 4)), ("a: &x [*x]", (1, 8)), ("- 1\n- *x\n", (2, 3))],
)
def test_undefined_alias_is_rejected(text, location):
    """An alias of nothing, of a later anchor or of its own parent is undefined."""
    line, column, message = reading_error(text)
    assert (line, column) == location
    assert "*x" in message


def test_anchor_bomb_is_rejected():
    """Nested aliases are rejected at the line that exceeds the limit of values."""
    lines = ["a: &a [1,1,1,1,1,1,1,1,1,1]"]
    lines += [f"{name}: &{name} [{','.join([f'*{of}'] * 10)}]" for of, name in zip("abcdefgh", "bcdefghi", strict=True)]
    line, column, message = reading_error("\n".join(lines))
    assert (line, column) == (5, 4)
    assert "too many values (limit: 100,000, aliases expanded)" in message


@pytest.mark.slow
@pytest.mark.parametrize(
    ("opening", "column"), [("[", MAX_DEPTH + 2), ("{a: ", 4 * MAX_DEPTH + 5), ("- ", 2 * MAX_DEPTH + 3)]
)
def test_depth_is_limited_while_reading(opening, column):
    """The text is rejected at the first level beyond the limit, without reading on."""
    assert reading_error(opening * 100_000) == (1, column, "nested too deeply (limit: 20 levels)")


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}"), ("- ", "")])
def test_depth_counts_from_the_root(opening, closing):
    """Twenty levels below the root are read, twenty-one are not."""
    inside = opening * MAX_DEPTH + "1" + closing * MAX_DEPTH
    assert str(value_of(inside)).count("1") == 1
    assert "too deeply" in reading_error(f"{opening}{inside}{closing}" if closing else f"{opening}{inside}")[2]


def test_depth_counts_expanded_aliases():
    """A chain of aliases is as deep as its expanded value: a18 has 20 levels, a19 one more."""
    chain = ["a0: &a0 [1]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 30)]
    assert value_of("\n".join(chain[:19]))["a0"] == [1]
    assert reading_error("\n".join(chain)) == (20, 12, "nested too deeply (limit: 20 levels)")


def test_number_of_characters_is_limited(monkeypatch):
    """A text of the maximum length is read, one with another character is not."""
    monkeypatch.setattr(reader, "MAX_CHARACTERS", 10)
    assert value_of("a: 1 #4567") == {"a": 1}
    assert reading_error("a: 1 #45678") == (1, 1, "config too large (limit: 1,000,000 characters)")


def test_number_of_values_is_limited(monkeypatch):
    """The root counts as one value, each item as one more."""
    monkeypatch.setattr(reader, "MAX_NODES", 4)
    assert value_of("- 1\n- 2\n- 3\n") == [1, 2, 3]
    assert "too many values (limit: 4, " in reading_error("- 1\n- 2\n- 3\n- 4\n")[2]


@pytest.mark.parametrize(("text", "location"), [("data:\n\ttype: spiral\n", (2, 1)), ("a:\n  - 1\n\t- 2\n", (3, 1))])
def test_tab_for_indentation_is_rejected(text, location):
    """The message names the tab and the fix."""
    assert reading_error(text) == (*location, "a tab is not allowed here; indent and separate with spaces")


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("\x00", (1, 1)),
        ("a: b\nc: \x00", (2, 4)),
        ("a: b\r\nc: \x00", (2, 4)),
        ("a: \x1b[31m", (1, 4)),
        ("a: \x7f", (1, 4)),
        ("日本: \ufffe", (1, 5)),
        ("a: b\rc: \x00", (2, 4)),
    ],
)
def test_binary_data_is_rejected_at_its_first_control_character(text, location):
    """The location of a control character counts lines as all others do."""
    assert reading_error(text) == (*location, "not a text file: control character or binary data")


@pytest.mark.parametrize("text", ["", "\n\n", "   ", "# only\n# comments\n", "\ufeff", "\r\n"])
def test_empty_text_is_rejected(text):
    """The message says how to create a config."""
    line, column, message = reading_error(text)
    assert (line, column) == (1, 1)
    assert "empty" in message
    assert "nncli init" in message


@pytest.mark.parametrize(
    ("text", "location"), [("? [a, b]\n: 1\n", (1, 3)), ("{a: 1}: 2\n", (1, 1)), ("a: &x b\n*x : 1\n", (2, 1))]
)
def test_key_must_be_a_scalar(text, location):
    """A list, a mapping or an alias as a key is rejected at its location."""
    assert reading_error(text) == (*location, "a key must be a string, not a list or a mapping")


def test_keys_are_strings():
    """A key is never a number, a boolean or null, so that none is ambiguous."""
    assert list(value_of("{1: a, off: b, ~: c, 010: d, 'x y': e}")) == ["1", "off", "~", "010", "x y"]


def test_byte_order_mark_is_ignored():
    """A byte order mark is neither part of the first key nor counted in the columns."""
    document = read_text("\ufeffseed: off")
    assert list(document.root.children) == ["seed"]
    assert position(document.diagnostics[0].location) == (1, 7)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_systems_are_equal(end):
    """Line ends are not part of a value, and count as lines."""
    document = read_text(end.join(["a: relu", "b: off", ""]))
    assert document.root.children["a"].value == "relu"
    assert position(document.diagnostics[0].location) == (2, 4)


@pytest.mark.parametrize(
    ("text", "column"), [("größe: off", 8), ("日本: off", 5), ("[😀, off]", 5), ("'a\u0301': off", 7)]
)
def test_columns_count_characters(text, column):
    """A column is a number of characters, not of bytes or terminal cells."""
    assert position(only_diagnostic(text).location) == (1, column)


@pytest.mark.parametrize(
    ("text", "location", "start"),
    [
        ("a: b: c", (1, 5), "a second ':' in one line; write a: {b: c}"),
        ("a: @b", (1, 4), "a value cannot begin with @"),
        ("a: `b`", (1, 4), "a value cannot begin with `"),
        ("a: %b", (1, 4), "a value cannot begin with %"),
        ("}", (1, 1), "a value is missing before this"),
        ("a: 1\n b: 2\n", (2, 2), "this line is indented by 1 space, the line above by 0"),
        ("a: 'b' c\n", (1, 8), "invalid YAML: "),
        ('a: "\\q"', (1, 6), "invalid YAML: "),
        ("%YAML 2.0\n---\na: 1\n", (1, 1), "invalid YAML: "),
        ("a: 'x\nb: 1\nc: 2\n", (1, 4), "this quotation mark is not closed"),
    ],
)
def test_syntax_error_is_rejected_at_its_location(text, location, start):
    """The location is the invalid character; for an unclosed quote it is the quote."""
    line, column, message = reading_error(text)
    assert (line, column) == location
    assert message.startswith(start)


@pytest.mark.parametrize("text", ['"\\U00110000"', '"\\UFFFFFFFF"', f"%YAML 1.{'1' * 5000}\n---\na: 1\n"])
def test_parser_overflow_is_rejected(text):
    """A character beyond Unicode and a huge version number are errors like others."""
    line, _, message = reading_error(text)
    assert line == 1
    assert message.startswith("invalid YAML: ")


PIECES = [*"a{}[],'\"|># \t\r\n\u2028\ufeff~@é😀\x00\ud800", "b: ", "- ", "? ", ": ", "\n  ", "---", "...", "<<"]
PIECES += ["&x ", "*x", "!t ", "!!str ", "%YAML 1.2\n", "off", "010", "1e400", "0x1"]
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=15).map("".join),
    st.text(st.characters(exclude_characters="\\%")),  # a test above has what follows these two
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_any_text_is_read_or_rejected_with_a_location(text):
    """Reading any text ends in values or in a DocumentError, and locations count from 1."""
    try:
        diagnostics = read_text(text).diagnostics
    except DocumentError as error:
        diagnostics = [error.diagnostic]
    for diagnostic in diagnostics:
        assert diagnostic.location.line >= 1
        assert diagnostic.location.column >= 1
        assert str(diagnostic).startswith(f"config.yaml:{diagnostic.location.line}:{diagnostic.location.column}: ")


YAML_1_2_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+")
WORDS = st.one_of(st.text(max_size=8), st.sampled_from(["off", "y", "nan", "08", "1:30", "null", "- a", "a: b", "#"]))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    WORDS.filter(lambda text: not YAML_1_2_NUMBER.fullmatch(text)),  # PyYAML, which reads 1.1, leaves 1e3 unquoted
)
STRUCTURES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=12
)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(STRUCTURES)
def test_dumped_structure_is_read_back_or_rejected(structure):
    """A structure that PyYAML has written is read back equal, with equal types, or is rejected with a location."""
    text = yaml.safe_dump(structure, sort_keys=False)
    document = read_text(text)
    if document.diagnostics:
        assert all(1 <= diagnostic.location.line <= len(text.splitlines()) for diagnostic in document.diagnostics)
        assert all(is_rejected(document.root.find(diagnostic.path).value) for diagnostic in document.diagnostics)
    else:
        assert repr(document.root.plain()) == repr(structure)


def test_longest_number():
    """The limit in the message is the number of characters that are accepted."""
    for text in ("1" * 40, f"0x{'1' * 38}"):
        assert scalar(text) == int(text, 0)
    with pytest.raises(ValueError, match=r"41 characters, limit: 40"):
        scalar("1" * 41)
