"""Reading YAML: what a value means, where it stands, and what is refused because a reader would have to guess."""

import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nncli.config import document as reader
from nncli.config.diagnostics import SourceText
from nncli.config.document import MAX_DEPTH, DocumentError, read, refused

SPEC = """\
seed: 0
data: {type: spiral, samples: 20}
layers:
  - {type: dense, units: 8}
  - relu
"""


def read_text(text):
    return read(SourceText("spec.yaml", text))


def value_of(text):
    document = read_text(text)
    assert document.diagnostics == []
    return document.root.plain()


def refusal(text):
    """Line, column and message of the error that ends the reading."""
    with pytest.raises(DocumentError) as caught:
        read_text(text)
    diagnostic = caught.value.diagnostic
    return diagnostic.place.line, diagnostic.place.column, diagnostic.message


def position(place):
    return place.line, place.column


def the_problem(text):
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
def test_every_value_knows_its_place(path, expected):
    """A node stands at the line and column of its first character."""
    assert position(read_text(SPEC).root.find(path).place) == expected


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
def test_every_key_knows_its_place(path, expected):
    """A key stands at its own place; what has no key stands where the value around it does."""
    assert position(read_text(SPEC).root.key_place(path)) == expected


@pytest.mark.parametrize("path", [("layers", 7), ("layers", 7, "units"), ("layers", "units")])
def test_find_stops_at_the_deepest_node_there_is(path):
    """A path that leaves the document leads to the last node on it."""
    root = read_text(SPEC).root
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
def test_plain_scalars_mean_what_yaml_1_2_says(text, expected):
    """A plain scalar has the value and the type of YAML's core schema."""
    value = value_of(f"key: {text}")["key"]
    assert (type(value), value) == (type(expected), expected)


AMBIGUOUS = [
    ("010", "write 10 or 8"),
    ("007", "write 7"),
    ("08", "write 8"),
    ("+010", "write 10 or 8"),
    ("1:30", "write a plain number or '1:30'"),
    ("-1:30", "write a plain number or '-1:30'"),
    ("12:30:45", "write a plain number or '12:30:45'"),
    ("190:20:30.15", "write a plain number"),
    ("off", "write false or 'off'"),
    ("OFF", "write false or 'OFF'"),
    ("no", "write false or 'no'"),
    ("n", "write false or 'n'"),
    ("on", "write true or 'on'"),
    ("Yes", "write true or 'Yes'"),
    ("y", "write true or 'y'"),
    (".nan", "write a finite one"),
    (".NaN", "write a finite one"),
    ("nan", "write a finite one"),
    (".inf", "write a finite one"),
    ("-.inf", "write a finite one"),
    ("+.INF", "write a finite one"),
    ("-inf", "write a finite one"),
    ("Infinity", "write a finite one"),
    ("1_000", "write 1000"),
    ("1_0.5", "write 10.5"),
    ("0x_ff", "write 0xff"),
    ("0b1_1", "write 0b11"),
    ("1e400", "too large for a number of double precision"),
    ("-1e400", "too large for a number of double precision"),
]


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        *AMBIGUOUS,
        ("-010", "write -10"),
        ("0b11", "0b11"),
        ("-0x10", "-0x10"),
    ],
)
def test_what_readers_of_yaml_disagree_on_is_refused(text, cure):
    """An ambiguous scalar is one diagnostic at its place, and the message quotes it and says what to write."""
    diagnostic = the_problem(f"a:\n  key: {text}")
    assert position(diagnostic.place) == (2, 8)
    assert diagnostic.path == ("a", "key")
    assert text in diagnostic.message
    assert cure in diagnostic.message


@pytest.mark.parametrize("text", ["1" * 100, "-" + "1" * 99, "0x" + "f" * 98, "0." + "1" * 98])
def test_endless_numbers_are_refused_without_being_quoted(text):
    """A number of a hundred characters is refused by a message that is shorter than the number."""
    diagnostic = the_problem(f"key: {text}")
    assert position(diagnostic.place) == (1, 6)
    assert diagnostic.message == "a number of 100 characters; write it shorter"


