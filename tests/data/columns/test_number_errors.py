"""What is wrong with a text that is no number."""

import time

import pytest

from nncli.data.columns.number_errors import explain_number, is_number

ELSE = "correct it, or train with it in missing_values, or with type: category"


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("3,14", "write 3.14 with a decimal point"),
        ("-0,5", "write -0.5 with a decimal point"),
        ("0,125", "write 0.125 with a decimal point"),
        ("1.234,5", "write 1234.5 with a decimal point"),
        ("1 234,5", "write 1234.5 with a decimal point"),
        ("1,234", "a decimal comma or a thousands separator? write 1.234 or 1234"),
        ("1,234,567", "write 1234567 without thousands separators"),
        ("1,234.5", "write 1234.5 without thousands separators"),
        ("-1.234.567", "write -1234567 without thousands separators"),
        ("1 234", "write 1234 without thousands separators"),
        ("1\u202f234.5", "write 1234.5 without thousands separators"),
        ("1'234", "write 1234 without thousands separators"),
        ("1_000", "write 1000 without underscores"),
        ("12%", "write 12 without the percent sign, or the fraction"),
        ("-1.5 %", "write -1.5 without the percent sign, or the fraction"),
        ("$5", "write 5 without the currency"),
        ("5.20 €", "write 5.20 without the currency"),
        ("5 EUR", "write 5 without the currency"),
        ("0x10", "write 16 in decimal"),
        ("nan", "if it is missing, leave the field empty, or train with it in missing_values"),
        ("-Infinity", "a network needs finite numbers; correct it, or train with it in missing_values"),
        ("#DIV/0!", "it is an error of a spreadsheet; correct it there, or train with it in missing_values"),
        ("=A1+B2", "it is a formula of a spreadsheet; export its value"),
        ("12 kg", "write 12 without the unit"),
        ("$11,585.27", "write 11585.27 without the currency"),
        ("1.234,56 €", "write 1234.56 without the currency"),
        ("$1,234", "write 1.234 or 1234 without the currency"),
        ("-$5", "write -5 without the currency"),
        ("12,5 %", "write 12.5 without the percent sign, or the fraction"),
        ("1,5 kg", "write 1.5 without the unit"),
        ("5 m²", "write 5 without the unit"),
        ("12.5k", "write 12500 without the k"),
        ("3½", ELSE),
        ("\N{MINUS SIGN}5", "write -5 in ASCII"),
        ("１２", "write 12 in ASCII"),
        ("٣", "write 3 in ASCII"),
        ("abc", ELSE),
        ("--5", ELSE),
        ("1.2.3", ELSE),
        ("", ELSE),
        ("5-", ELSE),
    ],
)
def test_mistake_is_named_with_what_to_write(text, fix):
    """Each common mistake has its own fix."""
    quoted = f'"{text}"' if "'" in text else f"'{text}'"
    assert explain_number(text) == f"{quoted.replace(chr(0x202F), chr(92) + 'u202f')} is not a number; {fix}"


def test_number_beyond_float64_is_too_large():
    """It is a number all the same."""
    assert explain_number("1e999") == "'1e999' is too large; the largest number is 1.797e308"


@pytest.mark.parametrize("text", ["1" * 1_000_000 + "x", "1," * 500_000, "x" * 1_000_000, "$" + "1" * 1_000_000])
def test_long_text_is_explained_at_once(text):
    """In linear time, in a short message."""
    start = time.process_time()
    assert len(explain_number(text)) < 200
    assert not is_number(text)
    assert time.process_time() - start < 1
