"""Which networks can be divided among members, which of them are, and the layers of each member."""

import numpy as np
import pytest

from nncli.nn import tensor_parallel
from nncli.nn.layers.parallel import AllGather, Group, RowParallelDense
from nncli.nn.microbatching import MICRO_BATCH_BYTES
from nncli.nn.shapes import shapes, statistics, widths
from nncli.nn.tensor_parallel import MIN_DIVIDED_MACS, can_divide, divide, divided_micro_batch_rows, divides
from tests.nn.members import DIVISIBLE, LAYERS, layers_of
from tests.nn.passes import forward
from tests.nn.test_contracts import built, named

INPUTS = 4
counts = pytest.mark.parametrize("count", [2, 3])
architectures = pytest.mark.parametrize("architecture", DIVISIBLE)


def parts_of(architecture, count):
    return divide(layers_of(architecture), INPUTS, Group(count))


def shapes_of(layers):
    """The shapes of all parameters, trainable or not, by their full names."""
    return {**shapes(layers, INPUTS), **statistics(layers, INPUTS)}


@counts
@architectures
def test_all_members_have_the_layers_of_the_architecture(architecture, count):
    """A dense layer is column-parallel if its inputs are complete, else row-parallel; exchanges follow or precede."""
    assert can_divide(layers_of(architecture), INPUTS, count)
    for part in parts_of(architecture, count):
        assert " ".join(type(layer).__name__ for layer in part.layers) == DIVISIBLE[architecture]


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [
        ("7 relu 3 softmax", [[4, 3, 3, 3, 3, 3], [4, 4, 4, 3, 3, 3]]),
        ("7 relu 5 3 softmax", [[4, 3, 3, 5, 2, 3, 3, 3], [4, 4, 4, 5, 3, 3, 3, 3]]),
        ("7 relu 5 3 softmax", [[4, 2, 2, 5, 1, 3, 3, 3], [4, 2, 2, 5, 2, 3, 3, 3], [4, 3, 3, 5, 2, 3, 3, 3]]),
        ("3 softmax", [[4, 1, 3, 3], [4, 1, 3, 3], [4, 1, 3, 3]]),
        ("3 softmax", [[4, 1, 3, 3], [4, 2, 3, 3]]),
        ("dropout 6 3 batch_normalization relu", [[4, 4, 3, 3, 1, 1, 3, 3], [4, 4, 3, 3, 2, 2, 3, 3]]),
        ("2 2", [[4, 1, 2, 2], [4, 1, 2, 2]]),
    ],
)
def test_units_are_divided_as_equally_as_possible(architecture, expected):
    """The widths of the activations of each member: some columns, or all of a sum of terms and of what is gathered."""
    parts = parts_of(architecture, len(expected))
    assert [[*widths(part.layers, INPUTS)] for part in parts] == expected


@counts
@architectures
def test_each_parameter_belongs_to_one_member(architecture, count):
    """The sources of all members are a partition of the whole: weights, biases, and running statistics."""
    whole = shapes_of(layers_of(architecture))
    owners = {name: np.zeros(shape, int) for name, shape in whole.items()}
    for part in parts_of(architecture, count):
        own = shapes_of(part.layers)
        for name, (whole_name, index) in part.sources.items():
            assert owners[whole_name][index].shape == own[name]
            assert name.split(".")[2] == whole_name.split(".")[2]
            owners[whole_name][index] += 1
    assert all((each == 1).all() for each in owners.values()), owners


@counts
@architectures
def test_only_biases_of_row_parallel_layers_have_no_source(architecture, count):
    """They belong to the first member, and are 0 in the others."""
    for number, part in enumerate(parts_of(architecture, count)):
        row_parallel = [index for index, layer in enumerate(part.layers) if isinstance(layer, RowParallelDense)]
        missing = {f"layers.{index}.biases" for index in row_parallel} if number else set()
        assert shapes_of(part.layers).keys() - part.sources.keys() == missing


@counts
@architectures
def test_layers_of_the_network_stay_whole(architecture, count):
    """The members have layers of their own."""
    layers = layers_of(architecture)
    before = [dict(vars(layer)) for layer in layers]
    parts = divide(layers, INPUTS, Group(count))
    assert [vars(layer) for layer in layers] == before
    own = [id(layer) for part in parts for layer in part.layers]
    assert len({*own, *map(id, layers)}) == len(own) + len(layers)


@architectures
def test_all_outputs_are_complete(architecture):
    """Each member has all columns of the outputs, from which it computes the same gradient of the loss."""
    outputs = widths(layers_of(architecture), INPUTS)[-1]
    assert [widths(part.layers, INPUTS)[-1] for part in parts_of(architecture, 3)] == [outputs] * 3


def test_buffers_have_the_columns_that_are_exchanged():
    """All columns, also of what a member has a part of."""
    group = Group(2)
    divide(layers_of("dropout 7 dropout 6 3 batch_normalization softmax"), INPUTS, group)
    columns = [(name.split(".", 1)[1], buffer.columns) for name, buffer in group.buffers.items()]
    exchanges = [("mask", 4), ("mask", 7)]
    for units in (6, 3):
        exchanges += [("term.0", units), ("term.1", units), ("gradient", units)]
    assert columns == [*exchanges, ("gathered", 3)]


