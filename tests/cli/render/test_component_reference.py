"""The components as documents."""

from typing import Annotated, Literal

import pytest
import yaml

from nncli.cli.render.component_reference import as_document
from nncli.nn.layers.layer import Layer
from nncli.nn.losses.loss import Loss
from nncli.registry import Bounds, Component, Count, Seed, names, validated


class Needing:
    """Needs values without bounds.

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
        loss: Loss,
    ) -> None:
        """Take them."""


@pytest.mark.parametrize("kind", ["layer", "loss"])
def test_an_example_has_a_right_value_for_all_that_is_required(kind):
    """Of any type, with bounds or without."""
    component = Component(kind, "needing", None, Needing)
    example = yaml.safe_load(as_document(component)["example"])
    given = example["layers"][0] if kind == "layer" else example["loss"]
    assert given.pop("type") == "needing"
    assert list(given) == [each.name for each in component.parameters]
    for each in component.parameters:
        validated(given[each.name], each.annotation)
    assert given["loss"] in names("loss")
    assert issubclass(names("layer")["dense"].target, Layer)
