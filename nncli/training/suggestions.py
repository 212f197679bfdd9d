"""Suggestions against divergence: what to change in a config whose training produced NaN or infinity."""

import numpy as np

from nncli.experiment.assembly import Experiment
from nncli.nn.optimizers.optimizer import Optimizer

LARGE = 1e3  # data beyond this is worth scaling in any case
FIX_ROW = "take the row out, or replace the value"
SMALLER_WEIGHTS = "write smaller initial weights, such as initializer: {type: normal, scale: 0.01}"
CLIPPING = "clipping: {type: norm, limit: 1}"
FLOAT64 = "dtype: float64"


def suggestion(experiment: Experiment) -> str:
    """What may help if values have overflowed."""
    if experiment.optimizer.updates == 0:
        return ", or ".join([*scaling(experiment), SMALLER_WEIGHTS])
    optimizer, parameters = experiment.optimizer, experiment.config.optimizer.component.parameters
    defaults = {parameter.name: parameter.default for parameter in parameters}
    if decays_too_fast(optimizer) and weight_decay(optimizer) > defaults["weight_decay"]:
        return f"write weight_decay: {min(defaults['weight_decay'], 1 / optimizer.learning_rate):g}"
    smaller, default = optimizer.learning_rate / 10, defaults["learning_rate"]
    slower = f"write learning_rate: {smaller if default is ... else min(smaller, default):g}"
    return ", or ".join([*scaling(experiment), slower if experiment.clipping else f"{slower} or {CLIPPING}"])


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
    largest = {name: max(float(np.max(values)), -float(np.min(values))) for name, values in arrays.items()}
    return [
        f"scale the {name}, which reach {value:.3g}, to about 1" for name, value in largest.items() if value > LARGE
    ]


def weight_decay(optimizer: Optimizer) -> float:
    """λ of an optimizer with weight decay, else 0."""
    return float(getattr(optimizer, "weight_decay", 0.0))


def decays_too_fast(optimizer: Optimizer) -> bool:
    """Whether |1 − η λ| > 1, so that weight decay makes the weights larger at every update."""
    return optimizer.learning_rate * weight_decay(optimizer) > 2
