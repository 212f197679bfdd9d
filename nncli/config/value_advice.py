"""Advice on values of the wrong type or out of range: the same value as it should be written, if there is one."""

import re
from shlex import quote
from typing import Any

from nncli.config.diagnostics import Path, path_text, shown
from nncli.config.document import Node
from nncli.config.hints import key_hint, type_hint
from nncli.config.normalization import find_component
from nncli.config.translation import translated
from nncli.config.type_advice import (
    advice_on_file,
    advice_on_type,
    advice_with_parameters,
    as_yaml,
    classes_of,
    layers_of_widths,
    listed,
    short,
)
from nncli.registry import components

EXAMPLES = {  # of the mappings that are not components
    "training": "{epochs: 100}",
    "early_stopping": "{patience: 50}",
    "regularization": "{l2: 1e-4}",
    "seeds": "{weights: 1}",
}
FIRST_KEYS = {"training": "epochs", "early_stopping": "patience", "regularization": "l2"}  # what a bare number is
VALUE_FIXES = {
    "seed": "; write an integer such as 0 or 1: each gives different random numbers",
    "batch_size": "; omit it for the whole training set, or write a number such as 32",
    "learning_rate": "; write a number such as 0.001",
    "epochs": "; write a number such as 100",
    "units": "; write the number of units, such as 64",
}
LISTS = {"layers": "layer", "metrics": "metric"}  # of components
MAX_PERCENT = 100
MAX_COMMAND = 150  # characters of a command that is suggested
NUMBER = r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?"


NOTHING = (False, "None", "none", "off", "no", "false")  # written for an optional section
SETS = {"train": "data", "training": "data", "val": "validation", "valid": "validation", "validation": "validation"}
SETS |= {"dev": "validation", "test": "test"}  # the sections of data sets by what they are called elsewhere


def component_expected(kind: str, value: Any, path: Path, root: Node) -> tuple[str, Path]:
    """The message for a value that names no component, and the path of its location."""
    or_fraction = ", or {fraction: 0.2}" if path[0] in {"validation", "test"} else ""
    if or_fraction and value in NOTHING:
        return f"must be a dataset or a fraction, got {shown(value)}; write {_none(path, root)}", path
    value = {"type": value} if isinstance(value, str) else value
    if not isinstance(value, dict):
        article = "an" if kind[0] in "aeiou" else "a"
        expected = f"must be the name of {article} {kind} or a mapping with 'type'{or_fraction}"
        return f"{expected}, got {shown(value)}{_instead_of_component(kind, value, path, root)}", path
    if "type" not in value:
        return f"key 'type' is missing{_missing_type(kind, value, path, or_fraction)}", path
    name, at = value["type"], (*path, "type")
    advice = advice_with_parameters(kind, value) or advice_on_type(kind, str(name), root)
    return f"unknown type {shown(name)}{advice}", at


def _none(path: Path, root: Node) -> str:
    """How to write that an optional section is not wanted."""
    is_override = root.find(path).location.source.name != root.location.source.name
    return f"{path_text(path)}=null" if is_override else "null, or omit it"


def _instead_of_component(kind: str, value: Any, path: Path, root: Node) -> str:
    """What to write instead of a number or a list that should be a component."""
    if isinstance(value, list):
        return advice_with_parameters(kind, value)
    if kind == "layer" and type(value) is int:
        items = root.find(path[:-1]).plain()
        is_widths = isinstance(items, list) and all(type(each) is int for each in items)
        return (
            f"; write layers: {layers_of_widths(items, root)}"
            if is_widths
            else f"; write {{type: dense, units: {value}}}"
        )
    if kind == "optimizer" and isinstance(value, float):
        return f"; write {{type: adam, learning_rate: {value:g}}}"
    if kind == "clipping" and isinstance(value, int | float) and not isinstance(value, bool):
        return f"; write {{type: norm, limit: {value:g}}}"
    return ""


def _missing_type(kind: str, value: dict[str, Any], path: Path, or_fraction: str) -> str:
    """What to write for a mapping that names no component."""
    sets = {SETS.get(key): inner for key, inner in value.items()}
    if path == ("data",) and sets and None not in sets:
        sections = [f"{name}: {as_yaml(inner)}" for name, inner in sets.items()]
        return f"; each is a section of its own: write {listed(sections)} at the top level"
    if meant := translated(kind, value):  # {adam: 0.1}, or {dense: 16, activation: relu}
        return f"; write {as_yaml(meant)}"
    for key, inner in value.items():
        hint = key_hint([kind], key) if or_fraction else None
        if hint and hint.text:
            return f"; {hint.text.replace('<value>', shown(inner))}"
        if text := _type_in(kind, key, inner):
            return text
    known = ", ".join(sorted(each.name for each in components(kind)))
    return f"; known: {known}{or_fraction}"


def _type_in(kind: str, key: str, inner: Any) -> str:
    """What to write for a key that has the type in itself, or in its value."""
    if found := re.fullmatch(r"type\s*[:=]\s*(\w+)", key):
        return f"; write {{type: {found[1]}}}, with a space after ':'"
    if isinstance(inner, dict) and (meant := translated(kind, inner)):
        return f"; write {as_yaml(meant)} without {key!r}"
    return advice_on_file(kind, str(inner))


