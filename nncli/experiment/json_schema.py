"""The JSON Schema of a config, for editors: what ``nncli check`` says about single keys, with a description of each.

Schemas of pydantic-core become JSON Schemas of draft 7, the newest that all editors read. The values of a kind of
component are written so that language servers complete them: they complete what the conditions of a schema let through,
and a condition with ``const`` or ``enum`` lets through each prefix of its value (the keys of ``adamw`` after ``adam``),
one with ``pattern`` does not.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import nncli.experiment.loading  # noqa: F401 (registers the components)
from nncli.config.document import EXTENSION
from nncli.config.model import Config
from nncli.config.synonyms import accepted_keys, type_pattern
from nncli.experiment.metric_columns import monitored_columns
from nncli.registry import Component, Model, components, kinds, names, parse_docstring

Schema = dict[str, Any]

DIALECT = "http://json-schema.org/draft-07/schema#"
OBJECT = {"type": "object"}
INPUTS = {"description": "number of inputs, which has to be that of the network", "type": "integer"}
LIMITS = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}


def config_as_schema() -> Schema:
    """Return the JSON Schema of a config."""
    of_kinds = {kind: _kind(kind) for kind in kinds()}
    of_components = {_definition(each): _component(each) for kind in kinds() for each in components(kind)}
    config = schema_of(Config.core())
    early_stopping = config["properties"]["training"]["properties"]["early_stopping"]
    early_stopping["properties"]["metric"] |= _enum(_monitored())
    extensions = {"patternProperties": {f"^{EXTENSION}": True}}
    return {
        "$schema": DIALECT,
        **config,
        **extensions,
        "title": "nncli config",
        "definitions": of_kinds | of_components,
    }


def schema_text() -> str:
    """The JSON Schema of a config as JSON: the content of nncli/config.schema.json."""
    return json.dumps(config_as_schema(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def schema_of(core: Any) -> Schema:
    """The JSON Schema of a schema of pydantic-core."""
    example = core.get("metadata", {}).get("example")
    return {**_GENERATORS[core["type"]](core), **({} if example is None else {"examples": [example]})}


def _number(core: Any) -> Schema:
    limits = {keyword: core[limit] for limit, keyword in LIMITS.items() if limit in core}
    return {"type": "integer" if core["type"] == "int" else "number", **limits}


def _string(core: Any) -> Schema:
    return {"type": "string", **({"minLength": core["min_length"]} if "min_length" in core else {})}


def _list(core: Any) -> Schema:
    """A list; if its items are components, the name of one is a list of one."""
    limits = {f"{limit}Items": core[f"{limit}_length"] for limit in ("min", "max") if f"{limit}_length" in core}
    items = core["items_schema"]
    schema = {"type": "array", "items": schema_of(items), **limits}
    if "kind" not in items.get("metadata", {}):
        return schema
    return {"anyOf": [schema, _name([each for each in components(items["metadata"]["kind"]) if _is_short(each)])]}


def _split(core: Any) -> Schema:
    """A data set, a part of the data as a mapping, or a fraction as a number."""
    *parts, dataset = map(schema_of, core["choices"].values())
    return {"anyOf": [dataset, *parts, parts[0]["properties"]["fraction"]]}


def _union(core: Any) -> Schema:
    """One of several schemas; of plain types one schema, for which editors have shorter messages."""
    choices = [schema_of(each) for each, _ in core["choices"]]
    if all(set(each) == {"type"} for each in choices):
        return {"type": [each["type"] for each in choices]}
    return {"anyOf": choices}


def _dict(core: Any) -> Schema:
    """A mapping with any keys."""
    bounds = {"minProperties": core["min_length"]} if "min_length" in core else {}
    return {**OBJECT, **bounds, "additionalProperties": schema_of(core["values_schema"])}


def _nullable(core: Any) -> Schema:
    """A value or null; a schema with one type gets a second one, for which editors have shorter messages."""
    inner = schema_of(core["schema"])
    if "enum" in inner:
        return {**inner, "enum": [*inner["enum"], None]}
    return {**inner, "type": [inner["type"], "null"]} if "type" in inner else {"anyOf": [inner, {"type": "null"}]}


def _default(core: Any) -> Schema:
    """A value with a default instead of an example; not with null or a model, which editors would insert."""
    default, inner = core["default"], schema_of(core["schema"])
    if default is None or isinstance(default, Model):
        return inner
    return {**{keyword: value for keyword, value in inner.items() if keyword != "examples"}, "default": default}


def _mapping(core: Any) -> Schema:
    """The keys of a model, with the meanings in its docstring."""
    meanings = parse_docstring(core["cls"].__doc__ or "").meanings
    return {"title": core["cls"].__name__.removesuffix("Config"), **_keys(core, meanings)}


def _keys(core: Any, meanings: dict[str, str]) -> Schema:
    fields = core["fields"]
    return {
        "type": "object",
        "properties": {name: _described(schema_of(field["schema"]), meanings[name]) for name, field in fields.items()},
        "required": [name for name, field in fields.items() if field["required"]],
        "additionalProperties": False,
    }


def _described(schema: Schema, meaning: str) -> Schema:
    """A schema with a description; keywords beside $ref are ignored in draft 7."""
    meaning = meaning.replace("``", "`")
    if "enum" in schema:
        return {**schema, **_meanings(schema["enum"], meaning)}
    if "enum" in (items := schema.get("items", {})):
        described = _meanings(items["enum"], meaning)
        return {"description": described.pop("description"), **schema, "items": {**items, **described}}
    return {"description": meaning, **({"anyOf": [schema]} if "$ref" in schema else schema)}


def _meanings(values: Sequence[Any], meaning: str) -> Schema:
    """The descriptions of a key and of its values, such as "the dtype. float32: 4 bytes. float64: 8 bytes."."""
    key, *texts = re.split(rf" ({'|'.join(re.escape(str(value)) for value in values)}): ", meaning)
    of_values = {"None": "the default", **dict(zip(texts[::2], texts[1::2], strict=True))}
    return {"description": key, "enumDescriptions": [of_values.get(str(value), key) for value in values]}


def _kind(kind: str) -> Schema:
    """Any component of a kind: its name if no key is required, or a mapping with ``type``, or with its name as key."""
    of_kind = components(kind)
    short = [each for each in of_kind if _is_short(each)]
    of_type = {"description": f"name of the {kind}", **_name(of_kind)}
    keys = [
        {"if": {"required": ["type"], "properties": {"type": _accepted([each])}}, "then": _reference(each)}
        for each in of_kind
    ]
    return {
        "title": kind,
        "anyOf": [*([_name(short)] if short else []), {"title": kind, **OBJECT}],
        "if": OBJECT,
        "then": {
            "title": kind,
            "properties": {"type": of_type},
            "if": {"minProperties": 1, "maxProperties": 1, "propertyNames": _accepted(of_kind)},
            "then": {"patternProperties": {_accepted([each])["pattern"]: _named(each) for each in of_kind}},
            "else": {"title": kind, "required": ["type"], "allOf": keys},
        },
    }


def _named(component: Component) -> Schema:
    """The value in {name: value}: all other keys, or that of the only required one."""
    required = [each.name for each in component.parameters if each.default is ...]
    keys = {"allOf": [_reference(component)], "properties": {"type": False}}
    only = _component(component)["properties"][required[0]] if len(required) == 1 else {"type": "null"}
    return {"if": OBJECT, "then": keys, "else": {**only, "not": {"type": "array"}} if len(required) < 2 else False}


def _is_short(component: Component) -> bool:
    """Whether the name alone says all of a component."""
    return all(each.default is not ... for each in component.parameters)


def _name(of_kind: Sequence[Component]) -> Schema:
    """The name of one of these components; other names that are accepted too are not listed."""
    listed = _enum({each.name: each.documentation.summary for each in of_kind})
    return {"anyOf": [{"title": of_kind[0].kind, **listed}, _accepted(of_kind)]}


def _accepted(of_kind: Sequence[Component]) -> Schema:
    """A string that is accepted as the name of one of these components."""
    kind = of_kind[0].kind
    patterns = [type_pattern(kind, name) for name, each in names(kind).items() if each in of_kind]
    return {"title": kind, "type": "string", "pattern": "|".join(patterns)}


def _component(component: Component) -> Schema:
    """The keys of a component, also by the names of the book; its kind says what ``type`` may be."""
    keys = _keys(component.schema["schema"], {"type": "", **component.documentation.meanings})
    schema = {"title": f"{component.name} ({component.kind})", **keys}
    schema["properties"]["type"] = True
    further = accepted_keys(component.kind, component.name)
    return _with_further_keys(schema, further) if further else schema


def _with_further_keys(schema: Schema, further: dict[str, str | None]) -> Schema:
    """Keys that are accepted but not offered: each stands for another one, or for a number of inputs."""
    properties, required = schema["properties"], set(schema["required"])
    meant = {key: properties[name] if name else INPUTS for key, name in further.items()}
    either = [
        {
            "if": {"required": [key]},
            "then": {"properties": {name: False}},
            "else": {"required": [name]} if name in required else {},
        }
        for key, name in further.items()
        if name
    ]
    return {
        **schema,
        "properties": properties | {key: {**each, "doNotSuggest": True} for key, each in meant.items()},
        "required": sorted(required - set(further.values())),
        "allOf": either,
    }


def _definition(component: Component) -> str:
    return f"{component.kind}_{component.name}"


def _reference(to: Component) -> Schema:
    return {"$ref": f"#/definitions/{_definition(to)}"}


def _enum(meanings: dict[str, str]) -> Schema:
    """One of several values, each with its description in the keyword that language servers read."""
    return {"enum": list(meanings), "enumDescriptions": list(meanings.values())}


def _monitored() -> dict[str, str]:
    """The columns that early stopping can monitor, with descriptions."""
    metrics = {each.name: each.documentation.summary for each in components("metric")}
    return {
        each.header: f"{metrics.get(each.name, each.role.value).rstrip('.')}; on the {each.split} set"
        for each in monitored_columns()
    }


_GENERATORS: dict[str, Callable[[Any], Schema]] = {
    "any": lambda _: {},
    "bool": lambda _: {"type": "boolean"},
    "default": _default,
    "dict": _dict,
    "float": _number,
    "function-after": lambda core: schema_of(core["schema"]),
    "function-plain": lambda core: {"$ref": f"#/definitions/{core['metadata']['kind']}"},
    "int": _number,
    "list": _list,
    "literal": lambda core: {"enum": core["expected"]} if len(core["expected"]) > 1 else {"const": core["expected"][0]},
    "nullable": _nullable,
    "str": _string,
    "tagged-union": _split,
    "typed-dict": _mapping,
    "union": _union,
}
