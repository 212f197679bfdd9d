"""One training step on a few rows, operation by operation, and the update that each optimizer would make."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nncli.analysis.recorded_step import Arrays, Recorder, Rows, choose_rows, copied, record_step
from nncli.errors import DivergedError
from nncli.experiment.assembly import Experiment, assemble
from nncli.experiment.numerics import allow_non_finite
from nncli.experiment.rng import Purpose
from nncli.nn.network import Network
from nncli.nn.optimizers.optimizer import Optimizer
from nncli.nn.parameters import Array
from nncli.nn.trace import Kind, Operation
from nncli.registry import ComponentConfig, components, names
from nncli.runner.run_config import load_any


@dataclass(frozen=True)
class Step:
    """One operation of the training step.

    Args:
        heading: the operation, its component and its widths.
        formulas: those of the component.
        settings: the parameters of the component, by their symbols in the formulas if they have one.
        arrays: what the operation uses and computes, by name.
    """

    heading: str
    formulas: list[str]
    settings: dict[str, Any]
    arrays: Arrays


@dataclass(frozen=True)
class Update:
    """The first update of an optimizer.

    Args:
        optimizer: its type.
        rate: the learning rate of the update.
        changes: what is added to each parameter that is shown.
    """

    optimizer: str
    rate: float
    changes: list[float]


@dataclass(frozen=True)
class Explanation:
    """A training step on a few rows.

    Args:
        rows: the number of rows.
        runs: the directory of runs, as for ``find_run``.
        of: the number of rows of the training set.
        steps: from the data to the loss, and back to the first layer.
        parameters: the parameters whose updates are shown: the first entry of each trainable array, by its name.
        gradients: their gradients, including penalties and clipping.
        updates: the update of the config's optimizer, then those of all others with their default parameters.
        formulas: those of the config's optimizer.
        settings: its parameters.
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
def explain(path: Path, overrides: tuple[str, ...], rows: int, runs: Path | None = None) -> Explanation:
    """The first training step of a config in float64, on a few rows of its training set.

    The rows are spread evenly over the training set; there are more of them if a layer needs more.

    Args:
        path: the path of a config, or the path or the name of a run.
        overrides: values replaced in it.
        rows: the number of rows.
        runs: the directory of runs, as for ``find_run``.

    Raises:
        CommandLineError, ConfigError, StorageError: as for ``load_any``.
        DivergedError: a value is not finite.
    """
    loaded = load_any(path, overrides, runs)
    config = loaded.config.model_copy(update={"dtype": "float64"})
    experiment = assemble(config, loaded.plan)
    chosen, masks = choose_rows(experiment, rows), experiment.rngs.of(Purpose.DROPOUT)
    trained = record_step(experiment, chosen, masks)
    unfused = record_step(experiment, chosen, masks, fused=False) if trained.network.is_fused else trained
    loss = _loss(experiment, trained, chosen)
    firsts = {name: int(indices.flat[0]) for name, indices in _indices(experiment.network).items()}
    entries = list(firsts.values())
    explanation = Explanation(
        len(chosen.inputs),
        chosen.total,
        [
            _data(experiment, chosen),
            *_forward(experiment, trained),
            loss,
            *_backward(experiment, trained, unfused, chosen),
            *_penalties(experiment, trained, loss.arrays["mean"]),
            *_clipping(experiment, trained),
        ],
        {name: float(experiment.network.parameters.values[entry]) for name, entry in firsts.items()},
        [float(gradient) for gradient in trained.parameters.gradients[entries]],
        _updates(experiment, trained, entries),
        names("optimizer")[config.optimizer.type].documentation.formulas,
        {**_settings(config.optimizer), **_first_factor(experiment.optimizer)},
    )
    _require_finite(path, explanation)
    return explanation


def _require_finite(path: Path, explanation: Explanation) -> None:
    """Check the arrays that training does not compute, such as losses and the updates of other optimizers."""
    for step in explanation.steps:
        for name, array in step.arrays.items():
            if not np.isfinite(array).all():
                raise DivergedError(f"{path}: {step.heading}: {name}: a value is not finite", epoch=0, array=name)
    for update in explanation.updates:
        if not np.isfinite(update.changes).all():
            raise DivergedError(f"{path}: the update of {update.optimizer} is not finite", epoch=0)


def _settings(config: ComponentConfig) -> dict[str, Any]:
    """The parameters of a component, by their symbols if they have one; those of 0 without a symbol are left out."""
    settings = {}
    for parameter in config.component.parameters:
        symbol, value = config.component.documentation.symbols.get(parameter.name), getattr(config, parameter.name)
        if value is not None and (value != 0 or symbol):
            settings[symbol or parameter.name] = _setting(value)
    return settings


def _setting(value: Any) -> Any:
    """The value of a parameter as JSON: a component by its type, a path as text."""
    return str(value) if isinstance(value, Path) else getattr(value, "type", value)


def _first_factor(optimizer: Optimizer) -> dict[str, float]:
    """The factor of the first learning rate, if there is a schedule."""
    return {"the schedule's f(0)": optimizer.schedule.factor(0)} if optimizer.schedule else {}


def _data(experiment: Experiment, rows: Rows) -> Step:
    data, arrays = experiment.config.data, {"inputs": rows.inputs, "targets": rows.targets}
    return Step(f"data: {data.type}", [], _settings(data), arrays)


def _forward(experiment: Experiment, recorder: Recorder) -> list[Step]:
    """One step per layer: its parameters, the intermediate results that its formulas name, and its outputs."""
    return [
        Step(
            _heading(experiment, index),
            layer.component.documentation.forward_formulas,
            _settings(layer),
            recorder.arrays[Operation(Kind.FORWARD, index)],
        )
        for index, layer in enumerate(experiment.config.layers)
    ]


