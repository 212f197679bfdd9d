"""The format of a component's docstring."""

import pytest

from nncli.registry.docstrings import parse_docstring

COMPLETE = """Scales its inputs.

        Y = s X           X, Y (N, M)
        dL/dX = s dL/dY

    A scale of 0 stops learning.

    Args:
        scale (s): factor of the inputs,
            at least 0.
        label: text in messages.

    Raises:
        ValueError: never.
    Source: Somebody 1999,
        section 2.
    """


def test_docstring_is_split_into_its_parts():
    """Summary, text with formulas, arguments with symbols, and source, each without its indentation."""
    docstring = parse_docstring(COMPLETE)
    assert docstring.summary == "Scales its inputs."
    assert docstring.text.splitlines()[0] == f"    {docstring.formulas[0]}"
    assert docstring.text.splitlines()[-1] == "A scale of 0 stops learning."
    assert docstring.formulas == ["Y = s X           X, Y (N, M)", "dL/dX = s dL/dY"]
    assert docstring.meanings == {"scale": "s, factor of the inputs, at least 0.", "label": "text in messages."}
    assert docstring.symbols == {"scale": "s"}
    assert docstring.source == "Somebody 1999, section 2."


def test_formulas_of_gradients_are_backward_formulas():
    """A line that begins with dL/ belongs to the backward pass; one that has a derivative inside does not."""
    docstring = parse_docstring(
        "Text.\n\n        Y = f(X)\n        dL/dX = dL/dY f'\n        φ = ½ dU/dX\n\n    Remarks."
    )
    assert docstring.forward_formulas == ["Y = f(X)", "φ = ½ dU/dX"]
    assert docstring.backward_formulas == ["dL/dX = dL/dY f'"]


def test_empty_docstring_has_empty_parts():
    """Under python -OO there are no docstrings."""
    assert parse_docstring("") == ("", "", [], {}, {}, "")


@pytest.mark.parametrize("line", ["rate", "rate:", "rate (): x", "rate (η) x", "the rate: x", "rate (η β): x"])
def test_malformed_argument_is_quoted(line):
    """The error shows the line, and both forms that are valid."""
    with pytest.raises(ValueError, match=r"expected 'name: meaning' or 'name \(symbol\): meaning'") as error:
        parse_docstring(f"Text.\n\n    Args:\n        {line}\n")
    assert repr(line) in str(error.value)


def test_continuation_without_an_argument_is_an_error():
    """It is quoted like any other malformed line."""
    with pytest.raises(ValueError, match="got 'continued'"):
        parse_docstring("Text.\n\n    Args:\n            continued\n")


def test_name_of_a_section_within_a_text_begins_none():
    """Only at the beginning of a line."""
    docstring = parse_docstring("Text.\n\n    Args:\n        rate: as in\n            Source: here.\n")
    assert (docstring.meanings, docstring.source) == ({"rate": "as in Source: here."}, "")


def test_argument_documented_twice_is_an_error():
    """As is a section that occurs twice."""
    with pytest.raises(ValueError, match="got 'rate: again'"):
        parse_docstring("Text.\n\n    Args:\n        rate: one.\n        rate: again\n")
    with pytest.raises(ValueError, match="section 'Args' occurs twice"):
        parse_docstring("Text.\n\n    Args:\n        rate: one.\n\n    Args:\n        x: one.\n")
