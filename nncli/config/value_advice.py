"""Advice on values of the wrong type or out of range: the same value as it should be written, if there is one."""

import re
from typing import Any

from nncli.config.diagnostics import Path, shown
from nncli.config.document import Node
from nncli.config.hints import key_hint, type_hint
from nncli.config.normalization import find_component
from nncli.config.type_advice import advice_on_type, as_mapping, as_yaml, layers_of_widths
from nncli.registry import components

EXAMPLES = {  # of the mappings that are not components
    "training": "{epochs: 100}",
    "early_stopping": "{patience: 50}",
    "regularization": "{l2: 1e-4}",
}
FIRST_KEYS = {"training": "epochs", "early_stopping": "patience", "regularization": "l2"}  # what a bare number is
VALUE_FIXES = {
    "seed": "; write an integer such as 0 or 1: each gives other random numbers",
    "batch_size": "; omit it for the whole training set, or write a number such as 32",
    "learning_rate": "; write a number such as 0.001",
    "epochs": "; write a number such as 100",
    "units": "; write the number of units, such as 64",
}
MAX_PERCENT = 100
NUMBER = r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?"


def component_expected(kind: str, value: Any, path: Path, root: Node) -> tuple[str, Path]:
    """The message for a value that names no component, and the path of its location."""
    or_fraction = ", or {fraction: 0.2}" if path[0] in {"validation", "test"} else ""
    value = {"type": value} if isinstance(value, str) else value
    if not isinstance(value, dict):
        article = "an" if kind[0] in "aeiou" else "a"
        expected = f"must be the name of {article} {kind} or a mapping with 'type'{or_fraction}"
        return f"{expected}, got {shown(value)}{_instead_of_component(kind, value, path, root)}", path
    if "type" not in value:
        return f"key 'type' is missing{_missing_type(kind, value, or_fraction)}", path
    name, at = value["type"], (*path, "type")
    return f"unknown type {shown(name)}{advice_on_type(kind, str(name), root)}", at


def _instead_of_component(kind: str, value: Any, path: Path, root: Node) -> str:
    """What to write instead of a number or a list that should be a component."""
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


def _missing_type(kind: str, value: dict[str, Any], or_fraction: str) -> str:
    """What to write for a mapping that names no component."""
    for key, inner in value.items():
        if named := find_component(kind, inner):
            return f"; write type: {named.name} instead of {key}: {inner}"
        if found := re.fullmatch(r"type\s*[:=]\s*(\w+)", key):
            return f"; write {{type: {found[1]}}}, with a space after ':'"
        hint = key_hint([kind], key) if or_fraction else None
        if hint and hint.text:
            return f"; {hint.text.replace('<value>', shown(inner))}"
        if component := find_component(kind, key):  # {adam: 0.1}, or {dense: 16, activation: relu}
            return f"; write {as_yaml(as_mapping(component, value, key))}"
    known = ", ".join(sorted(each.name for each in components(kind)))
    return f"; known: {known}{or_fraction}"


def advice_on_value(error: Any, path: Path, root: Node) -> str:
    """The same value in the right type or range, if there is one."""
    value, expected, key = error["input"], error["type"], str(path[-1])
    if expected in {"int_type", "float_type"} and isinstance(value, str):
        return _number_in(value, expected) or VALUE_FIXES.get(key, "")
    if expected == "float_type" and key == "learning_rate" and isinstance(value, dict):
        return "; a schedule is a section of its own, such as schedule: cosine at the top level"
    if expected == "list_type":
        return _as_list(value, key, root)
    if expected == "less_than" and key in {"rate", "fraction"} and value > 1:
        return f"; write {value / 100:g} for {value:g} %" if value <= MAX_PERCENT else ""
    if expected == "dict_type":
        return _as_section(key, value)
    return VALUE_FIXES.get(key, "") if value is None and expected == "int_type" else ""


def _number_in(text: str, expected: str) -> str:
    """The number that a string contains: quoted, or with a decimal comma or a percent sign."""
    if re.fullmatch(r"-?[0-9]{1,15}", text) or (expected == "float_type" and re.fullmatch(NUMBER, text)):
        return f"; write {text} without quotes"
    if re.fullmatch(r"-?[0-9]{1,9},[0-9]{1,9}", text):
        return f"; write a decimal point: {text.replace(',', '.')}"
    if re.fullmatch(r"[0-9]{1,3} ?%", text):
        return f"; write {int(text.rstrip('% ')) / 100:g}"
    return ""


def _items_of(value: dict[str, Any], key: str) -> list[Any]:
    """The layers or metrics that the keys of a mapping name; empty if one of them is none."""
    kind = key.removesuffix("s")
    found = [(find_component(kind, name), name) for name in value]
    return [_short(as_mapping(component, value, name)) for component, name in found if component]


def _short(component: dict[str, Any]) -> Any:
    return component["type"] if len(component) == 1 else component


def _as_list(value: Any, key: str, root: Node) -> str:
    """A value that should be a list, as one."""
    if isinstance(value, dict):
        items = _items_of(value, key)
        written = f"{key}: {as_yaml(items)}" if items else "one item per line, each after '- '"
        return f"; write {written}"
    if type(value) is int and key == "layers":
        return f"; write layers: {layers_of_widths(value, root)}"
    if not isinstance(value, str):
        return ""
    if re.match(r"-\w", value):
        return "; write a space after each '-'"
    hint = type_hint("metric", value) if key == "metrics" else None
    value = ", ".join(hint.names) if hint and hint.names else value
    return f"; write [{value}]" if len(shown(value)) == len(value) + 2 else ""


def _as_section(key: str, value: Any) -> str:
    """A value that should be a section, as one."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if key == "early_stopping" and value is False:
        return "; write null, or omit it"
    if key in FIRST_KEYS and number:
        return f"; write {{{FIRST_KEYS[key]}: {shown(value)}}}"
    if key == "regularization" and value in ("l1", "l2"):
        return f"; write {{{value}: 1e-4}}"
    return ""
