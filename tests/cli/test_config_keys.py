"""The keys and values of a config: those of the JSON Schema are those of the registry."""

import pytest

import nncli.experiment.loading  # noqa: F401 (registers the components)
from nncli.cli.config_keys import at, components, continued, kinds, values
from nncli.registry import components as registered
from nncli.registry import kinds as registered_kinds


def keys(schemas, value):
    """The keys without the characters that can follow them."""
    return list(dict.fromkeys(key.rstrip("=.[") for key in continued(schemas, value)))


def schema_of(kind):
    return [{"$ref": f"#/definitions/{kind}"}]


def test_kinds_and_components_are_those_of_the_registry():
    """The names of both, in the order of the registry."""
    assert kinds() == list(registered_kinds())
    for kind in kinds():
        assert list(components(kind)) == [each.name for each in registered(kind)]


@pytest.mark.parametrize("component", [each for kind in registered_kinds() for each in registered(kind)])
def test_keys_of_a_component_are_its_parameters(component):
    """Under its name, and under its name in the book."""
    for name in filter(None, (component.name, component.alias)):
        expected = ["type", *(each.name for each in component.parameters)]
        assert keys(schema_of(component.kind), {"type": name}) == expected


def test_component_without_type_has_only_that_key():
    """Its other keys depend on it."""
    for kind in kinds():
        assert keys(schema_of(kind), {}) == ["type"]


def test_characters_after_a_key_are_those_of_its_value():
    """An equals sign before a value, a dot before a mapping, a bracket before a list."""
    schemas, value = at(["training"], {"training": {"epochs": 3}})
    found = continued(schemas, value)
    assert {"epochs=", "early_stopping."} <= set(found)
    assert not {"epochs.", "epochs["} & set(found)
    assert {"layers[", "optimizer.", "optimizer=", "seed="} <= set(continued(*at([], {})))


@pytest.mark.parametrize(
    ("path", "config", "expected"),
    [
        (["rng"], {}, ["derived", "nnfs"]),
        (["optimizer", "learning_rate"], {"optimizer": "adam"}, []),
        (["layers", 0, "initializer", "type"], {"layers": [{"type": "dense"}]}, ["normal", "he", "glorot"]),
        (["layers", 7, "type"], {"layers": ["relu"]}, list(components("layer"))),
        (["nonsense", "more"], {"nonsense": 3}, []),
        (["layers", "units"], {"layers": [1]}, []),
        (["seed", 0], {"seed": 3}, []),
    ],
)
def test_values_at_a_path(path, config, expected):
    """Those that are listed; none for numbers, and none where the config has no such place."""
    schemas, value = at(path, config)
    assert list(values(schemas, value)) == expected


@pytest.mark.parametrize("path", [["validation"], ["schedule"], ["clipping"], ["training", "early_stopping"]])
def test_value_that_can_be_unset_has_null(path):
    """It is among the values, with what it means."""
    assert values(*at(path, {}))["null"] == "not set"


def test_true_and_false_are_values_of_a_boolean():
    """They are written as in YAML, and numbers that equal them are not."""
    assert list(values([{"type": "boolean"}], None)) == ["true", "false"]
    assert list(values([{"enum": [1, 0, None]}], None)) == ["1", "0", "null"]


@pytest.mark.parametrize(("index", "value"), [(0, "relu"), (1, None), (9, None)])
def test_item_beyond_the_end_of_a_list_has_no_value(index, value):
    """Its schema is that of every item."""
    schemas, found = at(["layers", index], {"layers": ["relu"]})
    assert (found, keys(schemas, {})) == (value, ["type"])
