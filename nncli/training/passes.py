"""Passes of a training over its rows: how many fit between two yields, and the dropout masks that they draw."""

from nncli.nn.layers.layer import PassSpec
from nncli.nn.network import Network

MACS_BETWEEN_YIELDS = 1 << 25  # multiply-accumulate operations of forward passes


def steps_between_yields(network: Network, rows: int) -> int:
    """The number of steps between two yields, by the work of a step: at most 100, or a few milliseconds."""
    macs = rows * sum(
        layer.multiply_adds(columns) for layer, columns in zip(network.layers, network.widths, strict=False)
    )
    return max(1, min(100, MACS_BETWEEN_YIELDS // max(1, macs)))


def draw_masks(network: Network, rows: int, batches: int) -> None:
    """Advance the generator of the dropout masks by the draws of some training passes.

    Args:
        network: the network whose layers draw the masks.
        rows: the number of rows per batch.
        batches: the number of batches, one pass over each.
    """
    for micro_batch in network.micro_batches(rows) * batches:
        network.bind(PassSpec(micro_batch.stop - micro_batch.start, training=True))
        for layer in network.layers:
            if not layer.is_identity(training=True):
                layer.draw()
