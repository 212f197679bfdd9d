"""Messages for texts that are not numbers: what is wrong, and what to write instead."""

import re
import unicodedata
from collections.abc import Callable
from math import isinf
from typing import NamedTuple

from nncli.config.diagnostics import shown

NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
MAX_LENGTH = 100  # characters; longer texts are not searched for mistakes
_CURRENCIES = "[$€£¥₹₽₩]|EUR|USD|GBP|CHF|JPY|CNY|INR"
ELSE = "correct it, or train with it in missing_values, or with type: category"


def is_number(text: str) -> bool:
    """Whether a text is a decimal number in ASCII.

    >>> is_number("-1.5e3"), is_number("1_000"), is_number("nan"), is_number(" 1")
    (True, False, False, False)
    """
    return re.fullmatch(NUMBER, text) is not None


def explain_number(text: str) -> str:
    """Why a text is not a number, with a fix.

    >>> explain_number("12%")
    "'12%' is not a number; write 12 without the percent sign, or the fraction"
    """
    if is_number(text) and isinf(float(text)):
        return f"{shown(text)} is too large; the largest number is 1.797e308"
    return f"{shown(text)} is not a number; {_fix(text)}"


def fix_of_number(text: str) -> str | None:
    """What to write instead of a mistyped number; None if the text is a number, or does not look like one.

    >>> fix_of_number("1,5"), fix_of_number("red")
    ('write 1.5 with a decimal point', None)
    """
    fix = _fix(text)
    return None if fix == ELSE or is_number(text) else fix


class _Mistake(NamedTuple):
    """A common mistake in numbers.

    Args:
        pattern: a regular expression for the whole text.
        fix: the fix; ``{}`` is the corrected text.
        corrected: makes the corrected text.
    """

    pattern: str
    fix: str
    corrected: Callable[[str], str] = str


def _without(characters: str) -> Callable[[str], str]:
    return lambda text: re.sub(characters, "", text)


def _decimal_comma(text: str) -> str:
    return re.sub(r"[^0-9,+-]", "", text).replace(",", ".")


def _thousands(text: str) -> str:
    return f"{float(text.rstrip('kK')) * 1000:.15g}"


def _either(text: str) -> str:
    return f"{text.replace(',', '.')} or {text.replace(',', '')}"


_INTEGER, _UP_TO_999 = r"[+-]?[0-9]+", r"[+-]?[0-9]{1,3}"
_SPACES = " '’\u00a0\u2009\u202f"
_NUMBERS = (
    _Mistake(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}", "a decimal comma or a thousands separator? write {}", _either),
    _Mistake(r"[+-]?[0-9]*,[0-9]+", "write {} with a decimal point", _decimal_comma),
    _Mistake(rf"{_UP_TO_999}([{_SPACES}.][0-9]{{3}})+,[0-9]+", "write {} with a decimal point", _decimal_comma),
    _Mistake(
        rf"{_UP_TO_999}(([{_SPACES},][0-9]{{3}})+(\.[0-9]+)?|(\.[0-9]{{3}}){{2,}})",
        "write {} without thousands separators",
        lambda text: re.sub(r"[^0-9+-]" if text.count(".") > 1 else r"[^0-9.+-]", "", text),
    ),
)
_MISTAKES = (
    *_NUMBERS,
    _Mistake(rf"{_INTEGER}(_[0-9]+)+", "write {} without underscores", _without("_")),
    _Mistake(r"[+-]?0[xX][0-9a-fA-F]+", "write {} in decimal", lambda text: str(int(text, 16))),
    _Mistake(r"(?i)[+-]?nan", "if it is missing, leave the field empty, or train with it in missing_values"),
    _Mistake(
        r"(?i)[+-]?inf(inity)?|[+-]?∞", "a network needs finite numbers; correct it, or train with it in missing_values"
    ),
    _Mistake(
        r"#[A-Z/0-9]+[!?]?", "it is an error of a spreadsheet; correct it there, or train with it in missing_values"
    ),
    _Mistake(r"=.*", "it is a formula of a spreadsheet; export its value"),
    _Mistake(rf"{NUMBER}\s*[kK]", "write {} without the k", _thousands),
)
_AFFIXES = (  # what stands before or after a number, and what to say about it
    (r"\s*%$", "write {} without the percent sign, or the fraction"),
    (rf"^({_CURRENCIES})\s*|(?<=^[+-])({_CURRENCIES})\s*|\s*({_CURRENCIES})$", "write {} without the currency"),
    (r"\s*[^\W\d_²³¹¼½¾][^\W\d_]*$", "write {} without the unit"),
)


def _meant(text: str) -> str | None:
    """The number that a text without currency, unit and percent sign is meant as, or both if there are two."""
    if is_number(text):
        return text
    found = (corrected(text) for pattern, _, corrected in _NUMBERS if re.fullmatch(pattern, text))
    return next(found, None)


def _fix(text: str) -> str:
    """The fix for a text that is not a number."""
    if len(text) > MAX_LENGTH:
        return ELSE
    for pattern, fix, corrected in _MISTAKES:
        if re.fullmatch(pattern, text):
            return fix.format(corrected(text))
    for affix, fix in _AFFIXES:
        bare = re.sub(affix, "", text)
        if bare != text and (number := _meant(bare)):
            return fix.format(number)
    plain = unicodedata.normalize("NFKC", text).replace("\N{MINUS SIGN}", "-").replace("\N{EN DASH}", "-").strip()
    plain = "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in plain)
    return f"write {plain} in ASCII" if is_number(plain) else ELSE
