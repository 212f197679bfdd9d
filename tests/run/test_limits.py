"""How large a run's files can be: never smaller than they are, and not much larger."""

import pytest

from nncli.registry import components
from nncli.run import limits
from nncli.run.assembly import assemble
from nncli.run.checkpoint import Position, pack
from nncli.run.directory import packed_weights
from nncli.run.evaluation import columns
from nncli.run.loading import load
from nncli.run.records import ArrayRecord
from tests.run.examples import BINARY, LATE_TEST, NORMALIZED, SINE

WIDE = ("layers[0].units=100000",)  # so that the head is nothing beside a vector
OPTIMIZERS = [f"optimizer={entry.name}" for entry in components("optimizer")]


def made(here, *overrides):
    """The spec with these overrides, its experiment, and the records of its arrays."""
    spec = load(here / "config.yaml", overrides).spec
    experiment = assemble(spec)
    parameters = experiment.network.parameters
    dtype = parameters.values.dtype.str
    records = [ArrayRecord(name=name, shape=list(shape), dtype=dtype) for name, shape in parameters.shapes.items()]
    return spec, experiment, records


def test_a_table_of_the_widest_numbers_is_within_the_limit(here):
    """Every logged epoch and a divergence, each number at its longest, and no more than twice that."""
    for interval in (1, 7, 30):
        spec, _, _ = made(here, f"training.log_every={interval}")
        row = ",".join(["30", *["-2.2250738585072014e-308"] * len(columns(spec))]) + "\n"
        longest = len(",".join(("epoch", *columns(spec))) + "\n") + (30 // interval + 3) * len(row)
        assert longest <= limits.metrics_bytes(spec) <= 2 * longest + limits.MORE_ROWS * len(row) * 2


@pytest.mark.parametrize("overrides", [(), SINE, BINARY, NORMALIZED, LATE_TEST, ("dtype=float64",), WIDE])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_checkpoint_is_within_the_limit(here, overrides, optimizer):
    """All that an optimizer remembers, and the best weights, fit; a few vectors more do not."""
    spec, experiment, records = made(here, *overrides, optimizer)
    values = experiment.network.parameters.values
    vectors = {"values": values, **experiment.optimizer.memory, "best": values.copy()}
    states = dict.fromkeys(("random", "random_before"), experiment.streams.state(under_way=True))
    digest = "0" * 64
    position = Position(epoch=1, batch=0, updates=1, metrics_bytes=9, metrics_sha256=digest, **states)
    size = len(pack(position, vectors, digest))
    assert size <= limits.checkpoint_bytes(spec, records) <= size + 2 * 2**20 + 4 * values.nbytes


@pytest.mark.parametrize("overrides", [(), SINE, BINARY, NORMALIZED, ("dtype=float64",)])
def test_weights_are_within_the_limit(here, overrides):
    """An archive of the network's arrays fits; one with another array besides hardly does."""
    spec, experiment, records = made(here, *overrides)
    size = len(packed_weights(experiment.network.parameters))
    assert size <= limits.weights_bytes(spec, records) <= size + 1100 * len(records)
