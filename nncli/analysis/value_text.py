"""The values of a config key in a table: components by their type and what distinguishes them from the others."""

from collections.abc import Sequence
from typing import Any

from nncli.config.diagnostics import sanitized_line
from nncli.config.yaml_output import to_yaml_value


def value_text(value: Any, others: Sequence[Any]) -> str:
    """A value as text: a component by its type and the parameters that differ among those of its type.

    Args:
        value: the value; None if a config does not have the key.
        others: the values that it is listed with.
    """
    if value is None:
        return "–"
    if isinstance(value, str):
        return sanitized_line(value)
    if not isinstance(value, dict) or "type" not in value:
        return sanitized_line(to_yaml_value(value))
    same_type = [each for each in others if isinstance(each, dict) and each.get("type") == value["type"]]
    differing = {name: inner for name, inner in value.items() if any(each.get(name) != inner for each in same_type)}
    texts = [str(value["type"]), *(f"{name}={to_yaml_value(inner)}" for name, inner in differing.items())]
    return sanitized_line(" ".join(texts))
