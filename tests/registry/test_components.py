"""Names, components, and what a signature says."""

from typing import Annotated, ClassVar, Literal

import pytest
from pydantic_core import ValidationError

import nncli.experiment.loading  # noqa: F401 (registers all components)
from nncli import registry
from nncli.cli.render.component_reference import describe
from nncli.nn.optimizers.adam import Adam
from nncli.registry import Bounds, Component, Count, Model, Positive, components, names, register


class Sample:
    """What it does.

    Args:
        units: how many.
        rate: how fast,
            at first.
    """

    def __init__(
        self,
        units: Count,
        rate: Positive | None = None,
        mode: Literal["fast", "slow"] = "fast",
        label: str = "x",
        size: Annotated[int, Bounds(multiple_of=2, le=8)] = 4,
        wide: bool = False,
    ):
        self.given = (units, rate, mode, label, size, wide)


class Heir(Sample):
    """The same with another first sentence."""


@pytest.mark.parametrize("target", [Sample, Heir])
def test_parameters_are_those_of_the_signature(target):
    """Name, type, default, range and meaning of each argument, also of a constructor that is inherited."""
    assert list(map(describe, Component("x", "x", None, target).parameters)) == [
        ("units", "whole number", "", "≥ 1", "how many."),
        ("rate", "number or null", "null", "> 0", "how fast, at first."),
        ("mode", "fast or slow", "fast", "", ""),
        ("label", "text", "x", "", ""),
        ("size", "whole number", "4", "≤ 8", ""),
        ("wide", "true or false", "false", "", ""),
    ]


@pytest.mark.parametrize("target", [Sample, Heir])
def test_the_constructor_is_the_schema(target):
    """What the model takes is what the constructor gets; what it refuses never reaches it."""
    model = Component("x", "sample", None, target).model
    assert model.model_validate({"type": "sample", "units": 3, "size": 2}).build().given == (
        3,
        None,
        "fast",
        "x",
        2,
        False,
    )
    for wrong in ({}, {"units": 0}, {"units": 1, "size": 3}, {"units": 1, "mode": "idle"}, {"units": 1, "more": 1}):
        with pytest.raises(ValidationError):
            model.model_validate({"type": "sample", **wrong})


class Point(Model):
    """A model with a default."""

    x: Count
    tags: list[str] | None = None


class Place(Point):
    """A model with one more name than its base."""

    component: ClassVar[str] = "none"
    y: Count = 5


def test_a_model_has_the_names_of_its_base():
    """And no variable of its class; it is not equal to a model of another class with the same values."""
    assert list(Place.model_fields) == ["x", "tags", "y"]
    assert Place.model_validate({"x": 1}).model_dump() == {"x": 1, "tags": None, "y": 5}

    class Other(Model):
        x: Count
        tags: list[str] | None = None

    assert Point(x=1) == Point(x=1) != Other(x=1)


def test_an_annotation_that_says_nothing_to_a_spec_is_named():
    """Who adds a component learns which argument's annotation is not known."""

    class Odd:
        def __init__(self, sizes: tuple[int, int] = (1, 2)):
            self.sizes = sizes

    with pytest.raises(TypeError, match=r"no config can be checked by the annotation tuple\[int, int\]"):
        Component("x", "odd", None, Odd).model.model_validate({})


def test_a_model_does_not_change():
    """A copy may have other values; the names stay those of the class, in their order."""
    point = Point(x=1)
    with pytest.raises(AttributeError, match="does not change"):
        point.x = 2
    changed = point.model_copy(update={"tags": ["a"], "x": 3})
    assert (point.model_dump(), changed.model_dump()) == ({"x": 1, "tags": None}, {"x": 3, "tags": ["a"]})
    assert list(changed.model_dump()) == ["x", "tags"]
    assert point == Point.model_validate({"x": 1}) != changed


@pytest.mark.parametrize("values", [{}, {"tags": []}, {"x": 1, "y": 2}])
def test_a_model_needs_its_names(values):
    """A program that leaves one out, or knows another, is told the names there are."""
    with pytest.raises(TypeError, match="Point: a name is missing or unknown; it has x, tags"):
        Point(**values)


@pytest.mark.parametrize("wrong", [{"x": True}, {"x": 1.0}, {"x": "1"}, {"x": 1, "tags": [1]}, {"x": 1, "y": 2}, 1])
def test_a_model_is_strict(wrong):
    """Nothing is taken for something near it, at any depth, and no other name is passed over."""
    with pytest.raises(ValidationError):
        Point.model_validate(wrong)


@pytest.mark.parametrize(("name", "alias"), [("adam", None), ("other", "Optimizer_Adam"), ("Optimizer_SGD", None)])
def test_no_name_is_given_twice(name, alias):
    """A name that is taken, as a name or as the book's, is an error that names both classes; nothing is replaced."""
    with pytest.raises(ValueError, match=r"registered twice: (Adam|SGD) and Copy"):
        register(name, alias)(type("Copy", (Adam,), {}))
    assert names("optimizer")["adam"].target is Adam


def test_a_class_of_no_kind_is_refused():
    """A component has to descend from the base of its family."""
    with pytest.raises(ValueError, match="descends from no base class"):
        register("sample")(Sample)


def test_an_empty_registry_says_what_to_import():
    """Whoever asks before the components are there is told how they get there."""
    with pytest.raises(LookupError, match=r"import nncli\.nn and nncli\.data first"):
        components("colour")


def test_every_kind_has_components():
    """The kinds are those of the plan, and each has members."""
    assert set(registry.kinds()) == {
        "layer",
        "loss",
        "optimizer",
        "initializer",
        "dataset",
        "metric",
        "schedule",
        "clipping",
    }
    assert all(components(kind) for kind in registry.kinds())