def test_a_refused_value_is_marked():
    """Who looks at a value later can tell that it has been reported already."""
    root = read_text("[off, 'off']").root
    assert [refused(child.value) for child in root.children.values()] == [True, False]


@pytest.mark.parametrize("text", [text for text, _ in AMBIGUOUS] + ["1", "1e-3", "true", "null", "~", "", "0x10"])
@pytest.mark.parametrize("form", ["key: '{}'", 'key: "{}"', "key: |-\n  {}", "key: >-\n  {}"])
def test_quoted_text_stays_text(form, text):
    """Quotes and blocks make text of what would be something else without them."""
    assert value_of(form.format(text)) == {"key": text}


@pytest.mark.parametrize(
    ("text", "place", "path", "first_line"),
    [
        ("seed: 1\nseed: 2\n", (2, 1), (), 1),
        ("data: {a: 1, a: 2}", (1, 14), ("data",), 1),
        ("x:\n  - a: 1\n    b: 2\n    a: 3\n", (4, 5), ("x", 0), 2),
        ("'seed': 1\n\"seed\": 2\n", (2, 1), (), 1),
    ],
)
def test_a_duplicate_key_is_a_problem(text, place, path, first_line):
    """The second of two equal keys is reported at its place, with the line of the first."""
    diagnostic = the_problem(text)
    assert (position(diagnostic.place), diagnostic.path) == (place, path)
    assert f"stands twice, first on line {first_line}" in diagnostic.message


def test_the_first_of_two_equal_keys_counts():
    """Reading goes on behind a duplicate key, with the value that came first, and every repetition is reported."""
    document = read_text("a: 1\na: 2\na: 3\nb: 4\n")
    assert document.root.plain() == {"a": 1, "b": 4}
    assert [diagnostic.place.line for diagnostic in document.diagnostics] == [2, 3]


@pytest.mark.parametrize(
    ("text", "place"),
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
def test_tags_are_refused(text, place):
    """A tag is a diagnostic at its place, whatever it stands on."""
    diagnostic = the_problem(text)
    assert position(diagnostic.place) == place
    assert "tag" in diagnostic.message
    assert "leave it out" in diagnostic.message


@pytest.mark.parametrize(
    ("text", "line"), [("a: 1\n---\nb: 2\n", 2), ("a: 1\n...\n---\nb: 2\n", 3), ("---\na: 1\n---\n", 3)]
)
def test_a_second_document_is_refused(text, line):
    """A text holds one document, and the message points at the mark that begins another."""
    assert refusal(text) == (line, 1, "a second document begins here; a config is one document")


@pytest.mark.parametrize("text", ["---\na: 1\n", "---\na: 1\n...\n", "%YAML 1.2\n---\na: 1\n", "# c\n\na: 1 # c\n"])
def test_one_document_may_be_marked_as_such(text):
    """The marks around a single document, directives and comments change nothing."""
    assert value_of(text) == {"a": 1}


def test_a_small_alias_repeats_its_anchor():
    """An alias has the value of its anchor and a place of its own."""
    root = read_text("a: &x {b: [1, 2]}\nc: *x\n").root
    assert root.plain() == {"a": {"b": [1, 2]}, "c": {"b": [1, 2]}}
    assert position(root.find(("c",)).place) == (2, 4)


def test_a_merge_key_is_a_key_like_others():
    """``<<`` means nothing in YAML 1.2."""
    assert value_of("a: &x {b: 1}\nc: {<<: *x}\n")["c"] == {"<<": {"b": 1}}


@pytest.mark.parametrize(
    ("text", "place"),
    [("a: *x", (1, 4)), ("a: *x\nb: &x 1\n", (1, 4)), ("a: &x [*x]", (1, 8)), ("- 1\n- *x\n", (2, 3))],
)
def test_an_alias_without_an_anchor_before_it_is_refused(text, place):
    """An alias of nothing, of something later or of what it stands in has nothing to repeat."""
    line, column, message = refusal(text)
    assert (line, column) == place
    assert "*x" in message


def test_an_anchor_bomb_is_refused_where_it_grows_too_large():
    """Ten times ten times ten times ten values are refused in the line that has the last ten."""
    lines = ["a: &a [1,1,1,1,1,1,1,1,1,1]"]
    lines += [f"{name}: &{name} [{','.join([f'*{of}'] * 10)}]" for of, name in zip("abcdefgh", "bcdefghi", strict=True)]
    line, column, message = refusal("\n".join(lines))
    assert (line, column) == (4, 4)
    assert "counting what aliases repeat" in message


@pytest.mark.parametrize(
    ("opening", "column"), [("[", MAX_DEPTH + 2), ("{a: ", 4 * MAX_DEPTH + 5), ("- ", 2 * MAX_DEPTH + 3)]
)
def test_a_hundred_thousand_levels_are_refused_at_the_first_too_deep(opening, column):
    """Depth is refused where it is exceeded, without reading to the bottom."""
    assert refusal(opening * 100_000) == (1, column, "nested deeper than 20 levels: no config is")


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}"), ("- ", "")])
def test_depth_counts_from_the_root(opening, closing):
    """Twenty levels below the root are read, twenty-one are not."""
    inside = opening * MAX_DEPTH + "1" + closing * MAX_DEPTH
    assert str(value_of(inside)).count("1") == 1
    assert "deeper" in refusal(f"{opening}{inside}{closing}" if closing else f"{opening}{inside}")[2]


