"""Registered components, and their configs."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic_core import ValidationError

import nncli.experiment.loading  # noqa: F401 (registers all components)
from nncli import registry
from nncli.cli.render.component_reference import describe
from nncli.nn.initializers import He, Initializer, Normal
from nncli.nn.layers.layer import Layer
from nncli.nn.optimizers.adam import Adam
from nncli.registry import Bounds, Component, Count, Positive, components, names, register


class Sample:
    """A class with parameters of several types.

    Args:
        units: number of units.
        rate: rate at
            the first update.
        mode: speed.
        label: text.
        size: even number.
        wide: breadth.
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
        self.values = (units, rate, mode, label, size, wide)


class Subclass(Sample):
    """The constructor is inherited."""


class Table:
    """A class that takes a file and lists, as a data source does."""

    def __init__(self, path: Path, columns: list[str], starts: list[Initializer] | None = None):
        self.path, self.columns, self.starts = path, columns, starts


@pytest.mark.parametrize("target", [Sample, Subclass])
def test_parameters_are_those_of_the_constructor(target):
    """Name, type, default, range and meaning of each parameter, also of an inherited constructor."""
    assert list(map(describe, Component("x", "x", None, target).parameters)) == [
        ("units", "int", "", "≥ 1", "number of units."),
        ("rate", "float, optional", "null", "> 0", "rate at the first update."),
        ("mode", "fast or slow", "fast", "", "speed."),
        ("label", "str", "x", "", "text."),
        ("size", "int", "4", "≤ 8", "even number."),
        ("wide", "bool", "false", "", "breadth."),
    ]


@pytest.mark.parametrize("target", [Sample, Subclass])
def test_constructor_is_the_schema(target):
    """The constructor gets what the model accepts, and never what the model refuses."""
    model = Component("x", "sample", None, target).model
    component = model.model_validate({"type": "sample", "units": 3, "size": 2}).build()
    assert component.values == (3, None, "fast", "x", 2, False)
    for wrong in ({}, {"units": 0}, {"units": 1, "size": 3}, {"units": 1, "mode": "idle"}, {"units": 1, "more": 1}):
        with pytest.raises(ValidationError):
            model.model_validate({"type": "sample", **wrong})


def test_components_in_a_list_are_built():
    """A list of components may mix names and mappings; paths and lists of scalars arrive as they are."""
    model = Component("x", "table", None, Table).model
    starts = ["he", {"type": "normal", "scale": 0.5}]
    config = model.model_validate({"type": "table", "path": "iris.csv", "columns": ["a", "b"], "starts": starts})
    table = config.build()
    assert (table.path, table.columns) == (Path("iris.csv"), ["a", "b"])
    assert [type(each) for each in table.starts] == [He, Normal]
    assert table.starts[1].scale == 0.5
    assert model.model_validate(config.model_dump()) == config
    assert model.model_validate({"path": "x", "columns": []}).build().starts is None


@pytest.mark.parametrize(
    ("wrong", "location"),
    [
        ({"path": 1, "columns": []}, ("path",)),
        ({"path": "x", "columns": "a"}, ("columns",)),
        ({"path": "x", "columns": ["a", 2]}, ("columns", 1)),
        ({"path": "x", "columns": [], "starts": "he"}, ("starts",)),
        ({"path": "x", "columns": [], "starts": ["he", "hee"]}, ("starts", 1)),
        (
            {"path": "x", "columns": [], "starts": [{"type": "normal", "scale": -1.0}]},
            ("starts", 0, "<initializer normal>", "scale"),
        ),
    ],
)
def test_error_in_a_list_has_its_index(wrong, location):
    """The location of an error has the parameter, the index, and in a component its parameter."""
    with pytest.raises(ValidationError) as error:
        Component("x", "table", None, Table).model.model_validate(wrong)
    assert [each["loc"] for each in error.value.errors()] == [location]


