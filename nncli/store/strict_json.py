"""Strict JSON for untrusted input: no duplicate key, no NaN or infinity, no unpaired surrogate, bounded nesting."""

import json
import math
from collections import Counter
from typing import Any

from nncli.config.diagnostics import shown

LONGEST_INTEGER = 40  # characters, as in a config
DEEPEST = 40  # levels; a config has at most 20
TOO_DEEP = f"nested deeper than {DEEPEST} levels"


def load_strict_json(data: bytes) -> Any:
    """The value of a JSON text in UTF-8 that every JSON reader understands in the same way.

    Raises:
        ValueError: it is not valid JSON, or has a duplicate key, a number that is not finite, an unpaired surrogate or
            more than ``DEEPEST`` levels.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"byte 0x{data[error.start]:02x} at {error.start} is not UTF-8 text") from None
    try:
        value = json.loads(
            text, parse_int=_integer, parse_float=_finite, parse_constant=_refuse_constant, object_pairs_hook=_mapping
        )
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    if isinstance(value, dict | list):
        _require_shallow(value, 0)
    if "\\u" in text:  # UTF-8 has no surrogates, but an escape can stand for one
        _require_no_surrogates(value)
    return value


def _integer(text: str) -> int:
    if len(text) > LONGEST_INTEGER:
        raise ValueError(f"an integer of {len(text):,} characters, expected at most {LONGEST_INTEGER}")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{shown(text)} is too large for float64")
    return number


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a finite number")


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        duplicate = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"duplicate key {shown(duplicate)}")
    return mapping


def _require_shallow(container: dict[str, Any] | list[Any], depth: int) -> None:
    """Check the depth of nesting of a container, which is within this number of other ones."""
    values = container.values() if isinstance(container, dict) else container
    if values and depth == DEEPEST:
        raise ValueError(TOO_DEEP)
    for inner in values:
        if type(inner) is dict or type(inner) is list:  # a JSON reader makes no subclasses
            _require_shallow(inner, depth + 1)


def _require_no_surrogates(value: Any) -> None:
    """Check every string."""
    if isinstance(value, str):
        _require_no_surrogate(value)
    elif isinstance(value, list):
        for inner in value:
            _require_no_surrogates(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _require_no_surrogates(key)
            _require_no_surrogates(inner)


def _require_no_surrogate(text: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{shown(text)} contains an unpaired surrogate")
