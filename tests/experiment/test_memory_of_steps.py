"""The passes of steps that the memory estimate counts, compared with those of the networks that compute them."""

from math import inf

import numpy as np
import pytest

from nncli.experiment.assembly import assemble
from nncli.experiment.memory import TrainingMemory
from nncli.nn import microbatching, tensor_parallel
from nncli.nn.layers.layer import PassSpec
from nncli.nn.layers.parallel import AllGather, AllReduce
from nncli.processes import CAN_FORK
from nncli.training.loop import Trainer

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="processes are forked")

SEVEN, LAST = "{type: dense, units: 7}", "{type: dense, units: 5}, softmax"  # three and four of seven units
DROPPED = "{type: dropout, rate: 0.5}"


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("batch_size", ["null", 64])
@pytest.mark.parametrize("columns", [2, 10])  # ten are enough for row-major inputs of four units, and not of seven
@pytest.mark.parametrize(
    "layers", [f"{SEVEN}, relu, {LAST}", f"{SEVEN}, relu, {DROPPED}, {LAST}", LAST], ids=["two", "dropout", "one"]
)
def test_passes_are_those_of_the_networks(resolved, monkeypatch, layers, columns, batch_size, threads):
    """Of one process or of two: the rows of micro-batches, the layout of their inputs, and the bytes of all arrays."""
    monkeypatch.setattr(tensor_parallel, "MIN_DIVIDED_MACS", -inf)
    monkeypatch.setattr(microbatching, "MICRO_BATCH_BYTES", 1)
    monkeypatch.setattr(microbatching, "MIN_ACTIVATIONS_PER_PARAMETER", 20)
    np.save("inputs.npy", np.random.default_rng(0).normal(size=(150, columns)))
    np.save("targets.npy", np.arange(150) % 5)
    data = "data={type: arrays, path: inputs.npy, targets: targets.npy}", "validation=null"
    training = f"training.threads={threads}", f"training.batch_size={batch_size}"
    config, plan = resolved(*data, f"layers=[{layers}]", *training)
    memory, trainer = TrainingMemory(config, plan), Trainer(assemble(config, plan))
    with trainer.divided(threads):
        networks = [each.network for each in (trainer._parallel._shards if threads > 1 else [trainer])]
    assert len(networks) == threads
    sizes = {part.stop - part.start for part in trainer.parts()}
    for network in networks:
        row_major = network._prefers_row_major and batch_size != "null"
        passes = {rows.stop - rows.start for size in sizes for rows in network.micro_batches(size)}
        assert {spec for spec, _ in memory.training_passes()} == {PassSpec(rows, True, row_major) for rows in passes}
        exchanges = [layer for layer in network.layers if isinstance(layer, (AllGather, AllReduce))]
        rows = {len(half) for layer in exchanges for buffer in layer.buffers for half in buffer.halves}
        assert rows == ({min(network.micro_batch_rows, trainer.batch_size)} if threads > 1 else set())
    for spec, dtype in memory.training_passes():
        planned = sum(network.plan(spec).resident_bytes for network in networks)
        assert memory.planned({(spec, dtype): 1}) == planned
