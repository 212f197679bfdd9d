"""One forward and one backward pass of a few rows, step by step, and the update that each optimizer would make."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nncli.nn.losses import fused
from nncli.nn.optimizers.optimizer import Optimizer
from nncli.nn.parameters import Array
from nncli.registry import Component, components, names
from nncli.run.assembly import Experiment, assemble
from nncli.run.evaluation import examples, quiet
from nncli.run.loading import load
from nncli.run.streams import Purpose


@dataclass(frozen=True)
class Step:
    """What happens at one place: a heading, the formulas, the arrays by their names."""

    heading: str
    formulas: list[str]
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
        updates: what each optimizer adds to them: the spec's own first, then the others with their defaults.
        formulas: those of the spec's own optimizer.
    """

    rows: int
    of: int
    steps: list[Step]
    parameters: dict[str, float]
    gradients: list[float]
    updates: list[Update]
    formulas: list[str]


@quiet
def explain(config: Path, overrides: tuple[str, ...], rows: int) -> Explanation:
    """The first training step of a config, as if its training set had only ``rows`` rows, picked evenly."""
    loaded = load(config, overrides)
    experiment = assemble(loaded.spec, loaded.document)
    network = experiment.network
    part = examples(experiment.data["training"], network)
    shown = min(rows, len(part.inputs))
    chosen = ((np.arange(shown) + 0.5) * len(part.inputs) / shown).astype(int)  # the middles of as many equal parts
    inputs, targets = (np.asfortranarray(each[chosen]) for each in (part.inputs, part.encoded))
    network.draw_from(experiment.streams.of(Purpose.DROPOUT))
    steps = [
        Step(f"data: {loaded.spec.data.type}", [], {"inputs": inputs, "targets": part.targets[chosen]}),
        *_forward(experiment, inputs),
        _loss(experiment, targets),
        *_backward(experiment, targets),
        *_penalties(experiment),
    ]
    if experiment.clipping:
        experiment.clipping.clip(network.parameters.gradients)
        steps.append(_clipped(experiment))
    firsts = {name: int(places.flat[0]) for name, places in _places(experiment).items()}
    entries = list(firsts.values())
    return Explanation(
        len(chosen),
        len(part.inputs),
        steps,
        {name: float(network.parameters.values[entry]) for name, entry in firsts.items()},
        [float(each) for each in network.parameters.gradients[entries]],
        _updates(experiment, entries),
        names("optimizer")[loaded.spec.optimizer.type].formulas,
    )


def _forward(experiment: Experiment, inputs: Array) -> list[Step]:
    """A step for each layer, with what it trains and what comes out."""
    network, steps = experiment.network, []
    outputs = inputs
    for index, (part, layer) in enumerate(zip(experiment.spec.layers, network.layers, strict=True)):
        outputs = layer.forward(outputs, training=True)
        own = _own(index, network.parameters.views(network.parameters.values))
        formulas = [line for line in part.component.formulas if "dL/" not in line]
        steps.append(Step(_heading(experiment, index), formulas, {**own, "outputs": outputs.copy()}))
    network.outputs = outputs
    return steps


def _loss(experiment: Experiment, targets: Array) -> Step:
    network, part = experiment.network, experiment.spec.loss
    losses = network.loss.forward(network.outputs, targets)
    formulas = [line for line in part.component.formulas if "dL/" not in line]
    return Step(f"loss: {part.type}", formulas, {"of each row": losses, "mean": np.asarray(np.mean(losses))})


def _backward(experiment: Experiment, targets: Array) -> list[Step]:
    """The gradient of the loss, then a step for each layer from the last on, with what goes on to the one below."""
    network, loss = experiment.network, experiment.spec.loss
    grad = network.loss.backward(network.outputs, targets)
    steps = [Step(f"back through the loss: {loss.type}", _slopes(loss.component), {"dL/d outputs": grad.copy()})]
    for index, layer in reversed(list(enumerate(network.layers))):
        grad = layer.backward(grad)
        own = _own(index, network.parameters.views(network.parameters.gradients))
        heading = f"back through {_heading(experiment, index)}"
        arrays = {**{f"dL/d {name}": array for name, array in own.items()}, "dL/d inputs": grad.copy()}
        steps.append(Step(heading, _slopes(experiment.spec.layers[index].component), arrays))
    return [*steps[:2], *_shortcut(experiment, targets), *steps[2:]]


def _shortcut(experiment: Experiment, targets: Array) -> list[Step]:
    """The gradient through the loss and the last layer at once, where training takes it so."""
    network = experiment.network
    short = fused(network.layers[-1], network.loss)
    if short is None:
        return []
    found = re.search(r"dL/dZ = [^,]*", short.__doc__ or "")
    grad = short(network.outputs, targets, np.empty_like(network.outputs))
    return [Step("the same at once, as training computes it", [found[0]] if found else [], {"dL/d inputs": grad})]


def _penalties(experiment: Experiment) -> list[Step]:
    """What the penalties add to the gradients, where there are any."""
    network = experiment.network
    if not network.penalties:
        return []
    data = network.parameters.gradients.copy()
    for penalty in network.penalties:
        penalty.backward()
    added = network.parameters.views(network.parameters.gradients - data)
    arrays: dict[str, Array] = {"L": np.asarray(network.regularization_loss())}
    arrays |= {f"added to dL/d {name}": array for name, array in added.items() if array.any()}
    return [Step("penalties", ["L = λ₁ Σ|w| + λ₂ Σ w²", "dL/dw = λ₁ sign(w) + 2 λ₂ w"], arrays)]


def _clipped(experiment: Experiment) -> Step:
    part, parameters = experiment.spec.clipping, experiment.network.parameters
    assert part is not None
    views = parameters.views(parameters.gradients)
    return Step(
        f"clipping: {part.type}", part.component.formulas, {f"dL/d {name}": view for name, view in views.items()}
    )


def _updates(experiment: Experiment, entries: list[int]) -> list[Update]:
    """The first step of the spec's optimizer, and of every other one with its defaults."""
    own = experiment.spec.optimizer
    others = [entry.model.model_validate({}) for entry in components("optimizer") if entry.name != own.type]
    made = [(own.type, experiment.optimizer), *((part.type, part.build()) for part in others)]
    return [_update(experiment, name, optimizer, entries) for name, optimizer in made]


def _update(experiment: Experiment, name: str, optimizer: Optimizer, entries: list[int]) -> Update:
    parameters, values = experiment.network.parameters, experiment.network.parameters.trained.copy()
    schedule = optimizer.schedule if optimizer is experiment.optimizer else None
    optimizer.attach(values, parameters.gradients, schedule)
    optimizer.step()
    return Update(name, optimizer.rate, [float(each) for each in (values - parameters.trained)[entries]])


def _places(experiment: Experiment) -> dict[str, Array]:
    """The numbers of the entries of each trained array in the vector."""
    parameters = experiment.network.parameters
    return parameters.views(np.arange(len(parameters.trained)))


def _own(index: int, views: dict[str, Array]) -> dict[str, Array]:
    """Copies of the arrays of one layer, by their names in it."""
    prefix = f"layers.{index}."
    return {name.removeprefix(prefix): view.copy() for name, view in views.items() if name.startswith(prefix)}


def _slopes(component: Component) -> list[str]:
    return [line for line in component.formulas if "dL/" in line]


def _heading(experiment: Experiment, index: int) -> str:
    widths = experiment.network.widths
    return f"layer {index}: {experiment.spec.layers[index].type}, {widths[index]} → {widths[index + 1]}"
