"""The JSON Schema of a config: it accepts what ``nncli check`` accepts, and describes every key and value."""

import json
import re
from collections import Counter
from pathlib import Path
from types import EllipsisType
from typing import Annotated, Any, Literal, NamedTuple

import jsonschema
import pytest
import yaml
from pydantic_core import ValidationError

from nncli.config.diagnostics import SourceText
from nncli.config.document import read
from nncli.config.model import Config, EarlyStoppingConfig, Regularization, TrainingConfig
from nncli.config.validation import validate
from nncli.errors import ConfigError
from nncli.experiment.json_schema import config_as_schema, schema_of, schema_text
from nncli.experiment.loading import checked, load_mapping, parse
from nncli.experiment.metric_columns import known_columns
from nncli.registry import Bounds, Model, components, kinds, validated
from tests.conftest import ROOT, SPEC
from tests.experiment.config_mutants import Mutator, configs

SCHEMA = config_as_schema()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
AT_BOUNDS = (-1, -1e-300, 0, 1e-300, 0.5, 1 - 1e-15, 1, 1 + 1e-15, 2, 255, 256, 1024, 1025, 10**6, 10**6 + 1)
AT_BOUNDS += (2**32 - 1, 2**32, 1e9 + 0.5, True, None, [], {})
ALL = [entry for kind in kinds() for entry in components(kind)]


class Verdict(NamedTuple):
    """What ``check`` says about a config.

    Args:
        sections: the sections with errors in single keys.
        floats: those of them with no other error than 3.0 instead of 3, which JSON does not tell apart.
        across: whether there are errors that no single key has: those that are found in a config without others.
    """

    sections: set
    floats: set
    across: bool = False


def verdict_of(config):
    """The verdict of ``check``."""
    document = parse("mutant", json.dumps(config).encode())
    errors = validate(document)[1]
    if errors:
        others = {section_of(each, document.root) for each in errors if not is_float(each, document.root)}
        sections = {section_of(each, document.root) for each in errors}
        return Verdict(sections | missing_sections(errors, document.root), sections - others)
    try:
        checked(document)
    except ConfigError:
        return Verdict(set(), set(), across=True)
    return Verdict(set(), set())


def section_of(diagnostic, root):
    """The section of an error; the empty text for an unknown or missing section, which is an error of the whole."""
    return diagnostic.path[0] if diagnostic.path and diagnostic.path[0] in root.children else ""


def missing_sections(errors, root):
    """The whole, if the keys of a missing section are in another one, where alone ``check`` reports it."""
    meant = {found[1] for each in errors if (found := re.search(r"; it belongs in (\w+);", each.message))}
    return {""} if meant & set(SCHEMA["required"]) - set(root.children) else set()


def is_float(diagnostic, root):
    """Whether the error is a float without a fractional part instead of an integer."""
    value = root.find(diagnostic.path).value
    return "must be an integer" in diagnostic.message and isinstance(value, float) and value.is_integer()


def sections_that_the_schema_refuses(config):
    """The sections in which a config does not follow the schema."""
    return {error.path[0] if error.path else "" for error in VALIDATOR.iter_errors(config)}


def compared(config):
    """How ``check`` and schema compare on a config; ``agree`` if in the same sections."""
    refused = sections_that_the_schema_refuses(config)
    check = verdict_of(config)
    if check.across and not refused:
        return "across keys"
    if check.across and refused == {"training"}:  # a metric that is not known at all, which ``check`` finds across keys
        return "agree: refused"
    if check.sections == refused:
        return f"agree: {'refused' if refused else 'accepted'}"
    return "float instead of an integer" if check.sections - check.floats == refused else "disagree"


def compare(count, seed):
    """Compare different mutants; return the number of each result, and the mutants on which the two disagree."""
    mutator, seen, counts, disagreements = Mutator(seed), set(), Counter(), []
    while len(seen) < count:
        mutant = mutator.mutant()
        if (text := json.dumps(mutant)) not in seen:
            seen.add(text)
            result = compared(mutant)
            counts[result] += 1
            disagreements += [text] if result == "disagree" else []
    return counts, disagreements


@pytest.mark.slow
def test_agrees_with_check_on_a_hundred_mutants():
    """Schema and ``check`` refuse the same sections."""
    assert compare(100, seed=1)[1] == []


