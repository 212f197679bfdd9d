"""Layers that exchange activations: all members together compute what one layer computes from all columns."""

import numpy as np
import pytest

from nncli.nn.layers.dense import Dense
from nncli.nn.layers.dropout import Dropout
from nncli.nn.layers.parallel import AllGather, AllReduce, Member, ReduceScatter, RowParallelDense, SharedDropout
from nncli.nn.parameters import Parameters
from nncli.threads import balanced_slices
from tests.nn.members import group_of_threads, run_members
from tests.nn.passes import backward, forward

PASSES = [8, 3, 8, 8, 1, 5, 3]  # the rows of passes one after the other
INPUTS, UNITS = 11, 7
EVERYTHING = slice(None)

counts = pytest.mark.parametrize("count", [2, 3, 5])
slow_members = pytest.mark.parametrize("slow", [None, 0, 1])  # that see the values of the next pass if they can
generators = pytest.mark.parametrize(
    "generator", [np.random.default_rng, np.random.RandomState], ids=["numpy", "legacy"]
)


def arrays(columns, seed=0):
    """An array of random values for each of the passes."""
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(rows, columns)) for rows in PASSES]


def attached(layer, inputs):
    """A layer with random parameters of its own, and these."""
    parameters = Parameters(layer.shapes(inputs), np.dtype("float64"))
    parameters.values[:] = np.random.default_rng(1).normal(size=parameters.values.shape)
    layer.attach(parameters.views(parameters.values), parameters.views(parameters.gradients))
    return layer, parameters


def members_of(group, make):
    """The layer that is made for each member; all buffers are known then, and allocated."""
    layers = [make(Member(group, rank)) for rank in range(group.count)]
    for layer in layers:
        layer.attach({}, {})
    group.allocate(max(PASSES), np.dtype("float64"))
    return layers


def reducing_members(group, kind):
    """The layers of an all-reduce or a reduce-scatter, and the columns of each in the outputs."""
    terms, parts = [f"term {number}" for number in range(group.count)], balanced_slices(UNITS, group.count)
    if kind is AllReduce:
        layers = members_of(group, lambda member: AllReduce(member, *(group.buffer(name, UNITS) for name in terms)))
        return layers, [EVERYTHING] * group.count
    buffers = [group.buffer(name, UNITS) for name in (*terms, "gradient")]
    return members_of(group, lambda member: ReduceScatter(member, parts[member.rank], *buffers)), parts


def pass_through(layer, inputs, grad):
    """Copies of the outputs and of the gradient of the inputs of one training pass."""
    outputs = forward(layer, inputs, training=True).copy()
    return outputs, backward(layer, grad).copy()


@counts
@slow_members
@pytest.mark.parametrize("kind", [AllReduce, ReduceScatter])
def test_terms_are_summed_in_the_order_of_the_members(kind, slow, count):
    """To the last bit: each member gets its columns of the sum; the gradient of a term is that of all of the sum."""
    group = group_of_threads(count, slow)
    layers, columns = reducing_members(group, kind)
    terms, gradients = [arrays(UNITS, seed) for seed in range(count)], arrays(UNITS, 9)

    def compute(number):
        own = [grad[:, columns[number]] for grad in gradients]
        return [*map(pass_through, [layers[number]] * len(PASSES), terms[number], own)]

    for number, found in enumerate(run_members(group, compute)):
        for index, (outputs, d_inputs) in enumerate(found):
            total = terms[0][index]
            for term in terms[1:]:
                total = total + term[index]
            np.testing.assert_array_equal(outputs, total[:, columns[number]])
            np.testing.assert_array_equal(d_inputs, gradients[index])


@counts
@slow_members
def test_columns_of_all_members_are_gathered(slow, count):
    """Each member gets all columns, and the gradient of its own."""
    group, parts = group_of_threads(count, slow), balanced_slices(UNITS, count)
    buffer, inputs, gradients = group.buffer("gathered", UNITS), arrays(UNITS), arrays(UNITS, 9)
    layers = members_of(group, lambda member: AllGather(member, parts[member.rank], UNITS, buffer))

    def compute(number):
        own = [values[:, parts[number]] for values in inputs]
        return [*map(pass_through, [layers[number]] * len(PASSES), own, gradients)]

    for number, found in enumerate(run_members(group, compute)):
        for index, (outputs, d_inputs) in enumerate(found):
            np.testing.assert_array_equal(outputs, inputs[index])
            np.testing.assert_array_equal(d_inputs, gradients[index][:, parts[number]])


@slow_members
@pytest.mark.parametrize("kind", [AllReduce, ReduceScatter])
def test_forward_passes_may_follow_each_other(kind, slow):
    """Without a backward pass, in which members wait for each other: a slow one still gets the sum of its pass."""
    group, terms = group_of_threads(3, slow), [arrays(UNITS, seed) for seed in range(3)]
    layers, columns = reducing_members(group, kind)

    def compute(number):
        return [forward(layers[number], values, training=True).copy() for values in terms[number]]

    for number, found in enumerate(run_members(group, compute)):
        for outputs, *values in zip(found, *terms, strict=True):
            np.testing.assert_array_equal(outputs, (values[0] + values[1] + values[2])[:, columns[number]])


