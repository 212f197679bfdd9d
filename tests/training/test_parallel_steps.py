"""Steps that processes divide compute what one process computes, but for rounding, and the same bits each time."""

import os
import re

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from nncli.data.batches import Batches
from nncli.nn import microbatching
from nncli.nn.kernels import blas
from nncli.processes import CAN_FORK
from nncli.registry import components
from nncli.training.parallel_steps import ParallelSteps
from tests.examples import BINARY, SINE, WARM_COSINE
from tests.fault_injection.child_processes import children
from tests.training.divided import require_agreement, same_bits, trained

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="processes are forked")

EXACT = "dtype=float64"
BATCHES = "training.batch_size=16"  # of 60 rows: the last one of an epoch has 12
FIVE = ("data={type: spiral, samples: 12, classes: 5}", "validation.classes=5")
NINE, SEVEN, LAST = "{type: dense, units: 9}", "{type: dense, units: 7}", "{type: dense, units: 5}, softmax"
DROPPED = "{type: dropout, rate: 0.3}"
PENALTIES = "l1: 1e-3, l2: 2e-3, bias_l1: 3e-3, bias_l2: 4e-3"
NETWORKS = {
    "one layer": LAST,
    "one layer and sigmoid": "{type: dense, units: 5}, sigmoid",
    "two layers": f"{NINE}, relu, {LAST}",
    "three layers": f"{NINE}, relu, {SEVEN}, tanh, {LAST}",
    "four layers": f"{NINE}, relu, {SEVEN}, gelu, {{type: dense, units: 6}}, sigmoid, {LAST}",
    "layers without activations": f"{NINE}, {SEVEN}, linear, linear, {LAST}",
    "dropout": f"{NINE}, relu, {DROPPED}, {SEVEN}, {DROPPED}, relu, {LAST}",
    "dropout of inputs": f"{DROPPED}, {NINE}, relu, {LAST}",
    "dropout of outputs": f"{NINE}, relu, {{type: dense, units: 5}}, {DROPPED}, softmax",
    "batch normalization": f"{NINE}, batch_normalization, relu, {SEVEN}, batch_normalization, tanh, {LAST}",
    "normalized outputs": f"{NINE}, relu, {{type: dense, units: 5}}, batch_normalization, softmax",
    "normalization after an activation": f"{NINE}, relu, batch_normalization, {LAST}",
    "penalties": f"{{type: dense, units: 9, {PENALTIES}}}, relu, {{type: dense, units: 7, {PENALTIES}}}, relu, "
    f"{{type: dense, units: 5, {PENALTIES}}}, softmax",
    "different initial weights": "{type: dense, units: 9, initializer: {type: normal, scale: 2}}, relu, " + LAST,
}


def of(layers):
    """The overrides of a network for five classes."""
    loss = ("loss=binary_crossentropy",) if layers.endswith("sigmoid") else ()
    return (*FIVE, f"layers=[{layers}]", *loss, EXACT)


@pytest.mark.parametrize("batches", [(), (BATCHES,)], ids=["full batch", "mini-batches"])
@pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)
def test_processes_agree_with_one(divided, layers, batches):
    """Two, three and four: in metrics, weights, running statistics, optimizer state and gradients."""
    one = trained(divided(1, *of(layers), *batches))
    for processes in (2, 3, 4):
        require_agreement(one, trained(divided(processes, *of(layers), *batches)))


SETTINGS = {
    **{f"optimizer {each.name}": (f"optimizer={{type: {each.name}, decay: 0.1}}",) for each in components("optimizer")},
    "momentum": ("optimizer={type: sgd, momentum: 0.9}",),
    "schedule step": ("schedule={type: step, every: 2, gamma: 0.5}",),
    "schedule exponential": ("schedule={type: exponential, gamma: 0.9}",),
    "schedule cosine": ("schedule=cosine",),
    "schedule warmup": (WARM_COSINE,),
    "clipping by norm": ("clipping={type: norm, limit: 0.01}",),
    "clipping by value": ("clipping={type: value, limit: 0.001}",),
    "clipping with penalties": ("clipping={type: norm, limit: 0.01}", "regularization.l2=0.1"),
    "generator of the book": ("rng=nnfs", f"layers=[{NINE}, relu, {DROPPED}, {{type: dense, units: 3}}, softmax]"),
    "a number": (*SINE,),
    "two classes": (*BINARY,),
    "an output per class": ("layers[3]=sigmoid", "loss=binary_crossentropy"),
}


@pytest.mark.parametrize("changes", SETTINGS.values(), ids=SETTINGS)
def test_settings_mean_the_same_on_processes(divided, changes):
    """Each optimizer, schedule and clipping, each kind of task, and one generator for all epochs."""
    one, two = (trained(divided(each, *changes, EXACT, BATCHES)) for each in (1, 2))
    require_agreement(one, two)


@pytest.mark.parametrize("component", ["schedule", "clipping"])
def test_every_component_is_tested(component):
    """A new one needs an entry; optimizers have one each."""
    entries = [change for changes in SETTINGS.values() for change in changes]
    for name in (each.name for each in components(component)):
        assert any(re.match(rf"{component}=({{type: )?{name}\b", change) for change in entries), name


@pytest.mark.parametrize("processes", [2, 3])
def test_steps_have_their_processes(divided, processes):
    """One is the parent; the others begin and end with training."""
    trainer, before = divided(processes), children()
    assert [len(children() - before) for _ in trainer.epochs()] == [processes - 1] * 4
    assert children() == before