@pytest.mark.parametrize(
    ("architecture", "count"),
    [
        pytest.param("7 softmax 3 softmax", 2, id="softmax inside: the gradient of complete inputs would be a sum"),
        pytest.param("7 relu 7 softmax 5 relu 3 softmax", 2, id="softmax after two layers"),
        pytest.param("softmax batch_normalization 3 softmax", 2, id="batch normalization first, after softmax"),
        pytest.param(
            "batch_normalization 7 relu 3 softmax", 2, id="batch normalization of the data: each would own it"
        ),
        pytest.param("7 relu 3 softmax batch_normalization", 2, id="batch normalization after softmax"),
        pytest.param("batch_normalization relu", 2, id="no dense layer"),
        pytest.param("relu softmax", 2, id="no parameters: the config is reported as wrong later"),
        pytest.param("2 relu 3 softmax", 3, id="fewer hidden units than members"),
        pytest.param("7 relu 2 relu 3 softmax", 3, id="fewer units of one layer than members"),
        pytest.param("1 sigmoid", 2, id="one output of the only dense layer"),
        pytest.param("7 relu 1 batch_normalization sigmoid", 2, id="one output that is normalized"),
    ],
)
def test_some_networks_cannot_be_divided(architecture, count):
    """A member would have no unit, or parameters on complete activations would belong to all members."""
    layers = layers_of(architecture)
    assert not can_divide(layers, INPUTS, count)
    assert not divides(layers, widths(layers, INPUTS), 10**9, count)


@pytest.mark.parametrize(("units", "count"), [(2, 2), (3, 3), (7, 7)])
def test_each_member_needs_one_unit(units, count):
    """As many units as members are enough, and one fewer is not."""
    assert can_divide(layers_of(f"{units} relu 1 sigmoid"), INPUTS, count)
    assert not can_divide(layers_of(f"{units} relu 1 sigmoid"), INPUTS, count + 1)


# a row takes 16 operations per activation, those of the products, less 64 per output of each row-parallel layer
MACS = {
    "200 relu 10 softmax": 16 * (100 + 200 + 200 + 10 + 10) + 100 * 200 + 200 * 10 - 64 * 10,
    "200 relu 50 tanh 10": 16 * (100 + 200 + 200 + 50 + 50 + 10) + 100 * 200 + 200 * 50 + 50 * 10 - 64 * (50 + 10),
    "20 batch_normalization": 16 * (100 + 20 + 20) + 100 * 20,
}


@pytest.mark.parametrize("architecture", MACS)
@pytest.mark.parametrize("rows", [1, 17])
def test_long_steps_are_divided(monkeypatch, architecture, rows):
    """From a number of operations on, exactly."""
    layers = layers_of(architecture)
    for limit, expected in ((rows * MACS[architecture], True), (rows * MACS[architecture] + 1, False)):
        monkeypatch.setattr(tensor_parallel, "MIN_DIVIDED_MACS", limit)
        assert divides(layers, widths(layers, 100), rows, 2) is expected


def test_steps_of_two_million_operations_are_divided():
    """With the number of rows that makes the difference."""
    layers, rows = layers_of("200 relu 10 softmax"), -(-2_000_000 // MACS["200 relu 10 softmax"])
    assert MIN_DIVIDED_MACS == 2_000_000
    assert [divides(layers, widths(layers, 100), each, 2) for each in (rows - 1, rows)] == [False, True]


@pytest.mark.parametrize(("count", "can_fork"), [(1, True), (2, False)])
def test_steps_of_one_process_are_not_divided(monkeypatch, count, can_fork):
    """Of one thread, and where processes cannot be forked."""
    monkeypatch.setattr(tensor_parallel, "CAN_FORK", can_fork)
    layers = layers_of("200 relu 10 softmax")
    assert not divides(layers, widths(layers, 100), 10**9, count)


@pytest.mark.parametrize("entry", [each for each in named("layer") if each.id != "dense"])
def test_layers_say_whether_they_couple_columns(entry):
    """Else a member would compute outputs of some columns from those alone."""
    layer, changed, others = built(entry), 1, [0, 2]
    parameters = {**layer.shapes(3), **layer.statistics(3)}
    assert all(shape == (3,) for shape in parameters.values())
    layer.attach({name: np.ones(3) for name in parameters}, {name: np.ones(3) for name in parameters})
    inputs = np.random.default_rng(0).normal(size=(5, 3))
    for training in (False, True):
        layer.set_rng(np.random.default_rng(1))
        before = forward(layer, inputs, training).copy()
        inputs[:, changed] += 1
        layer.set_rng(np.random.default_rng(1))
        after = forward(layer, inputs, training)
        assert layer.couples_columns == (before[:, others] != after[:, others]).any()


def test_every_layer_can_be_part_of_a_divided_network():
    """Between two dense layers; softmax only as the last one."""
    divisible = {name for name in LAYERS if can_divide(layers_of(f"7 {name} 3 softmax"), INPUTS, 2)}
    assert divisible == LAYERS.keys() - {"softmax"}


def test_gathered_columns_are_those_of_all_members():
    """In the order of the members, without a gap."""
    gathers = [layer for part in parts_of("7 sigmoid", 3) for layer in part.layers if isinstance(layer, AllGather)]
    assert [each.columns for each in gathers] == [slice(0, 2), slice(2, 4), slice(4, 7)]


@pytest.mark.parametrize(
    ("architecture", "columns"),
    [("7 relu 5 3 softmax", 4 + 4 + 4 + 5 + 3 + 3 + 3 + 3), ("dropout 7 relu 3", 4 + 4 + 7 + 7 + 3)],
)
def test_micro_batch_is_that_of_the_widest_part(architecture, columns):
    """It fits the cache of each member; with dropout it is that of the whole network, whose masks are drawn."""
    layers, dtype = layers_of(architecture), np.dtype("float64")
    parts = [part.layers for part in parts_of(architecture, 2)]
    assert divided_micro_batch_rows(layers, parts, INPUTS, dtype) == MICRO_BATCH_BYTES // (dtype.itemsize * columns)
