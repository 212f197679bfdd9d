"""The reference of the components."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml

from nncli.cli.render.component_reference import as_document, describe, one_line
from nncli.nn.layers.layer import Layer
from nncli.nn.losses.loss import Loss
from nncli.registry import Bounds, Component, Count, Seed, names, validated


class Required:
    """Requires values of all types, with bounds and without.

    Args:
        count: x.
        rate: x.
        name: x.
        flag: x.
        word: x.
        limit: x.
        seed: x.
        seeds: x.
        units: x.
        odd: x.
        path: x.
        columns: x.
        sizes: x.
        losses: x.
        loss: x.

    Source: a test.
    """

    def __init__(  # noqa: PLR0917
        self,
        count: int,
        rate: float,
        name: str,
        flag: bool,
        word: Literal["a", "b"],
        limit: float | None,
        seed: Seed,
        seeds: Seed | None,
        units: Count,
        odd: Annotated[int, Bounds(ge=-1)],
        path: Path,
        columns: list[str],
        sizes: list[Count],
        losses: list[Loss],
        loss: Loss,
    ) -> None:
        """Take them."""


@pytest.mark.parametrize("kind", ["layer", "loss"])
def test_example_has_a_valid_value_for_each_required_parameter(kind):
    """A value of any type, with bounds or without, alone or in a list."""
    component = Component(kind, "required", None, Required)
    example = yaml.safe_load(as_document(component)["example"])
    values = example["layers"][0] if kind == "layer" else example["loss"]
    assert values.pop("type") == "required"
    assert list(values) == [each.name for each in component.parameters]
    for each in component.parameters:
        validated(values[each.name], each.annotation)
    assert values["loss"] in names("loss")
    assert issubclass(names("layer")["dense"].target, Layer)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("count", "int", "int, required"),
        ("limit", "float, optional", "float, optional, required"),
        ("word", "a or b", "a or b, required"),
        ("units", "int", "int, required, ≥ 1"),
        ("path", "Path", "Path, required"),
        ("columns", "list of str", "list of str, required"),
        ("losses", "list of loss", "list of loss, required"),
    ],
)
def test_type_is_named_as_in_python(name, text, line):
    """int, float, str, bool, Path, the kind of a component, lists of these, and optional if null is valid."""
    (parameter,) = (each for each in Component("loss", "required", None, Required).parameters if each.name == name)
    assert (describe(parameter).type, one_line(parameter)) == (text, line)


def test_default_of_optional_parameter_is_not_printed():
    """Only that the parameter is optional."""
    parameters = {each.name: each for each in names("layer")["dense"].parameters}
    assert one_line(parameters["l1"]) == "float, optional, ≥ 0"
    assert describe(parameters["l1"]).default == "null"
