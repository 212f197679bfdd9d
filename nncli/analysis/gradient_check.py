"""Checks the gradients of a config's network: against central differences in float64, and those of training steps."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from nncli.data.dataset import Random, some_weights
from nncli.errors import DivergedError, GateError
from nncli.experiment.assembly import Experiment, assemble
from nncli.experiment.numerics import allow_non_finite
from nncli.experiment.rng import Purpose, rngs
from nncli.nn.frozen_loss import FrozenLoss
from nncli.nn.gradcheck import GradientCheck, gradcheck
from nncli.nn.network import Network
from nncli.nn.stepcheck import ReferenceNetwork, StepCheck, check_step
from nncli.runner.run_config import load_any
from nncli.training.evaluate import examples
from nncli.training.loop import Trainer

TOLERANCE = 1e-6


@allow_non_finite
def check_gradients(
    path: Path, overrides: tuple[str, ...], rows: int, entries: int, runs: Path | None = None
) -> GradientCheck:
    """The gradients at the initial weights of a config: of a float64 copy, and of the steps that train.

    Args:
        path: the path of a config, or the path or the name of a run.
        overrides: values replaced in it.
        rows: the maximum number of rows of the training set for the central differences; more if a layer needs more.
            The config's seed determines which.
        entries: the maximum number of entries of each array to compare, chosen likewise.
        runs: the directory of runs, as for ``find_run``.

    Raises:
        CommandLineError, ConfigError, StorageError: as for ``load_any``.
        GateError: no row is left for the comparison, or the loss or a gradient is not finite.
    """
    loaded = load_any(path, overrides, runs)
    copy, *trained = (
        assemble(loaded.config.model_copy(update={"dtype": dtype}), loaded.plan)
        for dtype in ("float64", *dict.fromkeys((loaded.config.dtype, "float64")))
    )
    network, seed = copy.network, loaded.config.seed
    training_set, rng = examples(copy.data["training"], network), np.random.default_rng(seed)
    fewest = max(layer.min_batch_size for layer in network.layers)
    chosen = np.sort(rng.permutation(len(training_set.inputs))[: max(rows, fewest)])
    inputs, targets = (np.asfortranarray(each[chosen]) for each in (training_set.inputs, training_set.encoded))
    weights = some_weights(training_set.weights, chosen)
    loss = FrozenLoss(network, inputs, targets, lambda: np.random.default_rng(seed), weights)
    try:
        check = gradcheck(loss, entries, rng)
        return replace(check, steps=[step for each in trained for step in check_steps(each, network)])
    except (ValueError, DivergedError) as error:
        raise GateError(f"{path}: the gradients cannot be compared: {error}") from None


def check_steps(experiment: Experiment, copy: Network) -> Iterator[StepCheck]:
    """The gradients of training steps on the first two batches and the last one of an epoch.

    Each step starts from the initial weights, and gradients are not clipped.

    Args:
        experiment: the data, and the network in the dtype of training.
        copy: the same network in float64.

    Raises:
        DivergedError: a gradient is not finite in the dtype of training.
    """
    trainer, training_set = Trainer(experiment._replace(clipping=None)), examples(experiment.data["training"], copy)
    network, size, rows = experiment.network, trainer.batch_size, len(training_set.inputs)
    values, last = network.parameters.values, (rows - 1) // size
    initial = values.copy()
    for batch in sorted({0, min(1, last), last}):
        trainer.batch = batch
        before = deepcopy(experiment.rngs)
        batch_of_step = trainer.gather(next(trainer.parts()))
        order = before.of(Purpose.ORDER).permutation(rows) if size < rows else np.arange(rows)
        chosen = order[batch * size : (batch + 1) * size]
        values[...] = initial
        network.set_rng(masks(experiment))
        trainer.step(*batch_of_step)
        copy.parameters.values[...] = initial
        inputs, targets = (
            each[chosen].astype(network.dtype).astype(np.float64)
            for each in (training_set.inputs, training_set.encoded)
        )
        weights = some_weights(examples(experiment.data["training"], network).weights, chosen)
        micro_batch_rows = network.micro_batches(len(chosen))[0].stop
        reference = ReferenceNetwork(copy, inputs, targets, partial(masks, experiment), micro_batch_rows, weights)
        yield check_step(reference, network.parameters.gradients, batch, network)
    values[...] = initial


def masks(experiment: Experiment) -> Random:
    """A new generator of dropout masks, in the state in which each pass that is compared starts."""
    return rngs(experiment.config).of(Purpose.DROPOUT)