def test_unsupported_annotation_of_a_parameter_is_named():
    """An error of who adds a component, not of who writes a config."""

    class Odd:
        def __init__(self, sizes: tuple[int, int] = (1, 2)):
            self.sizes = sizes

    with pytest.raises(TypeError, match=r"unsupported annotation tuple\[int, int\]"):
        Component("x", "odd", None, Odd).model.model_validate({})


@pytest.mark.parametrize(("name", "alias"), [("adam", None), ("other", "Optimizer_Adam"), ("Optimizer_SGD", None)])
def test_name_registered_twice_is_an_error(name, alias):
    """The error names both classes, and nothing is replaced."""
    with pytest.raises(ValueError, match=r"registered twice: (Adam|SGD) and Copy"):
        register(name, alias)(type("Copy", (Adam,), {}))
    assert names("optimizer")["adam"].target is Adam


def test_class_without_a_kind_is_an_error():
    """A component is a subclass of the base class of its kind."""
    with pytest.raises(ValueError, match="Sample is not a subclass of a base class marked with @kind"):
        register("sample")(Sample)


class Undocumented(Layer):
    """Lacks an argument."""

    def __init__(self, units: Count) -> None:
        """Take nothing."""


class Overdocumented(Layer):
    """Documents an argument that it does not have.

    Args:
        units: number of units.
    """


class WithoutSummary(Layer):
    __doc__ = None


class UnusedSymbol(Layer):
    """Has a symbol that its formulas lack.

        Y = X

    Args:
        units (M): number of units.
    """

    def __init__(self, units: Count) -> None:
        """Take nothing."""


class Malformed(Layer):
    """Has a line that is no argument.

    Args:
        the number of units
    """


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (Undocumented, r"docstring of Undocumented: Args: missing \['units'\]"),
        (Overdocumented, r"docstring of Overdocumented: Args: missing \[\], unknown \['units'\]"),
        (WithoutSummary, "docstring of WithoutSummary: no summary"),
        (UnusedSymbol, r"docstring of UnusedSymbol: symbols that no formula uses: \['M'\]"),
        (Malformed, "docstring of Malformed: expected 'name: meaning'"),
    ],
)
def test_documentation_must_be_complete(target, message):
    """The documentation of a component is read when it is used, and refused if it is incomplete or malformed."""
    with pytest.raises(ValueError, match=message):
        Component("layer", "wrong", None, target).documentation  # noqa: B018


def test_component_declares_formulas_and_symbols():
    """Forward and backward formulas apart, and the letter of each parameter in them, inherited ones too."""
    dense = names("layer")["dense"].documentation
    assert dense.forward_formulas == ["Y = X W + b            X (N, D)   W (D, M)   b (M,)   Y (N, M)"]
    assert [formula.partition(" = ")[0] for formula in dense.backward_formulas] == ["dL/dW", "dL/db", "dL/dX"]
    assert dense.symbols == {"units": "M"}
    symbols = {"learning_rate": "η", "beta_1": "β₁", "beta_2": "β₂", "epsilon": "ε"}
    assert all(names("optimizer")[name].documentation.symbols == symbols for name in ("adam", "nadam"))


@pytest.mark.parametrize("entry", components("loss"), ids=lambda entry: entry.name)
def test_fused_loss_declares_its_formula(entry):
    """A loss has a formula of the fused gradient if and only if a last layer is fused with it."""
    assert (entry.target.fused_formula is None) == (entry.target.fused_with is None)


def test_empty_kind_says_what_to_import():
    """Components are registered when their packages are imported."""
    with pytest.raises(LookupError, match=r"import nncli\.nn and nncli\.data first"):
        components("color")


def test_every_kind_has_components():
    """The kinds are these, and each has components."""
    assert set(registry.kinds()) == {
        "layer",
        "loss",
        "optimizer",
        "initializer",
        "dataset",
        "metric",
        "schedule",
        "clipping",
        "column",
        "transform",
        "encoding",
        "imputation",
    }
    assert all(components(kind) for kind in registry.kinds())
