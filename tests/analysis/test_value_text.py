"""Values of config keys as they stand in tables."""

import pytest

from nncli.analysis.value_text import value_text

FAST, SLOW = {"type": "sgd", "learning_rate": 1.0}, {"type": "sgd", "learning_rate": 0.1}


@pytest.mark.parametrize(
    ("value", "others", "text"),
    [
        (None, [None, 3], "–"),
        ("adam", ["adam", "sgd"], "adam"),
        (0.05, [0.05, 0.1], "0.05"),
        ([1, 2], [[1, 2]], "[1, 2]"),
        (FAST, [FAST, {"type": "adam", "learning_rate": 0.1}], "sgd"),
        (FAST, [FAST, SLOW], "sgd learning_rate=1.0"),
        (SLOW, [FAST, SLOW], "sgd learning_rate=0.1"),
        ({**FAST, "momentum": 0.9}, [FAST, {**FAST, "momentum": 0.9}], "sgd momentum=0.9"),
        ({"min": 1}, [{"min": 1}, {"min": 2}], "{min: 1}"),
        ("a\x1b[0m", [], "a\ufffd[0m"),
    ],
)
def test_value_as_text(value, others, text):
    """A component has its type and what distinguishes it from others of the type; control characters are escaped."""
    assert value_text(value, others) == text