def test_depth_counts_what_an_alias_brings():
    """A chain of aliases is as deep as what it stands for: a18 ends 20 levels down, a19 one further."""
    chain = ["a0: &a0 [1]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 30)]
    assert value_of("\n".join(chain[:19]))["a0"] == [1]
    assert refusal("\n".join(chain)) == (20, 12, "nested deeper than 20 levels: no config is")


def test_the_number_of_characters_is_bounded(monkeypatch):
    """A text of exactly the greatest length is read, one of a character more is not."""
    monkeypatch.setattr(reader, "MAX_CHARACTERS", 10)
    assert value_of("a: 1 #4567") == {"a": 1}
    assert refusal("a: 1 #45678") == (1, 1, "longer than 10 characters: no config is")


def test_the_number_of_values_is_bounded(monkeypatch):
    """The root counts as one value, each item as one more."""
    monkeypatch.setattr(reader, "MAX_NODES", 4)
    assert value_of("- 1\n- 2\n- 3\n") == [1, 2, 3]
    assert "more than 4 values" in refusal("- 1\n- 2\n- 3\n- 4\n")[2]


@pytest.mark.parametrize(("text", "place"), [("data:\n\ttype: spiral\n", (2, 1)), ("a:\n  - 1\n\t- 2\n", (3, 1))])
def test_a_tab_cannot_indent(text, place):
    """The message names the tab and the cure."""
    assert refusal(text) == (*place, "a tab cannot stand here; YAML is indented and separated with spaces")


@pytest.mark.parametrize(
    ("text", "place"),
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
def test_binary_data_is_refused_where_it_begins(text, place):
    """A control character is no text, and its place counts lines as everywhere else."""
    assert refusal(text) == (*place, "not text: a control character or binary data")


@pytest.mark.parametrize("text", ["", "\n\n", "   ", "# only\n# comments\n", "\ufeff", "\r\n"])
def test_an_empty_text_is_refused(text):
    """Where there is nothing, the message says how to get a config."""
    line, column, message = refusal(text)
    assert (line, column) == (1, 1)
    assert "empty" in message
    assert "nncli init" in message


@pytest.mark.parametrize(
    ("text", "place"), [("? [a, b]\n: 1\n", (1, 3)), ("{a: 1}: 2\n", (1, 1)), ("a: &x b\n*x : 1\n", (2, 1))]
)
def test_a_key_is_a_plain_word(text, place):
    """A list, a mapping or an alias as a key is refused at its place."""
    assert refusal(text) == (*place, "a key must be a plain word")


def test_keys_are_text_whatever_they_look_like():
    """A key is never a number, a truth value or null, so that none is ambiguous."""
    assert list(value_of("{1: a, off: b, ~: c, 010: d, 'x y': e}")) == ["1", "off", "~", "010", "x y"]


def test_a_byte_order_mark_is_no_character():
    """A byte order mark is neither part of the first key nor counted in the columns."""
    document = read_text("\ufeffseed: off")
    assert list(document.root.children) == ["seed"]
    assert position(document.diagnostics[0].place) == (1, 7)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_systems_are_alike(end):
    """Line ends are no part of a value, and lines are counted by them."""
    document = read_text(end.join(["a: relu", "b: off", ""]))
    assert document.root.children["a"].value == "relu"
    assert position(document.diagnostics[0].place) == (2, 4)


@pytest.mark.parametrize(
    ("text", "column"), [("größe: off", 8), ("日本: off", 5), ("[😀, off]", 5), ("'a\u0301': off", 7)]
)
def test_columns_count_characters(text, column):
    """A column is a number of characters, not of bytes or of cells on a screen."""
    assert position(the_problem(text).place) == (1, column)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: b: c", (1, 5)),
        ("a: @b", (1, 4)),
        ("a: `b`", (1, 4)),
        ("a: %b", (1, 4)),
        ("}", (1, 1)),
        ("a: 1\n b: 2\n", (2, 3)),
        ("a: 'b' c\n", (1, 8)),
        ('a: "\\q"', (1, 6)),
        ("%YAML 2.0\n---\na: 1\n", (1, 1)),
        ("a: 'x\nb: 1\nc: 2\n", (1, 4)),
    ],
)
def test_what_is_not_yaml_is_refused_where_it_is_wrong(text, place):
    """The place is the character that cannot stand where it does; for an open quote it is the quote."""
    line, column, message = refusal(text)
    assert (line, column) == place
    assert message.startswith("not YAML: ")


