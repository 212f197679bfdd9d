"""The value of a plain scalar in YAML 1.2; scalars that YAML 1.1 reads differently are rejected."""

import math
import re
from collections.abc import Callable
from typing import Any

_CONSTANTS = {"": None, "~": None, "null": None, "true": True, "false": False}
_CONSTANTS |= {case(word): value for word, value in _CONSTANTS.items() for case in (str.capitalize, str.upper)}
_TRUE = {"yes", "on", "y"}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
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
    _reject_ambiguous(text)
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
        raise ValueError(f"{text} is too large for float64")
    return number


def _decimal_or_octal(text: str) -> str:
    readings = [int(text), int(text, 8)] if set(text) <= set("+-01234567") else [int(text)]
    return " or ".join(map(str, dict.fromkeys(readings)))


# Scalars that YAML 1.1 and YAML 1.2 read differently: the pattern, what each reads, and the suggested fix.
_AMBIGUOUS: tuple[tuple[re.Pattern[str], str, str, Callable[[str], str]], ...] = (
    (
        re.compile("yes|on|y|no|off|n", re.IGNORECASE),
        "a boolean",
        "a string",
        lambda text: f"{str(text.lower() in _TRUE).lower()} or '{text}'",
    ),
    (re.compile("[-+]?0[0-9]+"), "an octal number", "a decimal number", _decimal_or_octal),
    (re.compile("[-+]?0b[01]+|[-+]0x[0-9a-fA-F]+"), "a number", "a string", lambda text: str(int(text, 0))),
    (
        re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?"),
        "a base-60 number",
        "a string",
        lambda text: f"a decimal number or '{text}'",
    ),
    (
        re.compile(r"[-+]?[0-9]+_[0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|0[xob][0-9a-fA-F]*_[0-9a-fA-F_]*"),
        "a number",
        "a string",
        lambda text: text.replace("_", ""),
    ),
)


def _reject_ambiguous(text: str) -> None:
    matches = [row for row in _AMBIGUOUS if row[0].fullmatch(text)]
    if len(text) > _MAX_DIGITS and (matches or any(each.fullmatch(text) for each in (_INTEGER, _FLOAT, _PREFIXED))):
        raise ValueError(f"number too long ({len(text)} characters, limit: {_MAX_DIGITS})")
    for _, yaml_1_1, yaml_1_2, fix in matches:
        raise ValueError(f"{text} is ambiguous: {yaml_1_1} in YAML 1.1, {yaml_1_2} in YAML 1.2; write {fix(text)}")
    if text.lower().lstrip("+-") in {".nan", ".inf", "nan", "inf", "infinity"}:
        raise ValueError(f"{text} is not finite; write a finite number")
