"""How large a run's files can be: never smaller than they are, and not much larger."""

from contextlib import suppress
from itertools import pairwise
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncli.errors import ConfigError
from nncli.experiment import metric_columns
from nncli.experiment.assembly import assemble
from nncli.experiment.available_memory import Memory
from nncli.experiment.defaults import resolve
from nncli.experiment.loading import checked, load, parse
from nncli.experiment.metric_columns import columns
from nncli.registry import components
from nncli.store import size_limits as limits
from nncli.store.checkpoint import Checkpoint, pack
from nncli.store.npz import pack_npz
from nncli.store.records import ArrayRecord, sealed
from nncli.train.state import TrainingState
from tests.conftest import SPEC
from tests.examples import BINARY, LATE_TEST, NORMALIZED, SINE

WIDE = ("layers[0].units=100000",)  # so that the head is nothing beside a vector
OPTIMIZERS = [f"optimizer={entry.name}" for entry in components("optimizer")]


def made(workdir, *overrides):
    """The spec with these overrides, its experiment, and the records of its arrays."""
    spec = load(workdir / "config.yaml", overrides).config
    experiment = assemble(spec)
    parameters = experiment.network.parameters
    dtype = parameters.values.dtype.str
    records = [ArrayRecord(name=name, shape=list(shape), dtype=dtype) for name, shape in parameters.shapes.items()]
    return spec, experiment, records


def test_a_table_of_the_widest_numbers_is_within_the_limit(workdir):
    """Every logged epoch and a divergence, each number at its longest, and no more than twice that."""
    for interval in (1, 7, 30):
        spec, _, _ = made(workdir, f"training.log_every={interval}")
        row = ",".join(["30", *["-2.2250738585072014e-308"] * len(columns(spec))]) + "\n"
        longest = len(",".join(("epoch", *columns(spec))) + "\n") + (30 // interval + 3) * len(row)
        assert longest <= metric_columns.metrics_bytes(spec) <= 2 * longest + metric_columns.MORE_ROWS * len(row) * 2


@pytest.mark.parametrize("overrides", [(), SINE, BINARY, NORMALIZED, LATE_TEST, ("dtype=float64",), WIDE])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_checkpoint_is_within_the_limit(workdir, overrides, optimizer):
    """All that an optimizer remembers, and the best weights, fit; a few vectors more do not."""
    spec, experiment, records = made(workdir, *overrides, optimizer)
    values = experiment.network.parameters.values
    vectors = {"values": values, **experiment.optimizer.state, "best": values.copy()}
    states = dict.fromkeys(("rng", "rng_at_epoch_start"), experiment.rngs.state(within_epoch=True))
    state = TrainingState(epoch=1, batch=0, updates=1, vectors=vectors, **states)
    size = len(pack(Checkpoint(state, 9, "0" * 64, "0" * 64)))
    assert size <= limits.checkpoint_bytes(spec, records) <= size + 2 * 2**20 + 4 * values.nbytes


@pytest.mark.parametrize("overrides", [(), SINE, BINARY, NORMALIZED, ("dtype=float64",)])
def test_weights_are_within_the_limit(workdir, overrides):
    """An archive of the network's arrays fits; one with another array besides hardly does."""
    spec, experiment, records = made(workdir, *overrides)
    size = len(pack_npz(experiment.network.parameters))
    assert size <= limits.weights_bytes(spec, records) <= size + 1100 * len(records)


GIB = 2**30
UNITS = st.integers(1, 60_000)


@st.composite
def overrides(draw):
    """Changes of the small spec, from tiny networks to ones that no machine can hold."""
    hidden = ", ".join(f"{{type: dense, units: {units}}}, relu" for units in draw(st.lists(UNITS, max_size=3)))
    layers = f"[{hidden}{', ' if hidden else ''}{{type: dense, units: 3}}, softmax]"
    epochs, interval = draw(st.integers(1, 10**9)), draw(st.integers(1, 1000))
    stopping = draw(st.sampled_from(["null", f"{{metric: loss, patience: {interval}}}"]))
    return (
        f"layers={layers}",
        f"training={{epochs: {epochs}, log_every: {interval}, early_stopping: {stopping}}}",
        f"dtype={draw(st.sampled_from(['float32', 'float64']))}",
        f"rng={draw(st.sampled_from(['derived', 'nnfs']))}",
        draw(st.sampled_from(OPTIMIZERS)),
    )


@given(changes=overrides(), memory=st.sampled_from([GIB // 4, 4 * GIB, 64 * GIB, 1024 * GIB]))
def test_what_a_config_that_is_accepted_can_write_is_accepted_by_readers(changes, memory):
    """Sizes are counted here from the widths alone; on the machine on which the config passes its checks."""
    there = mock.patch.multiple("nncli.experiment.checks", available_memory=lambda: Memory(memory, "a machine"))
    document = parse("config.yaml", SPEC.encode(), changes)
    with there, suppress(ConfigError):
        spec = resolve(*checked(document))
        widths = [2, *(layer.units for layer in spec.layers if layer.type == "dense")]
        parameters = sum((one + 1) * other for one, other in pairwise(widths))
        size = parameters * (8 if spec.dtype == "float64" else 4)
        shapes = [shape for one, other in pairwise(widths) for shape in ([one, other], [other])]
        records = [ArrayRecord(name="layers.0.weights", shape=shape, dtype="<f4") for shape in shapes]
        memories = {"sgd": 0, "nesterov": 1, "adagrad": 1, "rmsprop": 1}
        vectors = 2 + memories.get(spec.optimizer.type, 2)
        row = 16 + 25 * len(columns(spec))
        rows = spec.training.epochs // spec.training.log_every + 3
        written = {
            limits.checkpoint_bytes(spec, records): vectors * size + 20_000,
            limits.weights_bytes(spec, records): size + 300 * len(shapes),
            metric_columns.metrics_bytes(spec): row * (rows + 1),
        }
        assert all(most >= bytes_ for most, bytes_ in written.items())
        assert all(bytes_ <= memory for bytes_ in written.values())


def test_run_json_of_the_largest_config_is_within_the_limit():
    """A thousand layers, each with all of its keys, overrides of a whole command line, and every data set."""
    spec, plan = checked(parse("config.yaml", SPEC.encode(), ("layers[0].units=3",)))
    record = {"spec": spec.model_dump(), "overrides": ["\x01" * 2**21], "parameters": []}
    record["schema"] = dict.fromkeys(("data", "validation", "test"), plan.schema.model_dump())
    record["spec"]["layers"] = [spec.layers[0].model_dump()] * 1000
    record["parameters"] = [{"name": f"layers.{n}.weights", "shape": [10**9] * 2, "dtype": "<f8"} for n in range(4000)]
    assert len(sealed(record)) <= limits.RECORD


def test_a_table_that_could_not_be_read_again_is_refused(workdir, monkeypatch):
    """More rows than fit into memory while they are read: a larger interval is suggested, and accepted."""
    monkeypatch.setattr("nncli.experiment.checks.available_memory", lambda: Memory(GIB, "this machine"))
    with pytest.raises(ConfigError, match=r"log_every: reading metrics.csv can need up to [\d,]+ (MiB|GiB)"):
        load(workdir / "config.yaml", ("training={epochs: 10000000, log_every: 1}",))
    load(workdir / "config.yaml", ("training={epochs: 10000000, log_every: 1000}",))
