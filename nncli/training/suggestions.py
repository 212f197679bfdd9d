"""Suggestions: what to change in a config whose training produced NaN or infinity, or learned nothing."""

from typing import Any

import numpy as np

from nncli.data.dataset import row_blocks
from nncli.experiment.assembly import Experiment
from nncli.nn.layers.dense import Dense
from nncli.nn.optimizers.optimizer import Optimizer
from nncli.nn.parameters import Array

LARGE = 1e3  # data beyond this is worth scaling in any case
FIX_ROW = "take the row out, or replace the value"
SMALLER_WEIGHTS = "write smaller initial weights, such as initializer: {type: normal, scale: 0.01}"
CLIPPING = "clipping: {type: norm, limit: 1}"
LARGEST_CLIPPED_RATE = 10  # with a larger learning rate even a clipped gradient makes too large a step
FLOAT64 = "dtype: float64"
LONGER = 10  # times as many epochs
VANISHED = 1e-3  # absolute value; a dense layer whose weights are all below it passes next to nothing on
SLOWED_DOWN = 0.01  # fraction of the initial learning rate; below it, ``decay`` has ended the training


def suggestion(experiment: Experiment) -> str:
    """What may help if values have overflowed."""
    if experiment.optimizer.updates == 0:
        return ", or ".join([*scaling(experiment), SMALLER_WEIGHTS])
    optimizer, defaults = experiment.optimizer, _optimizer_defaults(experiment)
    if decays_too_fast(optimizer) and weight_decay(optimizer) > defaults["weight_decay"]:
        return f"write weight_decay: {min(defaults['weight_decay'], 1 / optimizer.learning_rate):g}"
    smaller, default = optimizer.learning_rate / 10, defaults["learning_rate"]
    slower = f"write learning_rate: {smaller if default is ... else min(smaller, default):g}"
    may_clip = not experiment.clipping and optimizer.learning_rate <= LARGEST_CLIPPED_RATE
    return ", or ".join([*scaling(experiment), f"{slower} or {CLIPPING}" if may_clip else slower])


def against_dead_layer(experiment: Experiment, index: int) -> str:
    """What may help if the layer with this index has the same outputs for all rows, but not its inputs."""
    if vanished_layer(experiment, index) is not None and (shrinking := _shrinking(experiment)):
        return ", or ".join(shrinking)
    return ", or ".join([suggestion(experiment), *_initializers(experiment, index)])


def vanished_layer(experiment: Experiment, index: int) -> int | None:
    """The dense layer whose weights are why the layer with this index has the same outputs for all rows, if any.

    It is the last one at or before that layer. A dense layer that is the first one with the same outputs has lost its
    weights itself; before another layer, they must be almost 0.
    """
    layers = experiment.network.layers[: index + 1]
    dense = {each: layer.weights for each, layer in enumerate(layers) if isinstance(layer, Dense)}
    last = max(dense, default=None)
    return last if last in (None, index) or np.abs(dense[last]).max() < VANISHED else None


def against_no_progress(experiment: Experiment, is_rising: bool = False) -> str:
    """What may help if the network is no better than before training, or no better than a constant prediction.

    Args:
        experiment: the experiment.
        is_rising: whether the loss is higher than before training.
    """
    optimizer = experiment.optimizer
    if is_rising:
        return suggestion(experiment)
    if optimizer.decay and optimizer.rate < optimizer.learning_rate * SLOWED_DOWN:
        rate = f"the learning rate has decayed to {optimizer.rate:.3g}"
        return f"write a smaller optimizer.decay, since {rate}"
    default = _optimizer_defaults(experiment)["learning_rate"]
    if default is not ... and optimizer.learning_rate <= default / 10:
        return ", or ".join([*scaling(experiment), f"write learning_rate: {default:g}"])
    longer = against_short_training(experiment)
    return ", or ".join([*scaling(experiment), *_shrinking(experiment), longer, "change learning_rate"])


def against_short_training(experiment: Experiment, is_stopped: bool = False) -> str:
    """What may help if the network had few updates.

    Args:
        experiment: the experiment.
        is_stopped: whether early stopping ended the training.
    """
    settings = experiment.config.training
    if is_stopped and settings.early_stopping:
        return f"write patience: {LONGER * settings.early_stopping.patience} in early_stopping"
    return f"write epochs: {LONGER * settings.epochs}"


def against_overfitting(experiment: Experiment) -> str:
    """What may help if the network is good on the training set only."""
    settings = [] if experiment.network.penalties else ["regularization: {l2: 1e-3}"]
    settings += [] if experiment.config.training.early_stopping else ["early_stopping"]
    return f"write {' or '.join([*settings, 'fewer units'])}"


def squares_suggestion(experiment: Experiment) -> str | None:
    """What may help if the gradients are finite but their squares overflow; None if this is not the case."""
    parameters, suggestions = experiment.network.parameters, scaling(experiment)
    if not np.isfinite(parameters.gradients).all() or np.isfinite(parameters.gradients.dot(parameters.gradients)):
        return None
    settings = [] if experiment.clipping else [CLIPPING]
    settings += [] if experiment.network.dtype == np.float64 else [FLOAT64]
    return ", or ".join([*suggestions, f"write {' or '.join(settings)}"] if settings else suggestions) or None


def scaling(experiment: Experiment) -> list[str]:
    """What to do about inputs and targets that are large."""
    data = experiment.data["training"]
    arrays = {"inputs": data.inputs} | ({"targets": data.targets} if data.classes is None else {})
    largest = {name: max(map(_largest_magnitude, row_blocks(values))) for name, values in arrays.items()}
    return [
        f"scale the {name}, which reach {value:.3g}, to about 1" for name, value in largest.items() if value > LARGE
    ]


def _largest_magnitude(values: Array) -> float:
    return max(float(np.max(values)), -float(np.min(values)))


def _initializers(experiment: Experiment, index: int) -> list[str]:
    """The default initializer for the last dense layer before an activation, if it has another one."""
    layers = experiment.network.layers
    name = layers[index].default_initializer_of_previous or "glorot"
    dense = [each for each, layer in enumerate(layers[:index]) if isinstance(layer, Dense)]
    configured = {each: vars(experiment.config.layers[each])["initializer"].type for each in dense[-1:]}
    return [f"write initializer: {name} in layers[{each}]" for each, given in configured.items() if given != name]


def _shrinking(experiment: Experiment) -> list[str]:
    """Smaller values for what makes the weights smaller at every update."""
    penalties = ["write a smaller l1 or l2"] if experiment.network.penalties else []
    return [*penalties, "write a smaller weight_decay"] if weight_decay(experiment.optimizer) else penalties


def _optimizer_defaults(experiment: Experiment) -> dict[str, Any]:
    """The default of each parameter of the optimizer; ``...`` if it has none."""
    return {parameter.name: parameter.default for parameter in experiment.config.optimizer.component.parameters}


def weight_decay(optimizer: Optimizer) -> float:
    """λ of an optimizer with weight decay, else 0."""
    return float(getattr(optimizer, "weight_decay", 0.0))


def decays_too_fast(optimizer: Optimizer) -> bool:
    """Whether |1 − η λ| > 1, so that weight decay makes the weights larger at every update."""
    return optimizer.learning_rate * weight_decay(optimizer) > 2
