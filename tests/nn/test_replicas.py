"""Networks whose rows are divided among threads."""

import gc
import threading
import weakref

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from nncli.nn import replicas
from nncli.nn.activations import ReLU, Softmax
from nncli.nn.initializers import He
from nncli.nn.layers.batch_normalization import BatchNormalization
from nncli.nn.layers.dense import Dense
from nncli.nn.layers.dropout import Dropout
from nncli.nn.losses.cross_entropy import CategoricalCrossentropy
from nncli.nn.network import Network
from nncli.nn.replicas import MIN_DIVIDED_ACTIVATIONS, divides_products, divides_rows
from nncli.threads import ThreadPool, balanced_slices

COLUMNS = 6


def network_of(threads=1, *more, dtype="float64", units=50, **options):
    """A network with penalties, divided among some threads."""
    layers = [Dense(units, 0.1, 0.2, initializer=He()), ReLU(), *more, Dense(3, l2=0.1, initializer=He()), Softmax()]
    network = Network(layers, CategoricalCrossentropy(), COLUMNS, np.dtype(dtype), **options)
    network.initialize(np.random.default_rng(0))
    network.set_rng(np.random.default_rng(1))
    network.parameters.values[:] += 0.01
    if threads > 1:
        network.use_threads(ThreadPool(threads))
    return network


def rows_of(count, dtype="float64"):
    """Inputs and labels."""
    rng = np.random.default_rng(3)
    return rng.normal(size=(count, COLUMNS)).astype(dtype), rng.integers(0, 3, count)


@pytest.fixture
def short_steps_divided(monkeypatch):
    """Rows are divided however short a step is."""
    monkeypatch.setattr(replicas, "MIN_DIVIDED_ACTIVATIONS", 0)


@pytest.mark.usefixtures("short_steps_divided")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("threads", [2, 3, 5])
@pytest.mark.parametrize(("rows", "micro_batch_rows"), [(1, 100), (2, 100), (7, 100), (64, 100), (65, 9), (64, 1)])
def test_gradients_and_losses_are_those_of_one_thread(threads, rows, micro_batch_rows, weighted):
    """Up to rounding, also with more threads than rows, and with micro-batches in each thread."""
    inputs, labels = rows_of(rows)
    weights = np.random.default_rng(4).random(rows) if weighted else None
    found = []
    for count in (1, threads):
        network, losses = network_of(count), np.full(rows, np.nan)
        network.micro_batch_rows = micro_batch_rows
        for replica in network.replicas.networks if network.replicas else ():
            replica.micro_batch_rows = micro_batch_rows
        network.forward_backward(inputs, network.loss.encode(labels, 3), losses, weights)
        found.append((network.parameters.gradients.copy(), losses))
    np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=1e-12)


@pytest.mark.usefixtures("short_steps_divided")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_number_of_threads_gives_the_same_bits(dtype):
    """However the threads are scheduled, the gradients are added in the same order."""
    inputs, labels = rows_of(301, dtype)
    results = set()
    for _ in range(20):
        network = network_of(3, dtype=dtype)
        targets = network.loss.encode(labels, 3)
        for _ in range(5):
            network.forward_backward(inputs, targets)
            network.parameters.trainable[:] -= 0.1 * network.parameters.gradients
        results.add(network.parameters.values.tobytes())
    assert len(results) == 1


@pytest.mark.parametrize("rowwise", [False, True])
@pytest.mark.parametrize("rows", [1, 10, 11, 100, 1003])
def test_predictions_have_the_bits_of_one_thread(rows, rowwise):
    """The chunks are the same, whichever thread computes them."""
    inputs, _ = rows_of(rows, "float32")
    outputs = []
    for threads in (1, 2, 3):
        inference = network_of(dtype="float64", rowwise=True) if rowwise else None
        network = network_of(dtype="float32", inference=inference)
        if threads > 1:
            network.use_threads(ThreadPool(threads))
        for each in filter(None, (network, inference)):
            for one in each.replicas.networks if each.replicas else [each]:
                one.micro_batch_rows, one.inference_rows = 10, 10 if rowwise else None
        outputs.append(network.predict(inputs))
    assert all(each.tobytes() == outputs[0].tobytes() for each in outputs[1:])


class FileRows:
    """Rows of a file: each slice of them is read into memory. ``most`` is the largest number of rows read at once."""

    def __init__(self, rows):
        self._rows, self.most = rows, 0

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, rows):
        self.most = max(self.most, len(self._rows[rows]))
        return self._rows[rows]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_rows_of_a_file_are_read_chunk_by_chunk(threads):
    """On several threads as on one, so that memory does not grow with the number of rows."""
    inputs, _ = rows_of(1000)
    network, rows = network_of(threads), FileRows(inputs)
    expected = network.predict(inputs)
    size = network.micro_batch_rows = 100
    np.testing.assert_allclose(network.predict(rows), expected, rtol=1e-12)
    assert rows.most == size


@pytest.mark.usefixtures("short_steps_divided")
def test_replicas_follow_the_parameters():
    """After an update every replica has the new parameters, and penalties are added once."""
    inputs, labels = rows_of(8)
    network = network_of(2)
    targets = network.loss.encode(labels, 3)
    network.forward_backward(inputs, targets)
    network.parameters.values[:] = np.random.default_rng(9).normal(size=network.parameters.values.shape)
    network.forward_backward(inputs, targets)
    single = network_of()
    single.parameters.values[:] = network.parameters.values
    single.forward_backward(inputs, targets)
    np.testing.assert_allclose(network.parameters.gradients, single.parameters.gradients, rtol=1e-11, atol=1e-13)