@pytest.mark.parametrize("text", ['"\\U00110000"', '"\\UFFFFFFFF"', f"%YAML 1.{'1' * 5000}\n---\na: 1\n"])
def test_what_the_parser_stumbles_over_is_refused_too(text):
    """A character beyond Unicode and an endless version are mistakes in the text like others."""
    line, _, message = refusal(text)
    assert line == 1
    assert message.startswith("not YAML: ")


PIECES = [*"a{}[],'\"|># \t\r\n\u2028\ufeff~@é😀\x00\ud800", "b: ", "- ", "? ", ": ", "\n  ", "---", "...", "<<"]
PIECES += ["&x ", "*x", "!t ", "!!str ", "%YAML 1.2\n", "off", "010", "1e400", "0x1"]
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=15).map("".join),
    st.text(st.characters(exclude_characters="\\%")),  # a test above has what follows these two
)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_any_text_is_read_or_refused_at_a_place(text):
    """Whatever a file holds, reading ends in values or in a DocumentError, and places count from 1."""
    try:
        diagnostics = read_text(text).diagnostics
    except DocumentError as error:
        diagnostics = [error.diagnostic]
    for diagnostic in diagnostics:
        assert diagnostic.place.line >= 1
        assert diagnostic.place.column >= 1
        assert str(diagnostic).startswith(f"spec.yaml:{diagnostic.place.line}:{diagnostic.place.column}: ")


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


@settings(max_examples=200, deadline=None)
@given(STRUCTURES)
def test_what_a_dumper_writes_is_read_back_or_refused(structure):
    """A structure that PyYAML has written comes back equal, with equal types, or with a place for what is refused."""
    text = yaml.safe_dump(structure, sort_keys=False)
    document = read_text(text)
    if document.diagnostics:
        assert all(1 <= diagnostic.place.line <= len(text.splitlines()) for diagnostic in document.diagnostics)
        assert all(refused(document.root.find(diagnostic.path).value) for diagnostic in document.diagnostics)
    else:
        assert repr(document.root.plain()) == repr(structure)
