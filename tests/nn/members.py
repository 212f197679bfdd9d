"""Members of a tensor-parallel network as threads of one process, one of which may be slow; and networks by name."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import inf
from threading import Condition

import nncli.experiment.loading  # noqa: F401 (registers all layers)
from nncli import registry
from nncli.nn.initializers import He
from nncli.nn.layers.dense import Dense
from nncli.nn.layers.dropout import Dropout
from nncli.nn.layers.parallel import Group

LAYERS = {
    **{each.name: each.target for each in registry.components("layer") if each.target is not Dense},
    "dropout": partial(Dropout, 0.3),
}

# architectures that can be divided among two and among three members, with the layers of each member
DIVISIBLE = {
    "3": "Dense AllGather",
    "3 softmax": "Dense AllGather Softmax",
    "3 sigmoid": "Dense AllGather Sigmoid",
    "3 dropout relu softmax": "Dense AllGather SharedDropout ReLU Softmax",
    "3 batch_normalization relu": "Dense BatchNormalization AllGather ReLU",
    "7 6": "Dense RowParallelDense AllReduce",
    "7 1 sigmoid": "Dense RowParallelDense AllReduce Sigmoid",
    "7 relu 1 linear": "Dense ReLU RowParallelDense AllReduce Linear",
    "7 relu 3 softmax": "Dense ReLU RowParallelDense AllReduce Softmax",
    "8 relu 3 relu softmax": "Dense ReLU RowParallelDense AllReduce ReLU Softmax",
    "7 relu 3 sigmoid": "Dense ReLU RowParallelDense AllReduce Sigmoid",
    "7 relu 5 tanh 3 softmax": "Dense ReLU RowParallelDense ReduceScatter Tanh RowParallelDense AllReduce Softmax",
    "7 elu 6 gelu 5 leaky_relu 3 linear": (
        "Dense ELU RowParallelDense ReduceScatter GELU RowParallelDense ReduceScatter LeakyReLU RowParallelDense "
        "AllReduce Linear"
    ),
    "dropout 7 relu 3 softmax": "SharedDropout Dense ReLU RowParallelDense AllReduce Softmax",
    "softmax 7 relu 3 softmax": "Softmax Dense ReLU RowParallelDense AllReduce Softmax",
    "7 relu dropout 5 dropout relu 3 softmax": (
        "Dense ReLU SharedDropout RowParallelDense ReduceScatter SharedDropout ReLU RowParallelDense AllReduce Softmax"
    ),
    "7 dropout relu dropout 3 softmax": "Dense SharedDropout ReLU SharedDropout RowParallelDense AllReduce Softmax",
    "7 relu 3 dropout softmax": "Dense ReLU RowParallelDense AllReduce SharedDropout Softmax",
    "7 batch_normalization relu 3 softmax": "Dense BatchNormalization ReLU RowParallelDense AllReduce Softmax",
    "7 relu 3 batch_normalization softmax": (
        "Dense ReLU RowParallelDense ReduceScatter BatchNormalization AllGather Softmax"
    ),
    "7 relu 3 batch_normalization": "Dense ReLU RowParallelDense ReduceScatter BatchNormalization AllGather",
    "7 batch_normalization dropout 5 batch_normalization relu 3 softmax": (
        "Dense BatchNormalization SharedDropout RowParallelDense ReduceScatter BatchNormalization ReLU "
        "RowParallelDense AllReduce Softmax"
    ),
    "7 relu 3 softmax linear": "Dense ReLU RowParallelDense AllReduce Softmax Linear",
}


class ThreadBarrier:
    """A barrier for threads; a slow member leaves it only when all others have arrived at the next one, or have ended.

    Args:
        count: the number of members.
        slow: the number of the slow member, if any.
    """

    def __init__(self, count, slow=None):
        self._count, self._slow, self._condition = count, slow, Condition()
        self.reset()

    def reset(self):
        """Begin anew, with no member waiting."""
        self._arrivals = [0] * self._count

    def wait(self, member):
        """Wait until all members have called this method as often as this one; a slow member: once more."""
        with self._condition:
            self._arrive(member, self._arrivals[member] + 1)
            others = [other for other in range(self._count) if other != member]
            required = self._arrivals[member] + (member == self._slow)
            assert self._condition.wait_for(lambda: all(self._arrivals[each] >= required for each in others), 30)

    def end(self, member):
        """Let no other member wait for this one any more."""
        with self._condition:
            self._arrive(member, inf)

    def _arrive(self, member, count):
        self._arrivals[member] = count
        self._condition.notify_all()


def group_of_threads(count, slow=None):
    """A group whose members are threads, one of which may be slow."""
    group = Group(count)
    group.barrier = ThreadBarrier(count, slow)
    return group


def run_members(group, function):
    """Call a function with the number of each member, all at once; return the results in the order of the members."""

    def call(number):
        try:
            return function(number)
        finally:
            group.barrier.end(number)

    group.barrier.reset()
    with ThreadPoolExecutor(group.count) as pool:
        return [*pool.map(call, range(group.count))]


def layers_of(text, **dense):
    """Layers by their names, with the units of dense layers, as in ``"5 relu 3 softmax"``.

    Args:
        text: the names.
        dense: arguments of each dense layer.
    """
    return [
        Dense(int(name), **{"initializer": He(), **dense}) if name.isdigit() else LAYERS[name]()
        for name in text.split()
    ]
