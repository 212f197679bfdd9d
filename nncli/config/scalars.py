"""What a plain scalar means by YAML 1.2: numbers, truth and null; what readers of YAML disagree on is refused."""

import math
import re
from collections.abc import Callable
from typing import Any

_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_WORDS |= {form(word): value for word, value in _WORDS.items() for form in (str.capitalize, str.upper)}
_TRUE = {"yes", "on", "y"}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_MAX_DIGITS = 40


def scalar(text: str) -> Any:
    """What a plain scalar means by the core schema of YAML 1.2.

    >>> scalar("1e-3"), scalar("0x10"), scalar("relu"), scalar("~")
    (0.001, 16, 'relu', None)

    Raises:
        ValueError: YAML 1.1 and 1.2 read it differently, or it is not finite; the message says what to write.
    """
    if text in _WORDS:
        return _WORDS[text]
    _refuse_ambiguous(text)
    if _INTEGER.fullmatch(text):
        return int(text)
    if _PREFIXED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return _finite(text)
    return text


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is too large for a number of double precision")
    return number


def _decimal_or_octal(text: str) -> str:
    readings = [int(text), int(text, 8)] if set(text) <= set("+-01234567") else [int(text)]
    return " or ".join(map(str, dict.fromkeys(readings)))


# What YAML 1.1 takes for one thing and YAML 1.2 for another: the form, the two things, what to write instead.
_AMBIGUOUS: tuple[tuple[re.Pattern[str], str, str, Callable[[str], str]], ...] = (
    (
        re.compile("yes|on|y|no|off|n", re.IGNORECASE),
        "a truth value",
        "text",
        lambda text: f"{str(text.lower() in _TRUE).lower()} or '{text}'",
    ),
    (re.compile("[-+]?0[0-9]+"), "octal", "decimal", _decimal_or_octal),
    (re.compile("[-+]?0b[01]+|[-+]0x[0-9a-fA-F]+"), "a number", "text", lambda text: str(int(text, 0))),
    (
        re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?"),
        "a number to base sixty",
        "text",
        lambda text: f"a plain number or '{text}'",
    ),
    (
        re.compile(r"[-+]?[0-9]+_[0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|0[xob][0-9a-fA-F]*_[0-9a-fA-F_]*"),
        "a number",
        "text",
        lambda text: text.replace("_", ""),
    ),
)


def _refuse_ambiguous(text: str) -> None:
    forms = [row for row in _AMBIGUOUS if row[0].fullmatch(text)]
    if len(text) > _MAX_DIGITS and (forms or any(number.fullmatch(text) for number in (_INTEGER, _FLOAT, _PREFIXED))):
        raise ValueError(f"a number of {len(text)} characters; write it shorter")
    for _, one, other, cure in forms:
        raise ValueError(f"{text} is {one} to some readers of YAML and {other} to others; write {cure(text)}")
    if text.lower().lstrip("+-") in {".nan", ".inf", "nan", "inf", "infinity"}:
        raise ValueError(f"{text} is not a number to train with; write a finite one")
