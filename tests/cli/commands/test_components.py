"""``nncli components``: everything that the registry knows."""

import json

import pytest

import nncli.experiment.loading  # noqa: F401 (registers them)
from nncli.cli.render.component_reference import describe
from nncli.config.json_schema import config_as_schema
from nncli.config.model import Config
from nncli.registry import components, kinds, names

ALL = [entry for kind in kinds() for entry in components(kind)]
IDS = [f"{entry.kind}-{entry.name}" for entry in ALL]


@pytest.mark.parametrize("entry", ALL, ids=IDS)
@pytest.mark.parametrize("form", [[], ["--markdown"]])
def test_every_component_is_named_with_its_parameters(run_cli, monkeypatch, entry, form):
    """Name, the book's name, what it is, and each parameter with default and range."""
    monkeypatch.setenv("COLUMNS", "200")
    result = run_cli("components", entry.kind, *form)
    assert (result.code, result.err) == (0, "")
    assert entry.name in result.out
    assert (entry.alias or "") in result.out
    assert entry.summary in result.out
    for each in map(describe, entry.parameters):
        words = (each.name, each.type, each.default or "required", each.range)
        assert any(all(word in line for word in words) for line in result.out.splitlines()), each.name


@pytest.mark.parametrize("kind", kinds())
def test_a_kind_shows_its_own_only(run_cli, kind):
    """One kind's components, all of them, in the order of their registration."""
    document = json.loads(run_cli("components", kind, "--json").out)
    assert [(each["kind"], each["name"]) for each in document] == [(kind, entry.name) for entry in components(kind)]


def test_without_a_kind_everything_is_shown(run_cli):
    """Every kind has its heading, and every component its line."""
    out = run_cli("components").out
    assert [line for line in out.splitlines() if line and not line.startswith(" ")] == list(kinds())
    assert [line.split()[0] for line in out.splitlines() if line.startswith("  ") and line[2] != " "] == [
        entry.name for entry in ALL
    ]


def test_json_is_what_the_registry_says(run_cli):
    """Every component with every parameter, and nothing on standard error."""
    result = run_cli("components", "--json")
    document = json.loads(result.out)
    assert result.err == ""
    assert [(each["kind"], each["name"], each["alias"], each["summary"]) for each in document] == [
        (entry.kind, entry.name, entry.alias, entry.summary) for entry in ALL
    ]
    for each, entry in zip(document, ALL, strict=True):
        assert [parameter["name"] for parameter in each["parameters"]] == [known.name for known in entry.parameters]


@pytest.mark.parametrize("entry", ALL, ids=IDS)
def test_every_parameter_is_explained(entry):
    """No parameter is listed without its type and its meaning."""
    assert entry.summary
    assert all(each.type and each.meaning for each in map(describe, entry.parameters))


def strings(value):
    """Every key and every text in a JSON document."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


def test_the_json_schema_lists_every_section():
    """It can be written as JSON, and asks for what a spec must have."""
    data_record = json.loads(json.dumps(config_as_schema(), allow_nan=False))
    assert set(data_record["properties"]) == set(Config.model_fields)
    assert set(data_record["required"]) == {"data", "layers", "loss", "optimizer", "training"}
    assert data_record["additionalProperties"] is False
    assert data_record["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("kind", kinds())
def test_the_json_schema_lists_every_component(kind):
    """By our name and the book's, with all its parameters."""
    known = set(strings(config_as_schema()))
    assert set(names(kind)) <= known
    assert {parameter.name for entry in components(kind) for parameter in entry.parameters} <= known


def test_the_json_schema_has_bounds_defaults_and_examples():
    """What a signature says of an argument is what an editor is told, also where a component is among the arguments."""
    dense = config_as_schema()["$defs"]["Dense"]
    assert dense["required"] == ["units"]
    assert dense["properties"]["type"] == {"const": "dense", "default": "dense", "title": "Type", "type": "string"}
    assert dense["properties"]["units"] == {"examples": [64], "minimum": 1, "title": "Units", "type": "integer"}
    choices = dense["properties"]["initializer"]["anyOf"]
    assert choices[0] == {"enum": ["normal", "he", "glorot"], "type": "string"}
    assert {"$ref": "#/$defs/He"} in choices[1]["oneOf"]
    assert choices[2] == {"type": "null"}


def test_the_schema_knows_every_component(run_cli):
    """A JSON Schema in which every component that a spec may name, and each of its keys, occurs."""
    schema = json.loads(run_cli("components", "--schema").out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"data", "layers", "loss", "optimizer", "training"} <= set(schema["required"])
    for entry in ALL:
        model = schema["$defs"][entry.target.__name__]
        assert model["additionalProperties"] is False
        assert set(model["properties"]) == {"type", *(each.name for each in entry.parameters)}


def test_an_unknown_kind_is_told_with_those_there_are(run_cli):
    """Exit code 2."""
    result = run_cli("components", "layers")
    assert (result.code, result.out) == (2, "")
    assert result.err == f"unknown kind 'layers'; known: {', '.join(kinds())}\n"