@pytest.mark.slow
def test_agrees_with_check_on_two_thousand_mutants():
    """Schema and ``check`` refuse the same sections, and the mutants are many of each sort."""
    counts, disagreements = compare(2000, seed=0)
    print(dict(counts))
    assert disagreements == []
    assert min(counts["agree: accepted"], counts["agree: refused"]) > 400
    assert counts["across keys"] + counts["float instead of an integer"] < 300


@pytest.mark.parametrize("config", [*configs(), yaml.safe_load(SPEC)], ids=lambda config: config["optimizer"]["type"])
def test_accepts_the_example_configs(config):
    """No false alarm."""
    assert sections_that_the_schema_refuses(config) == set()


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_accepts_every_name_of_a_component(entry):
    """Name and alias, with all keys that have an example or a default, and no key of another component."""
    of_kind = jsonschema.Draft7Validator({"$ref": f"#/definitions/{entry.kind}", **SCHEMA})
    properties = SCHEMA["definitions"][f"{entry.kind}_{entry.name}"]["properties"]
    listed = [key for key, each in properties.items() if each is True or "doNotSuggest" not in each]
    assert set(listed) == {"type", *(each.name for each in entry.parameters)}
    required = SCHEMA["definitions"][f"{entry.kind}_{entry.name}"]["required"]
    known = {key: properties[key] for key in listed if properties[key] is not True}
    values = {key: each for key, each in known.items() if key in required or {"default", "examples"} & each.keys()}
    values = {key: each["anyOf"][0] if "anyOf" in each and key in required else each for key, each in values.items()}
    right = {
        key: each.get("default", each.get("examples", [1])[0]) for key, each in values.items() if "anyOf" not in each
    }
    for name in filter(None, (entry.name, entry.alias)):
        assert of_kind.is_valid({"type": name, **right})
        assert not of_kind.is_valid({"type": name, **right, "other": 1})
        assert of_kind.is_valid(name) == all(each.default is not ... for each in entry.parameters)
        assert not of_kind.is_valid(f"{name}x")


def parameters():
    """Every parameter of every component and every key of a section, with its JSON Schema."""
    for entry in ALL:
        properties = SCHEMA["definitions"][f"{entry.kind}_{entry.name}"]["properties"]
        yield from (
            pytest.param(each, properties[each.name], id=f"{entry.name}-{each.name}") for each in entry.parameters
        )
    training = SCHEMA["properties"]["training"]["properties"]
    for model, properties in (
        (Config, SCHEMA["properties"]),
        (Regularization, SCHEMA["properties"]["regularization"]["properties"]),
        (TrainingConfig, training),
        (EarlyStoppingConfig, training["early_stopping"]["properties"]),
    ):
        for key, parameter in model.model_fields.items():
            if "anyOf" not in properties[key]:  # no component, whose short forms are normalized before validation
                yield pytest.param(parameter, properties[key], id=f"{model.__name__}-{key}")


@pytest.mark.parametrize(("parameter", "schema"), list(parameters()))
def test_has_the_default_and_the_bounds_of_the_signature(parameter, schema):
    """A default is written unless it is null or a section; values at the bounds are right for both or none."""
    assert schema.get("default") == (None if isinstance(parameter.default, Model | EllipsisType) else parameter.default)
    validator = jsonschema.Draft7Validator({**schema, "definitions": SCHEMA["definitions"]})
    for value in AT_BOUNDS:
        try:
            validated(value, parameter.annotation)
            right = True
        except ValidationError:
            right = False
        assert validator.is_valid(value) == right, value


@pytest.mark.parametrize("column", [each.header for each in known_columns()])
def test_early_stopping_monitors_what_check_accepts(column):
    """A column of metrics.csv is refused by both or by none, whatever the task needs beside it."""
    config = {**yaml.safe_load(SPEC), "training": {"epochs": 9, "early_stopping": {"metric": column, "patience": 5}}}
    try:
        load_mapping(config)
        unknown = False
    except ConfigError as error:
        unknown = "unknown metric" in str(error)
    assert ("training" in sections_that_the_schema_refuses(config)) == unknown


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("type: adam,", "type: Adam,"),
        ("- relu", "- LeakyReLU"),
        ("{type: dense, units: 8}", "{dense: 8}"),
        ("{type: dense, units: 8}", "{dense: {units: 8, l2: 0.1}}"),
        ("{type: dense, units: 8}", "{type: Layer_Dense, n_neurons: 8, n_inputs: 2}"),
        ("- relu", "- {relu: }"),
        ("{type: spiral, samples: 20}", "0.2"),
        ("[accuracy]", "accuracy"),
        ("epochs: 30", "epochs: 3e1"),
        ("seed: 0", "seed: 0\nx-common: [1]"),
    ],
)
def test_accepts_other_forms_of_a_value(old, new):
    """What ``check`` accepts in a form that it normalizes."""
    text = SPEC.replace(old, new)
    assert text != SPEC
    assert compared(read(SourceText("", text)).root.plain()) == "agree: accepted"


