"""The gradients of a config's network: compared with central differences in float64, and those of training steps."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from nncli.errors import DivergedError, GateError
from nncli.experiment.assembly import Experiment, assemble
from nncli.experiment.loading import load
from nncli.experiment.numerics import allow_non_finite
from nncli.experiment.rng import Purpose, rngs
from nncli.nn.gradcheck import FrozenLoss, GradientCheck, gradcheck
from nncli.nn.kernels.dropout_mask import Random
from nncli.nn.network import Network
from nncli.nn.stepcheck import ReferenceNetwork, StepCheck, check_step
from nncli.train.evaluate import examples
from nncli.train.loop import Trainer

TOLERANCE = 1e-6


@allow_non_finite
def check_gradients(path: Path, overrides: tuple[str, ...], rows: int, entries: int) -> GradientCheck:
    """The gradients at the initial weights of a config: of a float64 copy, and of the steps that train.

    Args:
        path: a config.
        overrides: values to be replaced in it.
        rows: how many rows of the training set the central differences use at most, picked by the config's seed; as many
            as a layer needs.
        entries: how many entries of each array to compare at most, picked likewise.

    Raises:
        GateError: no row is left on which the two could be compared, or the loss or a gradient is not finite.
    """
    loaded = load(path, overrides)
    copy, *trained = (
        assemble(loaded.config.model_copy(update={"dtype": dtype}), loaded.plan)
        for dtype in ("float64", *dict.fromkeys((loaded.config.dtype, "float64")))
    )
    network, seed = copy.network, loaded.config.seed
    part, rng = examples(copy.data["training"], network), np.random.default_rng(seed)
    fewest = max(layer.min_batch_size for layer in network.layers)
    chosen = np.sort(rng.permutation(len(part.inputs))[: max(rows, fewest)])
    inputs, targets = (np.asfortranarray(each[chosen]) for each in (part.inputs, part.encoded))
    try:
        check = gradcheck(FrozenLoss(network, inputs, targets, lambda: np.random.default_rng(seed)), entries, rng)
        return replace(check, steps=[step for each in trained for step in check_steps(each, network)])
    except (ValueError, DivergedError) as error:
        raise GateError(f"{path}: the gradients cannot be compared: {error}") from None


def check_steps(experiment: Experiment, copy: Network) -> Iterator[StepCheck]:
    """The gradients that steps of training leave, on the first two batches and the last one of an epoch.

    Each step begins at the initial weights. Gradients are not clipped.

    Args:
        experiment: as training has it.
        copy: its network in float64.

    Raises:
        DivergedError: a gradient is not finite in the dtype of training.
    """
    training, part = Trainer(experiment._replace(clipping=None)), examples(experiment.data["training"], copy)
    network, size, rows = experiment.network, training.batch_size, len(part.inputs)
    values, last = network.parameters.values, (rows - 1) // size
    initial = values.copy()
    for batch in sorted({0, min(1, last), last}):
        training.batch = batch
        before = deepcopy(experiment.rngs)
        inputs, targets = next(training.batches())
        order = before.of(Purpose.ORDER).permutation(rows) if size < rows else np.arange(rows)
        chosen = order[batch * size : (batch + 1) * size]
        values[...] = initial
        network.set_rng(masks(experiment))
        training.step(inputs, targets)
        copy.parameters.values[...] = initial
        held = [each[chosen].astype(network.dtype).astype(np.float64) for each in (part.inputs, part.encoded)]
        at_once = network.micro_batches(len(chosen))[0].stop
        own = ReferenceNetwork(copy, held[0], held[1], partial(masks, experiment), at_once)
        yield check_step(own, network.parameters.gradients, batch, network)
    values[...] = initial


def masks(experiment: Experiment) -> Random:
    """The stream of dropout masks with which each compared pass begins."""
    return rngs(experiment.config.rng, experiment.config.seed).of(Purpose.DROPOUT)