def _loss(experiment: Experiment, recorder: Recorder, rows: Rows) -> Step:
    loss, last = experiment.config.loss, len(experiment.config.layers) - 1
    outputs = recorder.arrays[Operation(Kind.FORWARD, last)]["outputs"]
    losses = experiment.network.losses(outputs, rows.encoded, rows.weights)
    arrays = {"targets": rows.encoded, "of each row": losses, "mean": np.asarray(np.mean(losses))}
    if rows.weights is not None:
        arrays = {"weights of the rows": rows.weights, **arrays}
    formulas = _weighted(loss.component.documentation.forward_formulas, rows)
    return Step(f"loss: {loss.type}", formulas, {}, arrays)


def _weighted(formulas: list[str], rows: Rows) -> list[str]:
    """Formulas of the loss, and that each row is multiplied by its weight, if it has one."""
    return formulas if rows.weights is None else [*formulas, "each row times its weight"]


def _backward(experiment: Experiment, trained: Recorder, unfused: Recorder, rows: Rows) -> list[Step]:
    """The gradient of the loss, then one step per layer, from the last to the first."""
    layers, loss = experiment.config.layers, experiment.config.loss
    gradient, formulas = unfused.arrays[Operation(Kind.LOSS_GRADIENT)], loss.component.documentation.backward_formulas
    steps = [Step(f"back through the loss: {loss.type}", _weighted(formulas, rows), {}, gradient)]
    for index, layer in reversed(list(enumerate(layers))):
        operation = Operation(Kind.BACKWARD, index)
        arrays = trained.arrays.get(operation) or unfused.arrays[operation]
        heading = f"back through {_heading(experiment, index)}"
        steps.append(Step(heading, layer.component.documentation.backward_formulas, {}, arrays))
        if operation not in trained.arrays:
            steps.append(_fused(experiment, trained, arrays["dL/d inputs"], rows))
    return steps


def _fused(experiment: Experiment, trained: Recorder, unfused: Array, rows: Rows) -> Step:
    """The fused gradient of the loss and the last layer, compared with that of the two steps before."""
    formula, last = trained.network.loss.fused_formula, experiment.config.layers[-1].type
    gradient = trained.arrays[Operation(Kind.LOSS_GRADIENT)]["dL/d outputs"]
    formulas = _weighted([formula] if formula else [], rows)
    step = Step(f"loss and {last} fused, as in training", formulas, {}, {"dL/d inputs": gradient})
    if np.allclose(unfused, gradient, rtol=1e-6, atol=1e-12):
        return step
    return replace(step, heading=f"{step.heading}: the two steps above lose it to rounding")


def _penalties(experiment: Experiment, recorder: Recorder, loss: Array) -> list[Step]:
    """The penalties and what they add to the gradients, if there are any."""
    if not experiment.network.penalties:
        return []
    before, after = recorder.gradients[Kind.PENALTIES]
    penalty = experiment.network.regularization_loss()
    arrays: Arrays = {"R": np.asarray(penalty), "L + R": np.asarray(loss + penalty)}
    views = recorder.parameters.views
    added, total = copied(views(after - before)), copied(views(after))
    for name, array in added.items():
        if array.any():
            arrays |= {f"dR/d {name}": array, f"d(L + R)/d {name}": total[name]}
    return [Step("penalties", ["R = λ₁ Σ|w| + λ₂ Σ w²", "dR/dw = λ₁ sign(w) + 2 λ₂ w"], {}, arrays)]


def _clipping(experiment: Experiment, recorder: Recorder) -> list[Step]:
    """The gradients before and after clipping, if there is any."""
    clipping = experiment.config.clipping
    if clipping is None:
        return []
    before, after = recorder.gradients[Kind.CLIPPING]
    sizes = {"‖g‖": np.asarray(np.linalg.norm(before)), "largest |g|": np.asarray(np.max(np.abs(before)))}
    clipped = copied(recorder.parameters.views(after))
    arrays = {**sizes, **{f"g of {name}": array for name, array in clipped.items()}}
    return [Step(f"clipping: {clipping.type}", clipping.component.documentation.formulas, _settings(clipping), arrays)]


def _updates(experiment: Experiment, recorder: Recorder, entries: list[int]) -> list[Update]:
    """The update of the config's optimizer, and what all other optimizers would do with the same gradients."""
    optimizer, initial = experiment.config.optimizer.type, experiment.network.parameters.trainable
    updates = [
        _update(optimizer, experiment.optimizer, recorder.arrays[Operation(Kind.UPDATE)]["values"] - initial, entries)
    ]
    for component in components("optimizer"):
        if component.name != optimizer:
            other, values = component.model.model_validate({}).build(), initial.copy()
            other.attach(values, recorder.parameters.gradients, None)
            other.step()
            updates.append(_update(component.name, other, values - initial, entries))
    return updates


def _update(name: str, optimizer: Optimizer, changes: Array, entries: list[int]) -> Update:
    return Update(name, optimizer.rate, [float(change) for change in changes[entries]])


def _indices(network: Network) -> Arrays:
    """The index in the parameter vector of each entry of the trainable arrays."""
    return network.parameters.views(np.arange(len(network.parameters.trainable)))


def _heading(experiment: Experiment, index: int) -> str:
    widths = experiment.network.widths
    return f"layer {index}: {experiment.config.layers[index].type}, {widths[index]} → {widths[index + 1]}"
