"""One training step on a few rows, operation by operation, and the update that each optimizer would make."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nncli.analysis.explained_step import Explanation, Step, Update
from nncli.analysis.recorded_step import Arrays, Recorder, Rows, choose_rows, copied, record_step
from nncli.errors import CommandLineError, DivergedError
from nncli.experiment.assembly import Experiment, assemble
from nncli.experiment.numerics import allow_non_finite
from nncli.experiment.rng import Purpose
from nncli.nn.network import Network
from nncli.nn.optimizers.optimizer import Optimizer
from nncli.nn.parameters import Array
from nncli.nn.trace import Kind, Operation
from nncli.registry import ComponentConfig, components, names
from nncli.runner.reload import Weights, trained_weights
from nncli.runner.run_config import config_path, load_any, run_of
from nncli.store.run_reader import Run

PENALTY_FORMULAS = ["R = λ₁ Σ|w| + λ₂ Σ w²", "dR/dw = λ₁ sign(w) + 2 λ₂ w"]


def explain(
    path: Path, overrides: tuple[str, ...], rows: int, runs: Path | None = None, epoch: int | None = None
) -> Explanation:
    """The first training step of a config, or a step of a trained run, on a few rows of its training set.

    Args:
        path: the path of a config, or the path or the name of a run.
        overrides: values replaced in it.
        rows: the number of rows.
        runs: the directory of runs, as for ``find_run``.
        epoch: that of a snapshot of the run, whose weights are used.

    Raises:
        CommandLineError, ConfigError, RunError, StorageError: as for ``load_any`` and ``trained_weights``.
        CommandLineError: the weights of the run do not fit the network with the overrides, or a config has an epoch.
        DivergedError: a value is not finite.
    """
    loaded, run = load_any(path, overrides, runs), run_of(path, runs)
    if run is None and epoch is not None:
        raise CommandLineError(f"{path}: is a config, whose first step is explained; --epoch is for the steps of a run")
    experiment = assemble(loaded.config.model_copy({"dtype": "float64"}), loaded.plan)
    weights = None if run is None else _weights_of(Run(run), experiment.network, epoch)
    return explain_step(path, experiment, rows, weights)


@allow_non_finite
def explain_step(path: Path, experiment: Experiment, rows: int, weights: Weights | None = None) -> Explanation:
    """A training step of an experiment in float64 on a few rows of its training set.

    The rows are spread evenly over the training set; there are more of them if a layer needs more.

    Args:
        path: the config or the run, for messages.
        experiment: what the config describes.
        rows: the number of rows.
        weights: the weights of the step, of a network with these layers; by default the initial ones.

    Raises:
        DivergedError: a value is not finite.
    """
    config = experiment.config
    if weights is not None:
        experiment.network.parameters.values[...] = weights.values
    chosen, masks = choose_rows(experiment, rows), experiment.rngs.of(Purpose.DROPOUT)
    trained = record_step(experiment, chosen, masks)
    unfused = record_step(experiment, chosen, masks, fused=False) if trained.network.is_fused else trained
    loss = _loss(experiment, trained, chosen)
    firsts = {name: int(indices.flat[0]) for name, indices in _indices(experiment.network).items()}
    entries = list(firsts.values())
    explanation = Explanation(
        len(chosen.inputs),
        chosen.total,
        weights.epoch if weights else 0,
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
        {**settings_of(config.optimizer), **_first_factor(experiment.optimizer)},
    )
    _require_finite(path, explanation)
    return explanation


def _weights_of(run: Run, network: Network, epoch: int | None) -> Weights:
    """The trained weights of a run for a network.

    Raises:
        CommandLineError: overrides have made it another network.
        DivergedError, RunError: as for ``trained_weights``.
    """
    weights = trained_weights(run, epoch)
    if dict(weights.shapes) != network.parameters.shapes:
        fix = f"'nncli explain {config_path(run)}' and the overrides show the first step"
        raise CommandLineError(f"{run.path}: its weights do not fit the network with these overrides; {fix}")
    return weights


def _require_finite(path: Path, explanation: Explanation) -> None:
    """Check the arrays that training does not compute, such as losses and the updates of other optimizers."""
    for step in explanation.steps:
        for name, array in step.arrays.items():
            if not np.isfinite(array).all():
                raise DivergedError(f"{path}: {step.heading}: {name}: a value is not finite", epoch=0, array=name)
    for update in explanation.updates:
        if not np.isfinite(update.changes).all():
            raise DivergedError(f"{path}: the update of {update.optimizer} is not finite", epoch=0)


def settings_of(config: ComponentConfig) -> dict[str, Any]:
    """The parameters of a component, by their symbols if they have one; those of 0 without a symbol are left out."""
    settings = {}
    for parameter in config.component.parameters:
        symbol, value = config.component.documentation.symbols.get(parameter.name), getattr(config, parameter.name)
        if value is not None and (value != 0 or symbol):
            settings[symbol or parameter.name] = _setting(value)
    return settings


def _setting(value: Any) -> Any:
    """The value of a parameter as JSON: a component by its type, alone or in a collection; a path as text."""
    match value:
        case dict():
            return {key: _setting(item) for key, item in value.items()}
        case list():
            return [_setting(item) for item in value]
    return str(value) if isinstance(value, Path) else getattr(value, "type", value)


def _first_factor(optimizer: Optimizer) -> dict[str, float]:
    """The factor of the first learning rate, if there is a schedule."""
    return {"the schedule's f(0)": optimizer.schedule.factor(0)} if optimizer.schedule else {}


def _data(experiment: Experiment, rows: Rows) -> Step:
    data, arrays = experiment.config.data, {"inputs": rows.inputs, "targets": rows.targets}
    return Step(f"data: {data.type}", [], settings_of(data), arrays)


def _forward(experiment: Experiment, recorder: Recorder) -> list[Step]:
    """One step per layer: its parameters, the intermediate results that its formulas name, and its outputs."""
    return [
        Step(
            _heading(experiment, index),
            layer.component.documentation.forward_formulas,
            settings_of(layer),
            recorder.arrays[Operation(Kind.FORWARD, index)],
            index,
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
        steps.append(Step(heading, layer.component.documentation.backward_formulas, {}, arrays, index))
        if operation not in trained.arrays:
            steps.append(_fused(experiment, trained, arrays["dL/d inputs"], rows))
    return steps


def _fused(experiment: Experiment, trained: Recorder, unfused: Array, rows: Rows) -> Step:
    """The fused gradient of the loss and the last layer, compared with that of the two steps before."""
    formula, last = trained.network.loss.fused_formula, len(experiment.config.layers) - 1
    gradient = trained.arrays[Operation(Kind.LOSS_GRADIENT)]["dL/d outputs"]
    formulas = _weighted([formula] if formula else [], rows)
    step = Step(
        f"loss and {experiment.config.layers[last].type} fused, as in training",
        formulas,
        {},
        {"dL/d inputs": gradient},
        last,
    )
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
    return [Step("penalties", PENALTY_FORMULAS, {}, arrays)]


def _clipping(experiment: Experiment, recorder: Recorder) -> list[Step]:
    """The gradients before and after clipping, if there is any."""
    clipping = experiment.config.clipping
    if clipping is None:
        return []
    before, after = recorder.gradients[Kind.CLIPPING]
    sizes = {"‖g‖": np.asarray(np.linalg.norm(before)), "largest |g|": np.asarray(np.max(np.abs(before)))}
    clipped = copied(recorder.parameters.views(after))
    arrays = {**sizes, **{f"g of {name}": array for name, array in clipped.items()}}
    return [
        Step(f"clipping: {clipping.type}", clipping.component.documentation.formulas, settings_of(clipping), arrays)
    ]


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
