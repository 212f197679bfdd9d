"""A network in figures, held against the same figures by hand."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from nncli.config.model import Fraction
from nncli.data.dataset import Dataset
from nncli.data.source import Source
from nncli.data.split import split
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.experiment.summary import (
    batches_per_epoch,
    memory_bytes,
    split_rows,
    step_macs,
    step_rows,
    summarize,
    training_rows,
)
from nncli.train.loop import Trainer
from tests.examples import DENSE_8, NORMALIZED, SINE

OBJECTS = 1 << 18  # bytes of what is no array


@pytest.fixture
def resolved(workdir):
    """The resolved spec of the small config, with some values changed."""
    return lambda *overrides: load(workdir / "config.yaml", overrides).config


def test_layers_in_figures(resolved):
    """2 → 8 → 3: W and b are 2·8 + 8 and 8·3 + 3 numbers, and a row costs one product a weight."""
    figures = [
        (each.type, each.inputs, each.outputs, each.parameters, each.multiply_adds) for each in summarize(resolved())
    ]
    assert figures == [
        ("dense", 2, 8, 24, 16),
        ("relu", 8, 8, 0, 0),
        ("dense", 8, 3, 27, 24),
        ("softmax", 3, 3, 0, 0),
    ]


@pytest.mark.parametrize("units", [1, 7, 64])
def test_the_parameters_are_those_of_the_network(resolved, units):
    """The sum over the layers is the length of the vector that is trained."""
    spec = resolved(f"layers[0].units={units}")
    assert sum(each.parameters for each in summarize(spec)) == assemble(spec).network.parameters.values.size


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
def test_training_rows_are_those_that_are_trained_on(resolved, overrides, rows):
    """What fractions take away is counted class by class, as the split does it."""
    spec = resolved(*overrides)
    assert training_rows(spec) == rows == len(assemble(spec).data["training"])
    assert step_rows(spec) == rows


def test_a_step_of_a_mini_batch_has_its_rows(resolved):
    """The batch size is the number of rows per step."""
    assert step_rows(resolved("training.batch_size=16")) == 16


@pytest.mark.parametrize("rows", [1, 60])
def test_multiply_adds_of_a_step(resolved, rows):
    """Forward and weights' gradient for both layers, inputs' gradient for the upper one: 2·16 + 3·24 a row."""
    assert step_macs(resolved(), rows) == rows * (2 * 16 + 3 * 24)


@pytest.mark.parametrize(("dtype", "size"), [("float32", 4), ("float64", 8)])
def test_memory_by_hand(resolved, dtype, size):
    """Inputs twice, outputs six times, three buffers a layer and for inputs, eight vectors; drawn points in double."""
    rows, held, outputs, parameters = 60 + 60, 2 * 2 + 6 * 3, 8 + 8 + 3 + 3, 24 + 27
    converted = size * (rows * held + 3 * 60 * (2 + outputs) + 8 * parameters)
    assert memory_bytes(resolved(f"dtype={dtype}")) == converted + 8 * rows * (2 + 1)


@pytest.mark.parametrize(
    ("samples", "batch", "passes"),
    [
        (20, "null", {60}),
        (20, 15, {15, 60}),
        (20, 16, {16, 12, 60}),
        (10_000, "null", {15_000, 21_845, 8_155, 60}),
        (10_000, 7_000, {7_000, 2_000, 21_845, 8_155, 60}),
    ],
)
def test_memory_has_buffers_for_each_number_of_rows(resolved, samples, batch, passes):
    """Of 3 × samples and of 60 rows: batches, their remainder, portions of at most 21,845 rows, and what remains."""
    rows = 3 * samples + 60
    converted = 4 * (rows * (2 * 2 + 6 * 3) + 3 * sum(passes) * (2 + 22) + 8 * (24 + 27))
    spec = resolved(f"data.samples={samples}", f"training.batch_size={batch}")
    assert memory_bytes(spec) == converted + 8 * rows * (2 + 1)


def test_memory_does_not_grow_with_rows_that_pass_in_portions(resolved):
    """Outputs are held for as many rows as pass at once, however many there are; if they cannot be divided, for all."""
    mixed = f"layers=[{DENSE_8}, batch_normalization, relu, {{type: dense, units: 3}}, softmax]"
    small, large = (f"data.samples={21_845 * times}" for times in (1, 2))  # of three classes: 3 and 6 portions
    added = [memory_bytes(resolved(large, *more)) - memory_bytes(resolved(small, *more)) for more in ((), (mixed,))]
    rows, remainders = 65_535, (131_070 % 16_384, 65_535 % 16_384)  # an evaluation has portions, whatever the layers
    assert added[0] == rows * (4 * (2 * 2 + 6 * 3) + 8 * (2 + 1))
    assert added[1] == added[0] + 4 * 3 * (rows + remainders[0] - remainders[1]) * (2 + 22 + 8)


WIDE = "layers=[{type: dense, units: 900}, relu, {type: dense, units: 900}, relu, {type: dense, units: 3}, softmax]"


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("training.batch_size=7",),
        ("validation={fraction: 0.25}", "training.batch_size=16"),
        (WIDE, "data.samples=700"),
        (WIDE, "data.samples=700", "dtype=float64"),
        (WIDE, "data.samples=700", "validation.samples=500", "training.batch_size=999"),
        (WIDE, "data.samples=700", "validation={fraction: 0.3}", "test={fraction: 0.2}", "training.batch_size=900"),
    ],
)
def test_memory_is_that_of_a_training(resolved, overrides):
    """No less than the arrays of an epoch and its metrics at their most, and at most twice as much."""
    spec = resolved(*overrides, "training.epochs=1")
    tracemalloc.start()
    training = Trainer(assemble(spec))
    list(training.epochs())
    for name in training.experiment.data:
        training.measured(name)
    _, held = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held - OBJECTS <= memory_bytes(spec) <= 2 * held


@pytest.mark.parametrize(
    ("changes", "rows"),
    [(("validation={fraction: 0.25}", "test={fraction: 0.1}"), 26), (("validation={fraction: 0.001}",), 39), ((), 40)],
)
def test_rows_of_numbers_are_counted_together(resolved, changes, rows):
    """Where there are no classes a fraction is one of all rows, as the split does it."""
    spec = resolved(*SINE, *changes)
    assert training_rows(spec) == rows == len(assemble(spec).data["training"])


class Uneven(Source):
    """Two classes of 51 and 52 rows."""

    classes, columns, class_counts = 2, 2, (51, 52)

    def draw(self, rng):
        return Dataset(rng.normal(size=(103, 2)), rng.permutation(np.repeat([0, 1], self.class_counts)), 2)


@pytest.mark.parametrize("fractions", [{"validation": 0.2233}, {"test": 0.5}, {"validation": 0.1, "test": 0.2233}])
def test_rows_of_classes_of_different_sizes_are_counted_class_by_class(fractions):
    """11 of 51 and 12 of 52 rows are 0.2233 of each class, and leave 80; half of 51 is 26."""
    parts = {name: Fraction(fraction=fraction) for name, fraction in fractions.items()}
    spec = SimpleNamespace(data=SimpleNamespace(build=Uneven), **{"validation": None, "test": None, **parts})
    drawn = split(Uneven().draw(np.random.default_rng(0)), fractions, np.random.default_rng(1))
    assert split_rows(spec) == {name: len(part) for name, part in drawn.items()}
    assert split_rows(spec)["training"] == {1: 80 if "validation" in parts else 51, 2: 70}[len(parts)]


@pytest.mark.parametrize(("size", "batches"), [("null", 1), (60, 1), (59, 2), (30, 2), (16, 4), (1, 60)])
def test_an_epoch_has_as_many_updates_as_batches(resolved, size, batches):
    """The last one may be smaller, and counts."""
    assert batches_per_epoch(resolved(f"training.batch_size={size}")) == batches


def test_parameters_are_what_is_trained(resolved):
    """Running statistics are saved with the weights, and are none of them."""
    spec = resolved(*NORMALIZED)
    parameters = assemble(spec).network.parameters
    assert sum(each.parameters for each in summarize(spec)) == parameters.trainable.size
    assert parameters.values.size == parameters.trainable.size + 2 * 8