def advice_on_value(error: Any, path: Path, root: Node) -> str:
    """The same value in the right type or range, if there is one."""
    value, expected, key = error["input"], error["type"], str(path[-1])
    if expected in {"int_type", "float_type"} and isinstance(value, str | list):
        items = value if isinstance(value, list) else _items_in(value, expected)
        return _one_each(items, path, root) or _fixed_number(value, expected, key)
    if expected == "float_type" and key == "learning_rate" and isinstance(value, dict):
        return "; a schedule is a section of its own, such as schedule: cosine at the top level"
    if expected == "list_type":
        return _as_list(value, key, root)
    if expected == "less_than" and key in {"rate", "fraction"} and value > 1:
        return f"; write {value / 100:g} for {value:g} %" if value <= MAX_PERCENT else ""
    if expected == "dict_type":
        return _as_section(key, value)
    return VALUE_FIXES.get(key, "") if value is None and expected == "int_type" else ""


def _fixed_number(value: Any, expected: str, key: str) -> str:
    return _number_in(value, expected) or VALUE_FIXES.get(key, "") if isinstance(value, str) else ""


def _number_in(text: str, expected: str) -> str:
    """The number that a string contains: quoted, or with a decimal comma or a percent sign."""
    if re.fullmatch(r"-?[0-9]{1,15}", text) or (expected == "float_type" and re.fullmatch(NUMBER, text)):
        return f"; write {text} without quotes"
    if found := re.fullmatch(rf"({NUMBER})\s*(,|//.*)", text):
        return f"; write {found[1]}, without the ','" if found[4] == "," else "; a comment begins with '#'"
    if re.fullmatch(r"-?[0-9]{1,9},[0-9]{1,9}", text):
        return f"; write a decimal point: {text.replace(',', '.')}"
    if re.fullmatch(r"[0-9]{1,3} ?%", text):
        return f"; write {int(text.rstrip('% ')) / 100:g}"
    return ""


def _items_in(text: str, expected: str) -> list[str]:
    """The numbers in a text with commas, unless it is one number with a decimal comma."""
    is_decimal = expected == "float_type" and re.fullmatch(r"-?[0-9]+,[0-9]+", text)
    items = [] if is_decimal else text.split(",")
    return items if all(re.fullmatch(NUMBER, each) for each in items) else []


def _one_each(items: list[Any], path: Path, root: Node) -> str:
    """What to write instead of several values for one key."""
    if len(items) < len(("first", "second")) or not all(re.fullmatch(NUMBER, str(each)) for each in items):
        return ""
    layers = as_yaml([{"type": "dense", "units": each} for each in items])
    if path[-1] == "units":
        return f"; write a layer for each: {layers[1:-1]}" if layers != "..." else "; write a layer for each"
    values = " ".join(str(each) for each in items)
    command = f"for x in {values}; do nncli train {quote(root.location.source.name)} {path_text(path)}=$x; done"
    return f"; one value per run: {command}" if len(command) <= MAX_COMMAND else "; one value per run"


def _items_of(value: dict[str, Any], key: str) -> list[Any]:
    """The layers or metrics that the keys of a mapping name; empty if one of them is none, or in another list."""
    if key not in LISTS:
        return []
    kind = LISTS[key]
    found = [_item(kind, name, inner) for name, inner in value.items()]
    return [short(each) for each in found if each] if all(found) else []


def _item(kind: str, name: str, inner: Any) -> dict[str, Any] | None:
    """The layer or metric that a key and its value name; a number is that of the units of a layer."""
    if meant := translated(kind, {name: inner}) or translated(kind, inner):
        return meant
    return {"type": "dense", "units": inner} if kind == "layer" and type(inner) is int else None


def _as_list(value: Any, key: str, root: Node) -> str:
    """A value that should be a list, as one."""
    if isinstance(value, dict):
        items = as_yaml(_items_of(value, key))
        is_complete = items not in {"[]", "..."}
        return "; write '- ' before each item" + (f", which is {key}: {items}" if is_complete else "")
    if type(value) is int and key == "layers":
        return f"; write layers: {layers_of_widths(value, root)}"
    if not isinstance(value, str):
        return ""
    if re.match(r"-\w", value):
        return "; write a space after each '-'"
    hint = type_hint("metric", value) if key == "metrics" else None
    value = ", ".join(hint.names) if hint and hint.names else value
    if key == "layers" and (layers := _layers_in(value, root)):
        return f"; write {as_yaml(layers)}"
    return f"; write [{value}]" if len(shown(value)) == len(value) + 2 else ""


def _layers_in(text: str, root: Node) -> list[Any]:
    """The layers that a text names, the last one with as many units as there are classes; empty if one is none."""
    words = [each.strip() for each in text.split(",")]
    layers = [each for word in words if (each := translated("layer", word))]
    dense = [index for index, each in enumerate(layers) if each["type"] == "dense"]
    if dense and find_component("layer", words[dense[-1]]) and (classes := classes_of(root)) is not None:
        layers[dense[-1]]["units"] = classes or 1
    return [short(each) for each in layers] if len(layers) == len(words) else []


def _as_section(key: str, value: Any) -> str:
    """A value that should be a section, as one."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if key == "early_stopping" and value is False:
        return "; write null, or omit it"
    if key in FIRST_KEYS and number:
        return f"; write {{{FIRST_KEYS[key]}: {shown(value)}}}"
    if key == "seeds" and type(value) is int:
        return f"; write seed: {value} for all purposes, or seeds: {{weights: {value}}} for one"
    if key == "regularization" and value in ("l1", "l2"):
        return f"; write {{{value}: 1e-4}}"
    return ""
