"""The size limits of a run's files: never below their sizes, and not far above."""

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
from nncli.store.records import ArrayRecord, to_json
from nncli.training.state import TrainingState
from tests.conftest import SPEC
from tests.examples import BINARY, LATE_TEST, NORMALIZED, SINE

WIDE = ("layers[0].units=100000",)  # so that the head is nothing beside a vector
OPTIMIZERS = [f"optimizer={entry.name}" for entry in components("optimizer")]


def described(workdir, *overrides):
    """The config with these overrides, its experiment, and the records of its arrays."""
    config = load(workdir / "config.yaml", overrides).config
    experiment = assemble(config)
    parameters = experiment.network.parameters
    dtype = parameters.values.dtype.str
    records = [ArrayRecord(name=name, shape=list(shape), dtype=dtype) for name, shape in parameters.shapes.items()]
    return config, experiment, records


def test_metrics_of_the_longest_values_are_within_the_limit(workdir):
    """Each epoch is logged with the longest values, and training diverges; the limit is at most twice the size."""
    for interval in (1, 7, 30):
        config, _, _ = described(workdir, f"training.log_every={interval}")
        row = ",".join(["30", *["-2.2250738585072014e-308"] * len(columns(config))]) + "\n"
        longest = len(",".join(("epoch", *columns(config))) + "\n") + (30 // interval + 3) * len(row)
        assert longest <= metric_columns.metrics_bytes(config) <= 2 * longest + metric_columns.SPARE_ROWS * len(row) * 2


@pytest.mark.slow
@pytest.mark.parametrize("overrides", [(), SINE, BINARY, NORMALIZED, LATE_TEST, ("dtype=float64",), WIDE])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_checkpoint_is_within_the_limit(workdir, overrides, optimizer):
    """The optimizer state and the best weights fit; a few more vectors do not."""
    config, experiment, records = described(workdir, *overrides, optimizer)
    values = experiment.network.parameters.values
    vectors = {"values": values, **experiment.optimizer.state, "best": values.copy()}
    states = dict.fromkeys(("rng", "rng_at_epoch_start"), experiment.rngs.state(within_epoch=True))
    state = TrainingState(epoch=1, batch=0, updates=1, vectors=vectors, **states)
    size = len(pack(Checkpoint(state, 9, "0" * 64, "0" * 64)))
    assert size <= limits.checkpoint_bytes(config, records) <= size + 2 * 2**20 + 4 * values.nbytes


@pytest.mark.parametrize("overrides", [(), SINE, BINARY, NORMALIZED, ("dtype=float64",)])
def test_weights_are_within_the_limit(workdir, overrides):
    """An archive of the network's arrays fits; one with additional arrays hardly does."""
    config, experiment, records = described(workdir, *overrides)
    size = len(pack_npz(experiment.network.parameters))
    assert size <= limits.weights_bytes(config, records) <= size + 1100 * len(records)


GIB = 2**30
UNITS = st.integers(1, 60_000)


@st.composite
def overrides(draw):
    """Overrides of the small config, from tiny networks to ones that fit on no machine."""
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


@pytest.mark.slow
@given(changes=overrides(), memory=st.sampled_from([GIB // 4, 4 * GIB, 64 * GIB, 1024 * GIB]))
def test_files_of_an_accepted_config_are_within_the_limits(changes, memory):
    """If a config passes its checks on a machine, each file it can write is read, and fits into memory there."""
    there = mock.patch.multiple("nncli.experiment.checks", available_memory=lambda: Memory(memory, "a machine"))
    document = parse("config.yaml", SPEC.encode(), changes)
    with there, suppress(ConfigError):
        config = resolve(*checked(document))
        widths = [2, *(layer.units for layer in config.layers if layer.type == "dense")]
        parameters = sum((one + 1) * other for one, other in pairwise(widths))
        size = parameters * (8 if config.dtype == "float64" else 4)
        shapes = [shape for one, other in pairwise(widths) for shape in ([one, other], [other])]
        records = [ArrayRecord(name="layers.0.weights", shape=shape, dtype="<f4") for shape in shapes]
        memories = {"sgd": 0, "nesterov": 1, "adagrad": 1, "rmsprop": 1}
        vectors = 2 + memories.get(config.optimizer.type, 2)
        row = 16 + 25 * len(columns(config))
        rows = config.training.epochs // config.training.log_every + 3
        written = {
            limits.checkpoint_bytes(config, records): vectors * size + 20_000,
            limits.weights_bytes(config, records): size + 300 * len(shapes),
            metric_columns.metrics_bytes(config): row * (rows + 1),
        }
        assert all(limit >= bytes_ for limit, bytes_ in written.items())
        assert all(bytes_ <= memory for bytes_ in written.values())


def test_run_json_of_the_largest_config_is_within_the_limit():
    """It has a thousand layers with all keys, overrides as long as a command line, and every data set."""
    config, plan = checked(parse("config.yaml", SPEC.encode(), ("layers[0].units=3",)))
    record = {"spec": config.model_dump(), "overrides": ["\x01" * 2**21], "parameters": []}
    record["schema"] = dict.fromkeys(("data", "validation", "test"), plan.schema.model_dump())
    record["spec"]["layers"] = [config.layers[0].model_dump()] * 1000
    record["parameters"] = [{"name": f"layers.{n}.weights", "shape": [10**9] * 2, "dtype": "<f8"} for n in range(4000)]
    assert len(to_json(record)) <= limits.RECORD


def test_config_whose_metrics_could_not_be_read_is_rejected(workdir, monkeypatch):
    """If the rows do not fit into memory, a larger log_every is suggested, and accepted."""
    monkeypatch.setattr("nncli.experiment.checks.available_memory", lambda: Memory(GIB, "this machine"))
    with pytest.raises(ConfigError, match=r"log_every: reading metrics.csv can need up to [\d,]+ (MiB|GiB)"):
        load(workdir / "config.yaml", ("training={epochs: 10000000, log_every: 1}",))
    load(workdir / "config.yaml", ("training={epochs: 10000000, log_every: 1000}",))
