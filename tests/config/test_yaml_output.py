"""Configs written as YAML: nncli and PyYAML read back the same values."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nncli.config.diagnostics import SourceText
from nncli.config.document import read
from nncli.config.yaml_output import to_yaml, to_yaml_value
from tests.conftest import SPEC

AMBIGUOUS = [
    "1e3",
    "1e-3",
    "on",
    "no",
    "null",
    "~",
    "",
    "0x10",
    "010",
    "1:30",
    "1_000",
    ".5",
    "true",
    "nan",
    "a: b",
    "#",
]
LETTERS = st.text("abcxyz_-. #:'\"[]{}01e\n", min_size=1, max_size=12)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | LETTERS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LETTERS, inner, max_size=3),
    max_leaves=8,
)


def read_back(text):
    return read(SourceText("<config>", text)).root.plain()


@pytest.mark.slow
@given(st.dictionaries(LETTERS, VALUES, min_size=1, max_size=4))
def test_yaml_is_read_back_as_the_same_values(config):
    """By both readers, in the same order of keys."""
    text = to_yaml(config).decode()
    assert read_back(text) == yaml.safe_load(text) == config
    assert list(yaml.safe_load(text)) == list(config)


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_strings_that_look_like_other_values_are_quoted(text):
    """They stay strings, as keys too."""
    assert read_back(to_yaml({"key": text}).decode()) == {"key": text}
    assert read_back(f"key: {to_yaml_value(text)}") == {"key": text}


@pytest.mark.slow
@given(VALUES)
def test_value_in_one_line_is_read_back(value):
    """As the value of an override."""
    text = to_yaml_value(value)
    assert "\n" not in text
    assert read_back(f"key: {text}") == {"key": value}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float64(0.5), "0.5"),
        (np.float32(0.5), "0.5"),
        (np.int64(3), "3"),
        (np.bool_(True), "true"),
        (np.array(0.5), "0.5"),
        (np.array([[1, 2], [3, 4]]), "[[1, 2], [3, 4]]"),
        (np.array(["a", "on"]), '[a, "on"]'),
        (Path("a/b"), "a/b"),
    ],
)
def test_numpy_arrays_and_paths_are_written(value, text):
    """As the Python values that they stand for."""
    assert to_yaml_value(value) == text


CYCLE = {}
CYCLE["layers"] = [CYCLE]


@pytest.mark.parametrize(
    "value",
    [1j, object(), iter({1, 2}), np.longdouble(1), np.array([None, 1j]), np.dtype("int8"), CYCLE, 10**5000],
    ids=lambda value: type(value).__name__,
)
def test_other_objects_are_type_errors(value):
    """YAML has no counterpart."""
    with pytest.raises(TypeError, match="a config cannot contain"):
        to_yaml_value(value)


def test_list_that_occurs_twice_is_written_twice():
    """Without anchors, which some readers do not know."""
    layer = {"type": "dense", "units": 3}
    assert b"&" not in to_yaml({"layers": [layer, layer]})


def test_config_of_the_tests_is_written_in_block_style():
    """One line per key, one per layer."""
    assert to_yaml(yaml.safe_load(SPEC)).decode().splitlines()[:5] == [
        "seed: 0",
        "data: {type: spiral, samples: 20, classes: 3}",
        "validation: {type: spiral, samples: 20}",
        "layers:",
        "- {type: dense, units: 8}",
    ]


def test_letters_of_any_language_are_written_as_they_are():
    """In UTF-8, without escapes."""
    assert to_yaml({"data": {"name": "größe 大"}}) == "data: {name: größe 大}\n".encode()
    assert to_yaml_value("größe 大") == "größe 大"