def test_each_row_has_its_weight(divided, workdir):
    """Weights of rows and classes in the loss are those of one process; without them the result is another one."""
    lines = [f"{i % 5},{i * i % 11},{'aab'[i % 3]},{i % 4}" for i in range(50)]
    (workdir / "data.csv").write_text("\n".join(["x,y,kind,w", *lines]), encoding="utf-8")
    table = "type: table, path: data.csv, target: kind, sample_weight: w"
    results = []
    for processes, more in ((1, "class_weights: balanced"), (2, "class_weights: balanced"), (2, "class_weights: null")):
        changes = (f"data={{{table}, {more}}}", "validation=null", "layers[2].units=2", EXACT, BATCHES)
        results.append(trained(divided(processes, *changes)))
    require_agreement(results[0], results[1])
    assert not np.allclose(results[0]["values"], results[2]["values"])


def test_rows_of_a_file_are_read_by_all_processes(divided, workdir):
    """A memory map of bytes, of which each process reads the rows of a batch; several columns of targets."""
    rng = np.random.default_rng(0)
    np.save(workdir / "inputs.npy", rng.integers(0, 256, (70, 3, 2), np.uint8))
    np.save(workdir / "targets.npy", rng.random((70, 3)))
    data = ("data={type: arrays, path: inputs.npy, targets: targets.npy}", "validation={fraction: 0.2}")
    task = ("layers[3]=linear", "loss=mean_squared_error", "metrics=[r2]")
    one, three = (trained(divided(each, *data, *task, EXACT, BATCHES)) for each in (1, 3))
    require_agreement(one, three)


def test_losses_are_those_of_the_rows(divided):
    """Of each row of a batch, also of the smaller one that ends an epoch; the rest of the array stays."""
    trainer = divided(2, EXACT, BATCHES)
    losses, batches, network = np.zeros(16), trainer._batches, trainer.network
    steps = ParallelSteps(network, trainer.optimizer, batches, 2, losses=losses)
    for part in trainer.parts():
        losses[...] = -1
        steps.gradients(part)
        inputs, targets, _ = trainer.gather(part)
        rows = len(inputs)
        np.testing.assert_allclose(losses[:rows], network.losses(network.forward(inputs), targets), rtol=1e-12)
        assert (losses[rows:] == -1).all()
    steps.close()


@pytest.mark.parametrize("layers", ["two layers", "dropout of inputs", "dropout of odd width"])
def test_micro_batches_agree(divided, monkeypatch, layers):
    """Gradients are accumulated over the same rows; the masks of dropout do not depend on the number of processes."""
    monkeypatch.setattr(microbatching, "MICRO_BATCH_BYTES", 1)
    monkeypatch.setattr(microbatching, "MIN_ACTIVATIONS_PER_PARAMETER", 3)
    network = {**NETWORKS, "dropout of odd width": f"{NINE}, relu, {DROPPED}, {LAST}"}[layers]
    one, *others = (divided(each, *of(network)) for each in (1, 2, 3))
    assert len(one.network.micro_batches(60)) > 1
    expected = trained(one)
    for other in others:
        require_agreement(expected, trained(other))


@pytest.mark.parametrize("layers", ["batch normalization", "dropout"])
def test_batches_that_cannot_be_split_are_exchanged_as_a_whole(divided, monkeypatch, layers):
    """Although a micro-batch would have fewer rows."""
    monkeypatch.setattr(microbatching, "MICRO_BATCH_BYTES", 1)
    one, two = (divided(each, *of(NETWORKS[layers])) for each in (1, 2))
    assert one.network.micro_batch_rows < 60
    require_agreement(trained(one), trained(two))


@pytest.mark.parametrize("changes", [(), ("rng=nnfs",), (BATCHES, "clipping={type: norm, limit: 0.01}")])
@pytest.mark.parametrize("processes", [2, 3])
def test_equal_numbers_give_equal_bits(divided, processes, changes):
    """Two trainings of one config, in float32 too; whether steps are divided is a matter of rounding only."""
    layers = of(NETWORKS["dropout"])[:-1]
    one, other = (trained(divided(processes, *layers, *changes)) for _ in range(2))
    assert same_bits(one, other)
    require_agreement(trained(divided(1, *layers, *changes)), one, tolerance=1e-3)


def test_saturated_outputs_have_the_gradient_of_the_fused_formula(divided):
    """A sigmoid of 40 is 1 in float64; its error of 1 is not multiplied by a clipped probability."""
    large = "{type: dense, units: 5, initializer: {type: normal, scale: 100}}, sigmoid"
    one, two = (trained(divided(each, *of(large))) for each in (1, 2))
    require_agreement(one, two)


def test_early_stopping_keeps_the_same_epoch(divided):
    """The best weights are those of the whole network at that epoch, and training ends as on one process."""
    changes = (
        "training.early_stopping={metric: loss, patience: 3}",
        "optimizer.learning_rate=0.5",
        "training.epochs=30",
    )
    trainers = [divided(each, *changes, EXACT, BATCHES) for each in (1, 2)]
    one, two = map(trained, trainers)
    require_agreement(one, two)
    assert one["best"].any()
    assert not np.array_equal(one["best"], one["values"])
    kept = [trainer.keep_best() for trainer in trainers]
    assert kept[0] == kept[1] == trainers[1].stopping.best.epoch
    assert np.array_equal(trainers[1].network.parameters.values, two["best"])


def test_processes_have_one_blas_thread(divided, monkeypatch):
    """Also if the program allows BLAS more of them, and begins to divide steps outside of a computation."""

    def gather(batches, part, original=Batches.gather):
        counts = {library.get_num_threads() for library in blas._libraries()}
        if os.getpid() != parent and counts != {1}:
            raise ValueError(f"{counts} threads")
        return original(batches, part)

    monkeypatch.setattr(Batches, "gather", gather)
    parent, trainer = os.getpid(), divided(2)
    with threadpool_limits(2, user_api="blas"), trainer.divided(2):
        trainer.train_batch(next(trainer.parts()))
