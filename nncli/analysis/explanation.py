"""One forward and one backward pass of a few rows, step by step, and the update that each optimizer would make."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nncli.errors import DivergedError
from nncli.experiment.assembly import Experiment, assemble
from nncli.experiment.loading import load
from nncli.experiment.numerics import allow_non_finite
from nncli.experiment.rng import Purpose
from nncli.nn.losses.loss import is_fused
from nncli.nn.optimizers.optimizer import Optimizer
from nncli.nn.parameters import Array, of_layer
from nncli.registry import Component, ComponentConfig, components, names
from nncli.train.evaluate import examples

AT_ONCE = "at once, as training computes it"


@dataclass(frozen=True)
class Step:
    """What happens at one place: a heading, the formulas, the numbers behind their letters, the arrays by name."""

    heading: str
    formulas: list[str]
    settings: dict[str, Any]
    arrays: dict[str, Array]


@dataclass(frozen=True)
class Update:
    """What one step of an optimizer from rest adds to some parameters.

    Args:
        optimizer: its type.
        rate: the learning rate of the step.
        changes: what is added, for each parameter that is shown.
    """

    optimizer: str
    rate: float
    changes: list[float]


@dataclass(frozen=True)
class Explanation:
    """A training step on a few rows.

    Args:
        rows: how many rows, and of how many.
        of: the rows of the training set.
        steps: from the data to the loss, and back.
        parameters: the parameters whose updates are shown: the first entry of each trained array, by its name.
        gradients: their gradients, penalties and clipping included.
        updates: what each optimizer adds to them: the config's own first, then the others with their defaults.
        formulas: those of the config's own optimizer.
        settings: the numbers behind their letters.
    """

    rows: int
    of: int
    steps: list[Step]
    parameters: dict[str, float]
    gradients: list[float]
    updates: list[Update]
    formulas: list[str]
    settings: dict[str, Any]


@allow_non_finite
def explain(path: Path, overrides: tuple[str, ...], rows: int) -> Explanation:
    """The first training step of a config in double precision, as if its training set had only ``rows`` rows.

    They are picked evenly, and are more where a layer needs more.

    Raises:
        DivergedError: a number is not finite.
    """
    loaded = load(path, overrides)
    config = loaded.config.model_copy(update={"dtype": "float64"})
    experiment = assemble(config, loaded.plan)
    network = experiment.network
    part = examples(experiment.data["training"], network)
    shown = min(max(rows, *(layer.min_batch_size for layer in network.layers)), len(part.inputs))
    chosen = ((np.arange(shown) + 0.5) * len(part.inputs) / shown).astype(int)  # the middles of as many equal parts
    inputs, targets = (np.asfortranarray(each[chosen]) for each in (part.inputs, part.encoded))
    network.set_rng(experiment.rngs.of(Purpose.DROPOUT))
    data = {"inputs": inputs, "targets": part.targets[chosen]}
    steps = [
        Step(f"data: {config.data.type}", [], _settings(config.data), data),
        *_forward(experiment, inputs),
        _loss(experiment, targets),
        *_backward(experiment, targets),
        *_penalties(experiment, targets),
        *_clipping(experiment),
    ]
    firsts = {name: int(places.flat[0]) for name, places in _places(experiment).items()}
    entries = list(firsts.values())
    explanation = Explanation(
        len(chosen),
        len(part.inputs),
        steps,
        {name: float(network.parameters.values[entry]) for name, entry in firsts.items()},
        [float(each) for each in network.parameters.gradients[entries]],
        _updates(experiment, entries),
        names("optimizer")[config.optimizer.type].formulas,
        {**_settings(config.optimizer), **_first_factor(experiment)},
    )
    _require_finite(path, explanation)
    return explanation


def _require_finite(path: Path, explanation: Explanation) -> None:
    for step in explanation.steps:
        for name, array in step.arrays.items():
            if not np.isfinite(array).all():
                raise DivergedError(f"{path}: {step.heading}: {name}: a number is not finite")
    for update in explanation.updates:
        if not np.isfinite(update.changes).all():
            raise DivergedError(f"{path}: the step of {update.optimizer} is not finite")


def _settings(part: ComponentConfig) -> dict[str, Any]:
    """What a component was given, by the letters of its formulas if it has any; a 0 without a letter is left out."""
    given = {}
    for parameter in part.component.parameters:
        letter = re.match(r"(\S{1,2}),", parameter.meaning)
        value = getattr(part, parameter.name)
        if value is not None and (value != 0 or letter):
            given[letter[1] if letter else parameter.name] = getattr(value, "type", value)
    return given


def _first_factor(experiment: Experiment) -> dict[str, float]:
    """What the schedule makes of the first learning rate, where there is one."""
    schedule = experiment.optimizer.schedule
    return {"the schedule's f(0)": schedule.factor(0)} if schedule else {}


def _forward(experiment: Experiment, inputs: Array) -> list[Step]:
    """A step for each layer, with what it trains, what it has in between, and what comes out."""
    network, steps = experiment.network, []
    outputs = inputs
    for index, (part, layer) in enumerate(zip(experiment.config.layers, network.layers, strict=True)):
        outputs = layer.forward(outputs, training=True)
        own = _copied(of_layer(index, network.parameters.views(network.parameters.trainable)))
        between = {name: array.copy() for name, array in layer.intermediates().items()}
        formulas = [line for line in part.component.formulas if "dL/" not in line]
        arrays = {**own, **between, "outputs": outputs.copy()}
        steps.append(Step(_heading(experiment, index), formulas, _settings(part), arrays))
    network.outputs = outputs
    return steps


def _loss(experiment: Experiment, targets: Array) -> Step:
    network, part = experiment.network, experiment.config.loss
    losses = network.loss.forward(network.outputs, targets)
    formulas = [line for line in part.component.formulas if "dL/" not in line]
    arrays = {"targets": targets, "of each row": losses, "mean": np.asarray(np.mean(losses))}
    return Step(f"loss: {part.type}", formulas, {}, arrays)


def _backward(experiment: Experiment, targets: Array) -> list[Step]:
    """The gradient of the loss, then a step for each layer from the last on, with what goes on to the one below."""
    network, loss = experiment.network, experiment.config.loss
    grad = network.loss.backward(network.outputs, targets).copy()
    steps = [Step(f"back through the loss: {loss.type}", _slopes(loss.component), {}, {"dL/d outputs": grad})]
    short = _shortcut(experiment, targets)
    for index, layer in reversed(list(enumerate(network.layers))):
        grad = layer.backward(grad)
        own = _copied(of_layer(index, network.parameters.views(network.parameters.gradients)))
        heading = f"back through {_heading(experiment, index)}"
        arrays = {**{f"dL/d {name}": array for name, array in own.items()}, "dL/d inputs": grad.copy()}
        steps.append(Step(heading, _slopes(experiment.config.layers[index].component), {}, arrays))
        if layer is network.layers[-1] and short is not None:
            is_same = np.allclose(grad, short.arrays["dL/d inputs"], rtol=1e-6, atol=1e-12)
            steps.append(short if is_same else replace(short, heading=f"{AT_ONCE}: the two steps above have lost it"))
            grad = short.arrays["dL/d inputs"]
    return steps


def _shortcut(experiment: Experiment, targets: Array) -> Step | None:
    """The gradient through the loss and the last layer at once, where training takes it so."""
    network = experiment.network
    if not is_fused(network.layers[-1], network.loss):
        return None
    short = network.loss.backward_fused
    found = re.search(r"dL/dZ = [^,]*", short.__doc__ or "")
    grad = short(network.outputs, targets).copy()
    return Step(f"the same {AT_ONCE}", [found[0]] if found else [], {}, {"dL/d inputs": grad})


def _penalties(experiment: Experiment, targets: Array) -> list[Step]:
    """The price of the weights, and the gradients with what it adds, where there is one."""
    network, parameters = experiment.network, experiment.network.parameters
    if not network.penalties:
        return []
    data, price = parameters.gradients.copy(), network.regularization_loss()
    network.penalize()
    arrays: dict[str, Array] = {"R": np.asarray(price)}
    arrays["L + R"] = np.asarray(network.data_loss(network.outputs, targets) + price)
    added, total = (_copied(parameters.views(vector)) for vector in (parameters.gradients - data, parameters.gradients))
    for name, array in added.items():
        if array.any():
            arrays |= {f"dR/d {name}": array, f"d(L + R)/d {name}": total[name]}
    return [Step("penalties", ["R = λ₁ Σ|w| + λ₂ Σ w²", "dR/dw = λ₁ sign(w) + 2 λ₂ w"], {}, arrays)]


def _clipping(experiment: Experiment) -> list[Step]:
    """The gradients as clipping leaves them, where there is any."""
    part, gradients = experiment.config.clipping, experiment.network.parameters.gradients
    if part is None or experiment.clipping is None:
        return []
    before = {"‖g‖": np.asarray(np.linalg.norm(gradients)), "largest |g|": np.asarray(np.max(np.abs(gradients)))}
    experiment.clipping.clip(gradients)
    after = _copied(experiment.network.parameters.views(gradients))
    arrays = {**before, **{f"g of {name}": array for name, array in after.items()}}
    return [Step(f"clipping: {part.type}", part.component.formulas, _settings(part), arrays)]


def _updates(experiment: Experiment, entries: list[int]) -> list[Update]:
    """The first step of the config's optimizer, and of every other one with its defaults."""
    own = experiment.config.optimizer
    others = [entry.model.model_validate({}) for entry in components("optimizer") if entry.name != own.type]
    made = [(own.type, experiment.optimizer), *((part.type, part.build()) for part in others)]
    return [_update(experiment, name, optimizer, entries) for name, optimizer in made]


def _update(experiment: Experiment, name: str, optimizer: Optimizer, entries: list[int]) -> Update:
    parameters, values = experiment.network.parameters, experiment.network.parameters.trainable.copy()
    schedule = optimizer.schedule if optimizer is experiment.optimizer else None
    optimizer.attach(values, parameters.gradients, schedule)
    optimizer.step()
    return Update(name, optimizer.rate, [float(each) for each in (values - parameters.trainable)[entries]])


def _places(experiment: Experiment) -> dict[str, Array]:
    """The numbers of the entries of each trained array in the vector."""
    parameters = experiment.network.parameters
    return parameters.views(np.arange(len(parameters.trainable)))


def _copied(views: Mapping[str, Array]) -> dict[str, Array]:
    return {name: view.copy() for name, view in views.items()}


def _slopes(component: Component) -> list[str]:
    return [line for line in component.formulas if "dL/" in line]


def _heading(experiment: Experiment, index: int) -> str:
    widths = experiment.network.widths
    return f"layer {index}: {experiment.config.layers[index].type}, {widths[index]} → {widths[index + 1]}"