@pytest.mark.parametrize(
    "layer",
    [
        {"dense": {"type": "dense", "units": 8}},
        {"dense": [8]},
        {"dense": None},
        {"dens": 8},
        {"dense": 8, "l2": 0.1},
        {"type": "dense", "units": 8, "n_neurons": 8},
        {"type": "dense", "n_neurons": 8, "n_inputs": "x"},
        {"relu": 1},
        {"relu": {"units": 1}},
        "Linear ",
    ],
)
def test_refuses_wrong_forms_of_a_layer(layer):
    """As ``check`` does."""
    assert compared({**yaml.safe_load(SPEC), "layers": [layer, "softmax"]}) == "agree: refused"


def schemas(schema):
    """Every schema within a schema that is not a condition."""
    yield schema
    for keyword in ("anyOf", "allOf"):
        for inner in schema.get(keyword, ()):
            yield from schemas(inner)
    for keyword in ("properties", "definitions"):
        for inner in schema.get(keyword, {}).values():
            yield from schemas(inner) if isinstance(inner, dict) else ()
    for keyword in {"then", "items"} & set(schema):
        yield from schemas(schema[keyword])


def test_describes_every_key_and_value():
    """Each key has a description, and each listed value too; some editors refuse an empty list of values."""
    keys = [(key, each) for schema in schemas(SCHEMA) for key, each in schema.get("properties", {}).items()]
    assert len(keys) > 100
    assert [key for key, each in keys if not isinstance(each, bool) and not each["description"]] == []
    enums = [schema for schema in schemas(SCHEMA) if "enum" in schema]
    assert len(enums) > 10
    for schema in enums:
        assert schema["enum"]
        assert all(schema["enumDescriptions"])
        assert len(schema["enumDescriptions"]) == len(schema["enum"])


def test_conditions_have_patterns():
    """A language server takes a value for a prefix of ``const`` and ``enum``, so that no condition has one."""
    conditions = [
        json.dumps(each["if"])
        for schema in schemas(SCHEMA)
        for each in (schema, *schema.get("allOf", ()))
        if "if" in each
    ]
    assert len(conditions) > 20
    assert not [each for each in conditions if "const" in each or "enum" in each]


def test_has_the_sections_of_a_config():
    """All keys, of which five are required; it is a valid schema."""
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert list(SCHEMA["properties"]) == list(Config.model_fields)
    assert set(SCHEMA["required"]) == {"data", "layers", "loss", "optimizer", "training"}


def test_package_has_the_schema_as_a_file():
    """The file that editors read is that of this version."""
    text = (ROOT / "nncli" / "config.schema.json").read_text(encoding="utf-8")
    assert text == schema_text(), "run nncli schema > nncli/config.schema.json"


def test_every_annotation_has_a_schema():
    """Each type that a constructor can have for a parameter becomes a JSON Schema."""

    class Everything(Model):
        """A model.

        Args:
            flag: a flag.
            path: a path.
            text: a text.
            table: a table.
            anything: anything.
            either: one of two.
            few: up to three.
            mode: how. a: first. b: second.
        """

        flag: bool
        path: Path
        text: str | None = None
        table: dict[str, float] | None = None
        anything: Any = None
        either: int | str = 3
        few: Annotated[list[int], Bounds(max_length=3)]
        mode: Literal["a", "b"] | None = None

    schema = schema_of(Everything.core())
    keys = {
        key: {name: value for name, value in each.items() if name != "description"}
        for key, each in schema["properties"].items()
    }
    assert schema["required"] == ["flag", "path", "few"]
    assert keys == {
        "flag": {"type": "boolean"},
        "path": {"type": "string", "minLength": 1},
        "text": {"type": ["string", "null"]},
        "table": {"type": ["object", "null"], "additionalProperties": {"type": "number"}},
        "anything": {},
        "either": {"type": ["integer", "string"], "default": 3},
        "few": {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
        "mode": {"enum": ["a", "b", None], "enumDescriptions": ["first.", "second.", "the default"]},
    }