def whole_dense(inputs, gradients):
    """A dense layer, and for each pass its outputs, d_inputs, d_weights and d_biases."""
    layer, _ = attached(Dense(UNITS), INPUTS)
    results = []
    for values, grad in zip(inputs, gradients, strict=True):
        results.append((*pass_through(layer, values, grad), layer.d_weights.copy(), layer.d_biases.copy()))
    return layer, results


@counts
@slow_members
@pytest.mark.parametrize("kind", [AllReduce, ReduceScatter])
def test_row_parallel_layer_computes_what_the_whole_layer_does(kind, slow, count):
    """Outputs and gradients, with the biases in the first member, for passes of different numbers of rows."""
    inputs, gradients = arrays(INPUTS), arrays(UNITS, 9)
    whole, expected = whole_dense(inputs, gradients)
    group, rows = group_of_threads(count, slow), balanced_slices(INPUTS, count)
    exchanges, columns = reducing_members(group, kind)

    def compute(number):
        layer, _ = attached(RowParallelDense(whole, number == 0), len(whole.weights[rows[number]]))
        layer.weights[...], layer.biases[...] = whole.weights[rows[number]], whole.biases if number == 0 else 0
        exchange, results = exchanges[number], []
        for values, grad in zip(inputs, gradients, strict=True):
            outputs = forward(exchange, forward(layer, values[:, rows[number]], training=True), training=True).copy()
            d_inputs = backward(layer, backward(exchange, grad[:, columns[number]]))
            results.append((outputs, d_inputs.copy(), layer.d_weights.copy(), layer.d_biases.copy()))
        return results

    members = run_members(group, compute)
    for passes in zip(expected, *members, strict=True):
        (outputs, d_inputs, d_weights, d_biases), *found = passes
        for number, each in enumerate(found):
            np.testing.assert_allclose(each[0], outputs[:, columns[number]], rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(each[3], d_biases if number == 0 else 0, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(np.hstack([each[1] for each in found]), d_inputs, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(np.vstack([each[2] for each in found]), d_weights, rtol=1e-12, atol=1e-12)


def dropout(rate, rng=None):
    layer = Dropout(rate)
    layer.attach({}, {})
    layer.set_rng(rng)
    return layer


@counts
@slow_members
@generators
@pytest.mark.parametrize("rate", [0.4, 0.001])
def test_masks_are_those_of_the_whole_layer(rate, generator, slow, count):
    """To the last bit, with random numbers of the first member alone, which draws as often as the whole layer does."""
    inputs, gradients, rng = arrays(UNITS), arrays(UNITS, 9), generator(5)
    group, parts = group_of_threads(count, slow), balanced_slices(UNITS, count)
    buffer = group.buffer("mask", UNITS)

    def make(member):
        whole = dropout(rate, rng if member.rank == 0 else None)
        return SharedDropout(whole, member, parts[member.rank], buffer)

    layers = members_of(group, make)

    def compute(number):
        layer, columns, results = layers[number], parts[number], []
        for values, grad in zip(inputs, gradients, strict=True):
            results.append((*pass_through(layer, values[:, columns], grad[:, columns]), layer.mask.copy()))
        return results

    members, expected_rng = run_members(group, compute), generator(5)
    whole = dropout(rate, expected_rng)
    for values, grad, *found in zip(inputs, gradients, *members, strict=True):
        expected = (*pass_through(whole, values, grad), whole.mask)
        for arrays_of_members, array in zip(zip(*found, strict=True), expected, strict=True):
            np.testing.assert_array_equal(np.hstack(arrays_of_members), array)
    assert rng.random() == expected_rng.random()


@pytest.mark.parametrize(("rate", "training"), [(0.0, True), (0.5, False)])
def test_members_exchange_no_mask_that_drops_nothing(rate, training):
    """With a rate of 0, and at inference, a member needs no generator, and waits for no other one."""
    group, inputs = group_of_threads(2), arrays(UNITS)[0]
    layer = members_of(
        group, lambda member: SharedDropout(dropout(rate), member, EVERYTHING, group.buffer("mask", UNITS))
    )[1]
    np.testing.assert_array_equal(forward(layer, inputs, training), inputs)
    np.testing.assert_array_equal(backward(layer, inputs), inputs)


def test_buffers_are_shared_by_name():
    """All members get the same one, and its halves have memory of their own for the largest pass."""
    group = group_of_threads(2)
    first, other = group.buffer("first", 3), group.buffer("other", 2)
    assert group.buffer("first", 3) is first is not other
    group.allocate(5, np.dtype("float32"))
    assert [half.shape for half in (*first.halves, *other.halves)] == [(5, 3), (5, 3), (5, 2), (5, 2)]
    assert {half.dtype for half in first.halves} == {np.dtype("float32")}
    assert all(half.flags.f_contiguous for half in (*first.halves, *other.halves))
    assert not np.shares_memory(*first.halves)