def test_replicas_have_no_replicas():
    """Also if the number of threads changes: those of before are no longer needed."""
    network = network_of(2)
    network.use_threads(ThreadPool(3))
    assert [replica.replicas for replica in network.replicas.networks[1:]] == [None, None]


def test_passes_without_replicas_go_through_the_layers_of_the_network():
    """An observer of them sees every row."""
    network, seen = network_of(2), []
    network.micro_batch_rows = 4
    original = network.layers[0].forward
    network.layers[0].forward = lambda: seen.append(len(network.layers[0].inputs)) or original()
    with network.without_replicas():
        network.predict(rows_of(12)[0])
    assert sum(seen) == 12
    assert network.replicas is not None


@pytest.mark.parametrize(
    ("layers", "inputs", "rows", "by_rows", "by_products"),
    [
        ([Dense(50), ReLU(), Dense(3), Softmax()], 6, MIN_DIVIDED_ACTIVATIONS // 112 + 1, True, False),
        ([Dense(50), ReLU(), Dense(3), Softmax()], 6, MIN_DIVIDED_ACTIVATIONS // 112, False, False),
        ([Dense(50), ReLU(), Dropout(0.5), Dense(3), Softmax()], 6, 10_000, False, False),
        ([Dense(50), BatchNormalization(), ReLU(), Dense(3), Softmax()], 6, 10_000, False, False),
        ([Dense(512), ReLU(), Dense(10), Softmax()], 784, 128, False, True),
        ([Dense(512), ReLU(), Dropout(0.5), Dense(10), Softmax()], 784, 128, False, True),
        ([Dense(512), ReLU(), Dense(10), Softmax()], 784, 4, False, False),
    ],
)
def test_long_steps_are_divided(layers, inputs, rows, by_rows, by_products):
    """By rows or by products: that depends on the shapes, never on the clock."""
    network = Network(layers, CategoricalCrossentropy(), inputs, np.dtype("float32"))
    assert divides_rows(network.layers, network.widths, rows) is by_rows
    assert divides_products(network.layers, network.widths, rows) is by_products
    network.use_threads(ThreadPool(3))
    assert network.product_threads(rows) == (3 if by_products else 1)


@pytest.mark.usefixtures("short_steps_divided")
def test_gradients_are_added_in_the_order_of_the_parts():
    """To the bit: those of each part alone, times its fraction of the rows."""
    inputs, labels = rows_of(90)
    network, single = network_of(3, dtype="float64"), network_of()
    targets, total = network.loss.encode(labels, 3), 0
    for rows in balanced_slices(90, 3):
        single.scaled_gradients(1 / 3, inputs[rows], targets[rows], None, None)
        total = total + single.parameters.gradients
    network.replicas.accumulate_gradients(inputs, targets, None, None)
    assert network.parameters.gradients.tobytes() == total.tobytes()


@pytest.mark.usefixtures("short_steps_divided")
@pytest.mark.parametrize("threads", [1, 2])
def test_each_thread_splits_its_rows_into_micro_batches(threads):
    """The last pass of each replica has the rows of one of them."""
    network = network_of()
    network.micro_batch_rows = 9
    network.use_threads(ThreadPool(threads))
    inputs, labels = rows_of(64)
    network.forward_backward(inputs, network.loss.encode(labels, 3))
    for each in network.replicas.networks if network.replicas else [network]:
        assert each.bound.rows == 8


def test_earlier_replicas_are_freed():
    """A network that is divided again has only those of its threads."""
    network = network_of(2)
    earlier = weakref.ref(network.replicas)
    network.use_threads(ThreadPool(3))
    gc.collect()
    assert earlier() is None
    network.use_threads(ThreadPool(1))
    assert network.replicas is None


@pytest.mark.parametrize("threads", [1, 2])
def test_blas_predicts_on_one_thread(threads):
    """Whatever its number of threads is before, in each thread of the network."""
    network, seen, workers = network_of(threads), set(), set()
    networks = network.replicas.networks if network.replicas else [network]
    for each in networks:
        each.micro_batch_rows = 4
        original = each.layers[1].forward

        def forward(original=original):
            workers.add(threading.get_ident())
            seen.update(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")
            return original()

        each.layers[1].forward = forward
    with threadpool_limits(2, user_api="blas"):
        network.predict(rows_of(12)[0])
    assert seen == {1}
    assert len(workers) == threads
    assert {each.bound.rows for each in networks} == {4}


@pytest.mark.usefixtures("short_steps_divided")
def test_network_may_be_divided_after_passes():
    """The replicas bind arrays of their own."""
    network, (inputs, labels) = network_of(), rows_of(8)
    targets = network.loss.encode(labels, 3)
    network.forward_backward(inputs, targets)
    expected = network.parameters.gradients.copy()
    network.forward_backward(inputs[:4], targets[:4])  # as many rows as each of two threads gets
    network.use_threads(ThreadPool(2))
    assert all(replica.bound is None for replica in network.replicas.networks[1:])
    network.forward_backward(inputs, targets)
    np.testing.assert_allclose(network.parameters.gradients, expected, rtol=1e-11, atol=1e-13)
