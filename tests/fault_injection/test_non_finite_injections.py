"""The injections of values: they are made for components of any parameters."""

import math

import numpy as np

from nncli.data.dataset import DataSchema, Dataset
from nncli.data.source import Source
from nncli.registry import Count, register
from nncli.registry.components import _components
from tests.fault_injection.non_finite_injections import datasets
from tests.fault_injection.non_finite_values import problems_after
from tests.nn.reference_implementations import REFERENCES


def register_rectangle():
    """Register a data source of two classes with parameters of its own."""

    @register("rectangle")
    class Rectangle(Source):
        """Points on the grid of a rectangle, whose class is that of their row.

        Args:
            width: points per class.

        Source: none.
        """

        def __init__(self, width: Count) -> None:
            self.width = width

        def open(self):
            counts = [self.width, self.width]
            return DataSchema(features=["x", "y"], targets=["row"], class_names=["0", "1"], class_counts=counts)

        def draw(self, rng):
            rows, columns = np.divmod(np.arange(2 * self.width), self.width)
            return Dataset(np.column_stack([columns / self.width, rows]), rows, 2)


def test_source_with_other_parameters_gets_a_value(workdir, monkeypatch):
    """Its arguments are those of its reference implementation."""
    monkeypatch.setitem(_components, "dataset", dict(_components["dataset"]))
    monkeypatch.setitem(REFERENCES, ("dataset", "rectangle"), (None, {"width": 10}))
    register_rectangle()
    (injection,) = (each for each in datasets() if each.name == "rectangle")
    assert not list(problems_after(injection, math.nan, workdir / "config.yaml"))
