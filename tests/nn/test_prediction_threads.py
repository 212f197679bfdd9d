"""Predictions whose rows are divided among threads."""

import gc
import threading
import time
import weakref

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from nncli.nn.activations import ReLU, Softmax
from nncli.nn.initializers import He
from nncli.nn.layers.dense import Dense
from nncli.nn.losses.cross_entropy import CategoricalCrossentropy
from nncli.nn.network import Network
from nncli.threads import ThreadPool

COLUMNS = 6


def network_of(threads=1, dtype="float64", **options):
    """A network whose predictions are divided among some threads."""
    layers = [Dense(50, initializer=He()), ReLU(), Dense(3, initializer=He()), Softmax()]
    network = Network(layers, CategoricalCrossentropy(), COLUMNS, np.dtype(dtype), **options)
    network.initialize(np.random.default_rng(0))
    if threads > 1:
        network.use_threads(ThreadPool(threads))
    return network


def inputs_of(rows, dtype="float64"):
    return np.random.default_rng(3).normal(size=(rows, COLUMNS)).astype(dtype)


def networks_of_threads(network):
    """The network of each thread: this one, and its replicas."""
    return [network, *network._replicas]


@pytest.mark.parametrize("rowwise", [False, True])
@pytest.mark.parametrize("rows", [1, 10, 11, 100, 1003])
def test_predictions_have_the_bits_of_one_thread(rows, rowwise):
    """The chunks are the same, whichever thread computes them."""
    inputs, outputs = inputs_of(rows, "float32"), []
    for threads in (1, 2, 3):
        inference = network_of(rowwise=True) if rowwise else None
        network = network_of(dtype="float32", inference=inference)
        network.use_threads(ThreadPool(threads))
        computing = networks_of_threads(inference or network)
        assert len(computing) == threads
        for each in computing:
            each.micro_batch_rows, each.inference_rows = 10, 10 if rowwise else None
        outputs.append(network.predict(inputs))
    assert all(each.tobytes() == outputs[0].tobytes() for each in outputs[1:])


@pytest.mark.parametrize("slow", [0, 1])
def test_a_slow_thread_computes_fewer_chunks(slow):
    """The other one takes those that are left."""
    network, computed = network_of(2), []
    both_have_one, other_is_done = threading.Barrier(2, timeout=10), threading.Event()
    for index, each in enumerate(networks_of_threads(network)):
        each.micro_batch_rows = 10
        original = each.layers[0].forward

        def forward(index=index, original=original):
            if index not in computed:
                both_have_one.wait()
            computed.append(index)
            if computed.count(1 - slow) == 9:
                other_is_done.set()
            if index == slow:
                assert other_is_done.wait(timeout=10)
            return original()

        each.layers[0].forward = forward
    inputs = inputs_of(100)
    assert network.predict(inputs).tobytes() == chunked(network_of(), inputs, 10).tobytes()
    assert (computed.count(slow), computed.count(1 - slow)) == (1, 9)


@pytest.mark.parametrize("failing", [0, 1])
def test_an_exception_in_a_thread_ends_the_other(failing):
    """After its chunk: Ctrl-C, which interrupts the calling thread, does not wait for the rest of the rows."""
    network, computed = network_of(2), []
    both_have_one = threading.Barrier(2, timeout=10)

    def fail():
        both_have_one.wait()
        raise KeyboardInterrupt

    def compute_slowly():
        if not computed:
            both_have_one.wait()
        computed.append(1)
        time.sleep(0.001)

    for index, each in enumerate(networks_of_threads(network)):
        each.micro_batch_rows = 1
        each.layers[0].forward = fail if index == failing else compute_slowly
    with pytest.raises(KeyboardInterrupt):
        network.predict(inputs_of(1000))
    assert 0 < len(computed) < 999


@pytest.mark.parametrize(("rows", "others"), [(8, 5), (1, 8)])
def test_predictions_after_an_interrupted_bind(rows, others, monkeypatch):
    """Layers that have the arrays of two passes would compute an error, or return the outputs of an earlier row."""
    network, inputs = network_of(), inputs_of(16)
    network.predict(inputs[:rows])

    def interrupt(*arrays):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(network.layers[1], "bind", interrupt)
        with pytest.raises(KeyboardInterrupt):
            network.predict(inputs[:others])
    assert network.predict(inputs[-rows:]).tobytes() == network_of().predict(inputs[-rows:]).tobytes()


def chunked(network, inputs, size):
    """The predictions of a network in chunks of ``size`` rows."""
    return np.concatenate([network.predict(inputs[start : start + size]) for start in range(0, len(inputs), size)])


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("rowwise", [False, True])
def test_predictions_of_no_rows_are_empty(threads, rowwise):
    """Their columns are those of the outputs."""
    network = network_of(threads, "float32", inference=network_of(threads, rowwise=True) if rowwise else None)
    outputs = network.predict(inputs_of(0))
    assert (outputs.shape, outputs.dtype) == ((0, 3), np.float32)


class RecordedThreads(ThreadPool):
    """Threads that record the number of tasks of each run."""

    def __init__(self, count):
        super().__init__(count)
        self.runs = []

    def run(self, tasks):
        """Record the number of tasks, then run them."""
        self.runs.append(len(tasks))
        super().run(tasks)


