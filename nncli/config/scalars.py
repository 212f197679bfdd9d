"""The value of a plain scalar in YAML 1.2; scalars that YAML 1.1 reads differently are rejected."""

import math
import re
from collections.abc import Callable
from typing import Any

_CONSTANTS = {"": None, "~": None, "null": None, "true": True, "false": False}
_CONSTANTS |= {case(word): value for word, value in _CONSTANTS.items() for case in (str.capitalize, str.upper)}
_YAML_1_1_BOOLEANS = {"yes": True, "on": True, "y": True, "no": False, "off": False, "n": False}
_NOT_FINITE = {".nan", ".inf", "nan", "inf", "infinity"}
# Patterns are compiled at first use; a config without ambiguous scalars needs only the first one.
# A number that all versions of YAML read the same
_DECIMAL = r"[-+]?(0|[1-9][0-9]*)(?P<fraction>\.[0-9]+)?(?P<exponent>[eE][-+]?[0-9]+)?"
_INTEGER = r"[-+]?[0-9]+"
_FLOAT = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
_PREFIXED = r"0o[0-7]+|0x[0-9a-fA-F]+"
_MAX_DIGITS = 40


def scalar(text: str) -> Any:
    """Return the value of a plain scalar in the core schema of YAML 1.2.

    >>> scalar("1e-3"), scalar("0x10"), scalar("relu"), scalar("~")
    (0.001, 16, 'relu', None)

    Raises:
        ValueError: YAML 1.1 and 1.2 read it differently, or it is not finite; the message suggests a fix.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text.lower() in _YAML_1_1_BOOLEANS:
        boolean = str(_YAML_1_1_BOOLEANS[text.lower()]).lower()
        raise _ambiguous(text, "a boolean", "a string", f"{boolean} or '{text}'")
    if text.lower().lstrip("+-") in _NOT_FINITE:
        raise ValueError(f"{text} is not finite; write a finite number")
    if text.isidentifier():
        return text
    if len(text) <= _MAX_DIGITS and (decimal := re.fullmatch(_DECIMAL, text)):
        return _finite(text) if decimal["fraction"] or decimal["exponent"] else int(text)
    _reject_ambiguous(text)
    return _number(text)


def _number(text: str) -> Any:
    """An unusual number, such as 0x10 or .5; other text as it is."""
    if re.fullmatch(_INTEGER, text):
        return int(text)
    if re.fullmatch(_PREFIXED, text):
        return int(text, 0)
    return _finite(text) if re.fullmatch(_FLOAT, text) else text


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is too large for float64")
    return number


def _decimal_or_octal(text: str) -> str:
    readings = [int(text), int(text, 8)] if set(text) <= set("+-01234567") else [int(text)]
    return " or ".join(map(str, dict.fromkeys(readings)))


# Numbers that YAML 1.1 and YAML 1.2 read differently: the pattern, what each reads, and the suggested fix.
_AMBIGUOUS: tuple[tuple[str, str, str, Callable[[str], str]], ...] = (
    ("[-+]?0[0-9]+", "an octal number", "a decimal number", _decimal_or_octal),
    ("[-+]?0b[01]+|[-+]0x[0-9a-fA-F]+", "a number", "a string", lambda text: str(int(text, 0))),
    (
        r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?",
        "a base-60 number",
        "a string",
        lambda text: f"a decimal number or '{text}'",
    ),
    (
        r"[-+]?[0-9]+_[0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|0[xob][0-9a-fA-F]*_[0-9a-fA-F_]*",
        "a number",
        "a string",
        lambda text: text.replace("_", ""),
    ),
)


def _reject_ambiguous(text: str) -> None:
    matches = [row for row in _AMBIGUOUS if re.fullmatch(row[0], text)]
    is_number = matches or any(re.fullmatch(each, text) for each in (_INTEGER, _FLOAT, _PREFIXED))
    if len(text) > _MAX_DIGITS and is_number:
        raise ValueError(f"number too long ({len(text)} characters, limit: {_MAX_DIGITS})")
    for _, yaml_1_1, yaml_1_2, fix in matches:
        raise _ambiguous(text, yaml_1_1, yaml_1_2, fix(text))


def _ambiguous(text: str, yaml_1_1: str, yaml_1_2: str, fix: str) -> ValueError:
    return ValueError(f"{text} is ambiguous: {yaml_1_1} in YAML 1.1, {yaml_1_2} in YAML 1.2; write {fix}")
