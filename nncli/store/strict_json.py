"""JSON as every reader understands it: no duplicate key, no infinite number, no unpaired surrogate."""

import json
import math
from collections import Counter
from typing import Any

from nncli.config.diagnostics import shown

LONGEST_WHOLE = 40  # characters of a whole number, as in a config
DEEPEST = 40  # levels; a config has at most 20
TOO_DEEP = f"nested deeper than {DEEPEST} levels"


def unpacked(data: bytes) -> Any:
    """The value of a JSON text in UTF-8 that all readers understand alike.

    No key stands twice, every number is finite, every string is text, and lists and mappings are not nested endlessly.

    Raises:
        ValueError: it is no such text.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"byte 0x{data[error.start]:02x} at {error.start} is not UTF-8 text") from None
    try:
        value = json.loads(
            text, parse_int=_whole, parse_float=_finite, parse_constant=_refuse, object_pairs_hook=_mapping
        )
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    _require_text(value, 0)
    return value


def _whole(text: str) -> int:
    if len(text) > LONGEST_WHOLE:
        raise ValueError(f"a whole number of {len(text):,} characters")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{shown(text)} is too large for a number of double precision")
    return number


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"key {shown(twice)} stands twice")
    return made


def _require_text(value: Any, depth: int) -> None:
    """Look at every string, and into every list and mapping, as deep as a record may be nested."""
    if depth > DEEPEST:
        raise ValueError(TOO_DEEP)
    if isinstance(value, str) and not value.isascii():
        _require_characters(value)
    elif isinstance(value, list):
        for inner in value:
            _require_text(inner, depth + 1)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _require_text(key, depth)
            _require_text(inner, depth + 1)


def _require_characters(text: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{shown(text)} holds half a character")