@pytest.mark.parametrize(("rows", "used"), [(1, 1), (10, 1), (11, 2), (30, 3), (31, 3), (100, 3)])
def test_no_thread_is_without_a_chunk(rows, used):
    """A prediction of few chunks uses as many threads as there are chunks; a single one begins no thread."""
    network, pool = network_of(), RecordedThreads(3)
    network.use_threads(pool)
    for each in networks_of_threads(network):
        each.micro_batch_rows = 10
    network.predict(inputs_of(rows))
    assert pool.runs == [used]


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
    inputs = inputs_of(1000)
    network, rows = network_of(threads), FileRows(inputs)
    expected = network.predict(inputs)
    size = network.micro_batch_rows = 100
    np.testing.assert_allclose(network.predict(rows), expected, rtol=1e-12)
    assert rows.most == size


def test_predictions_follow_the_parameters():
    """The networks of all threads have the same parameters, also after an update."""
    network, single, inputs = network_of(3), network_of(), inputs_of(9)
    for each in (network, single):
        each.micro_batch_rows = 1
        each.predict(inputs)
        each.parameters.values[:] = np.random.default_rng(9).normal(size=each.parameters.values.shape)
    assert network.predict(inputs).tobytes() == single.predict(inputs).tobytes()


def test_replicas_have_no_replicas():
    """Also if the number of threads changes: those of before are no longer needed."""
    network = network_of(2)
    network.use_threads(ThreadPool(3))
    assert [replica._replicas for replica in network._replicas] == [[], []]


@pytest.mark.parametrize("rowwise", [False, True])
def test_passes_without_replicas_go_through_the_layers_of_the_network(rowwise):
    """An observer of them sees every row, also of a network for inference; then the threads compute again."""
    network = network_of(2, inference=network_of(2, rowwise=True) if rowwise else None)
    computing, seen = network.inference or network, []
    computing.micro_batch_rows = computing.inference_rows = 4
    original, replicas = computing.layers[0].forward, computing._replicas
    computing.layers[0].forward = lambda: seen.append(len(computing.layers[0].inputs)) or original()
    with network.without_replicas():
        assert networks_of_threads(computing) == [computing]
        network.predict(inputs_of(12))
    assert sum(seen) == 12
    replica, is_used = replicas[0].layers[0], threading.Event()
    forward = replica.forward
    replica.forward = lambda: is_used.set() or forward()
    computing.layers[0].forward = lambda: is_used.wait(timeout=10) and original()
    network.predict(inputs_of(12))
    assert is_used.is_set()
    assert computing._replicas is replicas


def test_replicas_are_restored_after_an_exception():
    """As after any other end of a pass without them."""
    network = network_of(3)
    with pytest.raises(ValueError, match="inside"), network.without_replicas():
        raise ValueError("inside")
    assert len(network._replicas) == 2


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_blas_predicts_on_one_thread(threads):
    """Whatever its number of threads is before, in each thread of the network."""
    network, seen, workers = network_of(threads), set(), set()
    barrier = threading.Barrier(threads, timeout=10)
    for each in networks_of_threads(network):
        each.micro_batch_rows = 4
        original = each.layers[1].forward

        def forward(original=original):
            barrier.wait()
            workers.add(threading.get_ident())
            seen.update(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")
            return original()

        each.layers[1].forward = forward
    with threadpool_limits(2, user_api="blas"):
        network.predict(inputs_of(4 * threads))
    assert seen == {1}
    assert len(workers) == threads
    assert {each.bound.rows for each in networks_of_threads(network)} == {4}


def test_network_may_be_divided_after_passes():
    """The replicas bind arrays of their own."""
    network, inputs = network_of(), inputs_of(8)
    network.micro_batch_rows = 4
    expected = network.predict(inputs)
    network.use_threads(ThreadPool(2))
    assert [replica.bound for replica in network._replicas] == [None]
    assert network.predict(inputs).tobytes() == expected.tobytes()
    first, second = networks_of_threads(network)
    assert not np.shares_memory(first.forward(inputs[:4]), second.forward(inputs[4:]))


@pytest.fixture
def without_garbage_collector():
    """Objects are freed at the end of their last reference only."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_garbage_collector")
def test_earlier_replicas_are_freed():
    """A network that is divided again has only those of its threads."""
    network = network_of(2)
    network.predict(inputs_of(8))
    earlier = weakref.ref(network._replicas[0])
    network.use_threads(ThreadPool(3))
    assert earlier() is None
    network.use_threads(ThreadPool(1))
    assert network._replicas == []


@pytest.mark.usefixtures("without_garbage_collector")
@pytest.mark.parametrize("threads", [1, 2])
def test_network_is_freed_with_its_last_reference(threads):
    """Nothing in it refers to it, so that the memory of its passes is not kept until the garbage collector runs."""
    network, inputs = network_of(threads), inputs_of(8)
    network.forward_backward(inputs, network.loss.encode(np.zeros(8, int), 3))
    network.predict(inputs)
    freed = weakref.ref(network)
    del network
    assert freed() is None
