"""Validated models, and the annotations that they support."""

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic_core import ValidationError

from nncli.registry import Count, Model, core_of, validated


class Point(Model):
    """A model with a default."""

    x: Count
    tags: list[str] | None = None


class LabeledPoint(Point):
    """A subclass with one more field and a class variable."""

    component: ClassVar[str] = "none"
    y: Count = 5


def test_model_has_the_fields_of_its_base():
    """Class variables are no fields; instances of different classes are not equal, whatever their values."""
    assert list(LabeledPoint.model_fields) == ["x", "tags", "y"]
    assert LabeledPoint.model_validate({"x": 1}).model_dump() == {"x": 1, "tags": None, "y": 5}

    class Pixel(Model):
        x: Count
        tags: list[str] | None = None

    assert Point(x=1) == Point(x=1) != Pixel(x=1)


def test_model_is_immutable():
    """A copy may have other values; the fields stay those of the class, in order."""
    point = Point(x=1)
    with pytest.raises(AttributeError, match="a Point is immutable"):
        point.x = 2
    changed = point.model_copy(update={"tags": ["a"], "x": 3})
    assert (point.model_dump(), changed.model_dump()) == ({"x": 1, "tags": None}, {"x": 3, "tags": ["a"]})
    assert list(changed.model_dump()) == ["x", "tags"]
    assert point == Point.model_validate({"x": 1}) != changed


@pytest.mark.parametrize("values", [{}, {"tags": []}, {"x": 1, "y": 2}])
def test_constructor_requires_the_fields(values):
    """A missing or unknown field is a TypeError that lists the fields."""
    with pytest.raises(TypeError, match="Point: a field is missing or unknown; the fields are x, tags"):
        Point(**values)


@pytest.mark.parametrize("wrong", [{"x": True}, {"x": 1.0}, {"x": "1"}, {"x": 1, "tags": [1]}, {"x": 1, "y": 2}, 1])
def test_validation_is_strict(wrong):
    """No value is converted to another type, at any depth, and no unknown key is ignored."""
    with pytest.raises(ValidationError):
        Point.model_validate(wrong)


def test_path_is_made_of_a_string():
    """A YAML string becomes a Path, and a Path is dumped as a string."""

    class File(Model):
        path: Path
        others: list[Path] | None = None

    file = File.model_validate({"path": "data/iris.csv", "others": ["a", "b"]})
    assert (file.path, file.others) == (Path("data/iris.csv"), [Path("a"), Path("b")])
    assert file.model_dump() == {"path": "data/iris.csv", "others": ["a", "b"]}
    assert File.model_validate(file.model_dump()) == file


@pytest.mark.parametrize("wrong", [1, 1.5, True, None, "", ["a"], {"a": 1}, b"a", Path("a")])
def test_path_is_made_of_nothing_else(wrong):
    """Another type, or an empty string, is no path."""
    with pytest.raises(ValidationError):
        validated(wrong, Path)


@pytest.mark.parametrize(
    ("annotation", "valid", "wrong"),
    [
        (list[str], ["a", "b"], ["a", 1]),
        (list[Count], [1, 2], [1, 0]),
        (list[float], [1, 0.5], [1, "x"]),
        (list[list[bool]], [[True], []], [[1]]),
        (dict[str, int], {"a": 1}, {"a": "1"}),
        (int | str, "x", 0.5),
    ],
)
def test_items_of_a_list_are_validated(annotation, valid, wrong):
    """As are the values of a mapping, and the alternatives of a union."""
    assert validated(valid, annotation) == valid
    with pytest.raises(ValidationError):
        validated(wrong, annotation)


@pytest.mark.parametrize("annotation", [tuple[int, int], complex, set[str], bytes])
def test_unsupported_annotation_is_named(annotation):
    """An error of who adds a component, not of who writes a config."""
    with pytest.raises(TypeError, match="annotation"):
        core_of(annotation)
