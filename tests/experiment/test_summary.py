"""The model summary, compared with the same values computed by hand."""

import tracemalloc

import numpy as np
import pytest

from nncli.config.model import Fraction
from nncli.config.validation import PartialConfig
from nncli.data.dataset import DataSchema, Dataset
from nncli.data.source import Source
from nncli.data.split import split
from nncli.experiment.assembly import assemble
from nncli.experiment.data_plan import DataPlan
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
from nncli.training.loop import Trainer
from tests.examples import DENSE_8, NORMALIZED, SINE

OBJECTS = 1 << 18  # bytes of objects that are not arrays


@pytest.fixture
def resolved(workdir):
    """Load the small config with overrides, resolved, and its data plan."""

    def load_resolved(*overrides):
        loaded = load(workdir / "config.yaml", overrides)
        return loaded.config, loaded.plan

    return load_resolved


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


SNAPSHOTS = 3 * 5  # of three copies each: at most one more than there are rows in metrics.csv


@pytest.mark.parametrize(("dtype", "size"), [("float32", 4), ("float64", 8)])
def test_memory_estimate_by_hand(resolved, dtype, size):
    """Inputs twice, outputs six times, three buffers per layer, nine vectors, snapshots; sampled points in float64."""
    rows, values_per_row, outputs, parameters = 60 + 60, 2 * 2 + 6 * 3, 8 + 8 + 3 + 3, 24 + 27
    converted = size * (rows * values_per_row + 3 * 60 * (2 + outputs) + (9 + SNAPSHOTS) * parameters)
    assert memory_bytes(*resolved(f"dtype={dtype}")) == converted + 8 * rows * (2 + 1)


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
def test_memory_estimate_has_buffers_for_each_number_of_rows(resolved, samples, batch, passes):
    """Batches, remainder batches, and chunks of at most 21,845 rows of each split have buffers."""
    rows = 3 * samples + 60
    converted = 4 * (rows * (2 * 2 + 6 * 3) + 3 * sum(passes) * (2 + 22) + (9 + SNAPSHOTS) * (24 + 27))
    config, plan = resolved(f"data.samples={samples}", f"training.batch_size={batch}")
    assert memory_bytes(config, plan) == converted + 8 * rows * (2 + 1)


def test_memory_estimate_has_the_snapshots(resolved):
    """Three copies of each, running statistics included, but no more than there are logged epochs."""
    more, fewer = (memory_bytes(*resolved(*NORMALIZED, f"training.snapshots={number}")) for number in (3, 1))
    assert more - fewer == 3 * 2 * 4 * (24 + 27 + 4 * 8)
    assert memory_bytes(*resolved("training.snapshots=1000")) == memory_bytes(*resolved("training.snapshots=5"))


def test_memory_estimate_is_bounded_by_micro_batches(resolved):
    """Outputs are stored for one micro-batch; if the network cannot be split into micro-batches, for all rows."""
    mixed = f"layers=[{DENSE_8}, batch_normalization, relu, {{type: dense, units: 3}}, softmax]"
    small, large = (f"data.samples={21_845 * times}" for times in (1, 2))  # of three classes: 3 and 6 chunks
    added = [memory_bytes(*resolved(large, *more)) - memory_bytes(*resolved(small, *more)) for more in ((), (mixed,))]
    rows, remainders = 65_535, (131_070 % 16_384, 65_535 % 16_384)  # an evaluation has chunks, whatever the layers
    assert added[0] == rows * (4 * (2 * 2 + 6 * 3) + 8 * (2 + 1))
    assert added[1] == added[0] + 4 * 3 * (rows + remainders[0] - remainders[1]) * (2 + 22 + 8)


WIDE = "layers=[{type: dense, units: 900}, relu, {type: dense, units: 900}, relu, {type: dense, units: 3}, softmax]"


@pytest.mark.slow
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
def test_memory_estimate_matches_a_training(resolved, overrides):
    """At least the peak of an epoch with its metrics, and at most twice as much."""
    config, plan = resolved(*overrides, "training.epochs=1")
    tracemalloc.start()
    training = Trainer(assemble(config, plan))
    list(training.epochs())
    for name in training.experiment.data:
        training.measured(name)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - OBJECTS <= memory_bytes(config, plan) <= 2 * peak


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
