"""The keys and values that a config can have at a place, according to its JSON Schema.

The schema is the file that editors read; no component is imported.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).parents[1] / "config.schema.json"
NULL = {"null": "not set"}


def kinds() -> list[str]:
    """The kinds of component."""
    definitions = _schema()["definitions"]
    return sorted(kind for kind, schema in definitions.items() if schema["title"] == kind)


def components(kind: str) -> dict[str, str]:
    """The components of a kind, each with its summary."""
    return values([_keys([_schema()["definitions"][kind]], {})["type"]], None)


def parameters(component: str) -> dict[str, str]:
    """The parameters of a component of any kind, each with its description."""
    definitions = [_schema()["definitions"][kind] for kind in kinds() if component in components(kind)]
    keys = _keys(definitions, {"type": component})
    return {name: schema.get("description", "") for name, schema in keys.items() if name != "type"}


def at(path: Iterable[str | int], value: Any) -> tuple[list[Any], Any]:
    """The schemas of what is at a path in a config, and its value; None if it has none."""
    schemas: list[Any] = [_schema()]
    for key in path:
        schemas, value = below(schemas, value, key)
    return schemas, value


def below(schemas: Iterable[Any], value: Any, key: str | int) -> tuple[list[Any], Any]:
    """The schemas of an item or of the value of a key, and its value; None if it has none."""
    if isinstance(key, int):
        inner = [each["items"] for each in _applicable(schemas, value) if "items" in each]
        found = value[key] if isinstance(value, list) and key < len(value) else None
    else:
        mapping = as_mapping(value)
        inner, found = [_keys(schemas, mapping).get(key, {})], mapping.get(key)
    return inner, _in_full(inner, found)


def continued(schemas: Iterable[Any], value: Any) -> dict[str, str]:
    """The keys of a mapping with the characters that can follow each: those of a value, of a mapping, of a list."""
    found: dict[str, str] = {}
    for key, schema in _keys(schemas, value).items():
        parts = list(_applicable([schema], value.get(key)))
        description = next((part["description"] for part in parts if "description" in part), "")
        follow = "." * bool(_keys([schema], as_mapping(value.get(key)))) + "[" * any("items" in part for part in parts)
        if not follow or values([schema], None):
            follow += "="
        found |= {key + character: description for character in follow}
    return found


def values(schemas: Iterable[Any], value: Any) -> dict[str, str]:
    """The values that a schema lists, each with its description."""
    found: dict[str, str] = {}
    for part in _applicable(schemas, None if isinstance(value, dict) else value):
        types = part.get("type", [])
        listed = part.get("enum", [True, False] if "boolean" in types else [])
        texts = part.get("enumDescriptions", [""] * len(listed))
        found |= {_scalar(each): text for each, text in zip(listed, texts, strict=True)}
        found |= NULL if "null" in types else {}
    return found


def as_mapping(value: Any) -> dict[str, Any]:
    """A mapping as it is, and a name as the mapping that it is short for."""
    if isinstance(value, dict):
        return value
    return {"type": value} if isinstance(value, str) else {}


def _in_full(schemas: Iterable[Any], value: Any) -> Any:
    """``{name: value}``, and what overrides have added to it, as the mapping of a component with its type."""
    if not isinstance(value, dict) or not value or "type" in value:
        return value
    (name, given), *added = value.items()
    is_short = any("patternProperties" in part for part in _applicable(schemas, {name: given}))
    return {**as_mapping(given), **dict(added), "type": name} if is_short else value


@cache
def _schema() -> Any:
    return json.loads(SCHEMA.read_bytes())


def _applicable(schemas: Iterable[Any], value: Any) -> Iterator[dict[str, Any]]:
    """These schemas and those in them that apply to a value; all of several alternatives."""
    for schema in schemas:
        if not isinstance(schema, dict):
            continue
        if "$ref" in schema:
            yield from _applicable([_schema()["definitions"][schema["$ref"].rpartition("/")[2]]], value)
            continue
        yield schema
        yield from _applicable([*schema.get("anyOf", ()), *schema.get("allOf", ())], value)
        if "if" in schema:
            yield from _applicable([schema.get("then" if _matches(schema["if"], value) else "else")], value)


def _matches(condition: Mapping[str, Any], value: Any) -> bool:
    """Whether a value satisfies a condition: keywords of mappings concern mappings only, as in JSON Schema."""
    if isinstance(value, str):
        return condition.get("type") != "object" and re.search(condition.get("pattern", ""), value) is not None
    if not isinstance(value, dict):
        return condition.get("type") != "object"
    keys = condition.get("properties", {})
    return (
        condition.get("minProperties", 0) <= len(value) <= condition.get("maxProperties", len(value))
        and set(condition.get("required", ())) <= set(value)
        and all(_matches(keys[key], value[key]) for key in keys if key in value)
        and all(_matches(condition.get("propertyNames", {}), key) for key in value)
    )


def _keys(schemas: Iterable[Any], value: Any) -> dict[str, Any]:
    """The keys of a mapping with their schemas, except those that are accepted but not suggested."""
    return {
        key: schema
        for each in _applicable(schemas, value)
        for key, schema in each.get("properties", {}).items()
        if isinstance(schema, dict) and not schema.get("doNotSuggest")
    }


def _scalar(value: Any) -> str:
    """A value in YAML."""
    return value if isinstance(value, str) else json.dumps(value)
