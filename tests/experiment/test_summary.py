"""The model summary, compared with the same values computed by hand."""

import numpy as np
import pytest

from nncli.config.model import Fraction
from nncli.config.validation import PartialConfig
from nncli.data.dataset import DataSchema, Dataset
from nncli.data.source import Source
from nncli.data.split import split
from nncli.experiment.assembly import assemble
from nncli.experiment.data_plan import DataPlan
from nncli.experiment.summary import (
    batches_per_epoch,
    split_rows,
    step_macs,
    step_rows,
    summarize,
    training_rows,
)
from tests.examples import NORMALIZED, SINE


def test_layer_summaries(resolved):
    """2 → 8 → 3: W and b have 2·8 + 8 and 8·3 + 3 parameters, and a row needs one MAC per weight."""
    figures = [
        (each.type, each.inputs, each.outputs, each.parameters, each.multiply_adds) for each in summarize(*resolved())
    ]
    assert figures == [
        ("dense", 2, 8, 24, 16),
        ("relu", 8, 8, 0, 0),
        ("dense", 8, 3, 27, 24),
        ("softmax", 3, 3, 0, 0),
    ]


@pytest.mark.parametrize("units", [1, 7, 64])
def test_parameters_are_those_of_the_network(resolved, units):
    """The sum over the layers is the length of the parameter vector."""
    config, plan = resolved(f"layers[0].units={units}")
    assert (
        sum(each.parameters for each in summarize(config, plan))
        == assemble(config, plan).network.parameters.values.size
    )


@pytest.mark.parametrize(
    ("overrides", "rows"),
    [
        ((), 60),
        (("validation={fraction: 0.25}",), 45),
        (("validation={fraction: 0.25}", "test={fraction: 0.1}"), 39),
        (("validation={fraction: 0.001}",), 57),
        (("data.samples=7", "validation={fraction: 0.5}"), 9),
    ],
)
def test_training_rows_are_those_of_the_training_set(resolved, overrides, rows):
    """Fractions are counted per class, as the split does it."""
    config, plan = resolved(*overrides)
    assert training_rows(config, plan) == rows == len(assemble(config, plan).data["training"])
    assert step_rows(config, plan) == rows


def test_step_rows_are_the_batch_size(resolved):
    """A step of a mini-batch has batch_size rows."""
    assert step_rows(*resolved("training.batch_size=16")) == 16


@pytest.mark.parametrize("rows", [1, 60])
def test_macs_of_a_step(resolved, rows):
    """Forward and weight gradients of both layers, input gradient of the upper one: 2·16 + 3·24 per row."""
    assert step_macs(*resolved(), rows) == rows * (2 * 16 + 3 * 24)


@pytest.mark.parametrize(
    ("changes", "rows"),
    [(("validation={fraction: 0.25}", "test={fraction: 0.1}"), 26), (("validation={fraction: 0.001}",), 39), ((), 40)],
)
def test_regression_rows_are_counted_together(resolved, changes, rows):
    """Without classes a fraction is one of all rows, as the split does it."""
    config, plan = resolved(*SINE, *changes)
    assert training_rows(config, plan) == rows == len(assemble(config, plan).data["training"])


class Uneven(Source):
    """Two classes of 51 and 52 rows."""

    counts = (51, 52)

    def open(self):
        return DataSchema(features=["x", "y"], targets=["class"], class_names=["a", "b"], class_counts=self.counts)

    def draw(self, rng):
        return Dataset(rng.normal(size=(103, 2)), rng.permutation(np.repeat([0, 1], self.counts)), 2)


@pytest.mark.parametrize("fractions", [{"validation": 0.2233}, {"test": 0.5}, {"validation": 0.1, "test": 0.2233}])
def test_rows_of_unequal_classes_are_counted_per_class(fractions):
    """11 of 51 and 12 of 52 rows are 0.2233 of each class, and leave 80; half of 51 is 26."""
    sections = {name: Fraction(fraction=fraction) for name, fraction in fractions.items()}
    config = PartialConfig(**{"validation": None, "test": None, **sections})
    splits = split(Uneven().draw(np.random.default_rng(0)), sections, np.random.default_rng(1))
    rows = split_rows(config, DataPlan({"data": Uneven().open()}))
    assert rows == {name: len(each) for name, each in splits.items()}
    assert rows["training"] == {1: 80 if "validation" in sections else 51, 2: 70}[len(sections)]


@pytest.mark.parametrize(("size", "batches"), [("null", 1), (60, 1), (59, 2), (30, 2), (16, 4), (1, 60)])
def test_batches_per_epoch(resolved, size, batches):
    """A smaller last batch counts."""
    assert batches_per_epoch(*resolved(f"training.batch_size={size}")) == batches


def test_parameters_do_not_include_running_statistics(resolved):
    """Running statistics are saved with the weights, and are not trainable."""
    config, plan = resolved(*NORMALIZED)
    parameters = assemble(config, plan).network.parameters
    assert sum(each.parameters for each in summarize(config, plan)) == parameters.trainable.size
    assert parameters.values.size == parameters.trainable.size + 2 * 8
