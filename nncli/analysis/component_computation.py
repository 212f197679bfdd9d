"""What a component computes from values of the command line, by the code that trains.

A layer passes rows forward, and gradients back; a loss and a metric compare outputs with targets; an optimizer updates
parameters; clipping changes gradients; a schedule gives factors of the learning rate.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nncli.analysis.component_values import MEANINGS, Values, rows, shaped, take
from nncli.analysis.explained_step import Step
from nncli.analysis.explanation import PENALTY_FORMULAS, settings_of
from nncli.analysis.recorded_step import copied
from nncli.config.model import Regularization
from nncli.errors import CommandLineError
from nncli.experiment.component_loading import load_component
from nncli.experiment.numerics import allow_non_finite
from nncli.nn.layers.layer import Layer, PassSpec
from nncli.nn.losses.loss import Loss, average
from nncli.nn.metrics.metric import Metric, Task
from nncli.nn.parameters import Array, Parameters
from nncli.nn.pass_plan import bind_standalone
from nncli.nn.penalties import Penalty
from nncli.registry import Component, ComponentConfig

DTYPE = np.dtype("float64")


class Request(NamedTuple):
    """What to compute.

    Args:
        values: the arrays that are given, by name.
        overrides: parameters of the component.
        steps: the number of updates of an optimizer or a schedule.
        inference: whether a layer computes as at inference instead of in training.
        seed: the random seed of a layer.
    """

    values: Values
    overrides: Sequence[str] = ()
    steps: int = 1
    inference: bool = False
    seed: int = 0


def options_of(component: Component) -> tuple[str, ...]:
    """The options with which a component computes; none if it computes nothing alone."""
    if component.kind == "layer":
        drawn = ("seed",) if component.target.stochastic or _has(component, "initializer") else ()
        behaves = ("inference",) if component.target.stochastic or component.target.couples_rows else ()
        return "inputs", *_parameter_names(component), "grad", *drawn, *behaves
    return {
        "loss": ("outputs", "targets"),
        "metric": ("outputs", "targets"),
        "optimizer": ("params", "grad", "steps"),
        "clipping": ("grad",),
        "schedule": ("steps",),
    }.get(component.kind, ())


def _has(component: Component, parameter: str) -> bool:
    return any(each.name == parameter for each in component.parameters)


def _parameter_names(component: Component) -> tuple[str, ...]:
    required = {each.name: 1 for each in component.parameters if each.default is ...}
    layer = component.target(**required)
    return *layer.shapes(1), *layer.statistics(1)


@allow_non_finite
def compute(component: Component, request: Request) -> list[Step]:
    """What a component computes, step by step.

    Raises:
        CommandLineError: a value is missing, not one of the component's, or has the wrong shape.
        ConfigError: a parameter of the component is wrong.
        CommandLineError: a result is not finite.
    """
    implied = _implied(component, request)
    config = load_component(component, request.overrides, implied)
    steps = list(COMPUTATIONS[component.kind](config, request))
    for step in steps:
        for name, array in step.arrays.items():
            if not np.isfinite(array).all():
                raise CommandLineError(f"{step.heading}: {name}: a value is not finite; write smaller numbers")
    return steps


def _implied(component: Component, request: Request) -> dict[str, Any]:
    """The parameters that follow from the values: the units of a layer from its weights.

    Raises:
        CommandLineError: another parameter is required, and not given.
    """
    required = [each for each in component.parameters if each.default is ...]
    missing = {
        each.name: each for each in required if not any(o.startswith(f"{each.name}=") for o in request.overrides)
    }
    if "units" in missing:
        columns, weights = rows(component.name, request.values, "inputs").shape[1], _weights(component, request.values)
        return {"units": weights.size // columns if weights.size % columns == 0 else weights.shape[-1]}
    for name, parameter in missing.items():
        raise CommandLineError(f"{component.name} needs {name}=VALUE: {parameter.meaning}")
    return {}


def _weights(component: Component, values: Values) -> Array:
    """The weights of a layer whose number of units is not given."""
    if "weights" not in values:
        fix = "or units=2 initializer=he, to draw them"
        raise CommandLineError(f"{component.name} needs --weights: {MEANINGS['weights']}; {fix}")
    return np.atleast_1d(values["weights"])


def _layer(config: ComponentConfig, request: Request) -> Iterator[Step]:
    name, values = config.type, request.values
    inputs = rows(name, values, "inputs")
    layer: Layer = config.build()
    if len(inputs) < layer.min_batch_size and not request.inference:
        raise CommandLineError(f"--inputs: {name} needs {layer.min_batch_size} rows in training; add --inference")
    parameters = _parameters(config, layer, inputs.shape[1], request)
    documentation, width = config.component.documentation, layer.width(inputs.shape[1])
    bind_standalone(layer, PassSpec(len(inputs), not request.inference), inputs.shape[1], DTYPE)
    layer.load(inputs)
    outputs = layer.forward()
    shown = copied(parameters.views(parameters.trainable))
    arrays = {"inputs": inputs, **shown, **copied(layer.intermediates()), "outputs": outputs.copy()}
    statistics = copied({each: parameters.views(parameters.values)[each] for each in layer.statistics(inputs.shape[1])})
    heading = f"{name}, {inputs.shape[1]} → {width}"
    yield Step(heading, documentation.forward_formulas, settings_of(config), {**arrays, **statistics})
    if "grad" in values:
        reason = f"one number for each of the outputs (N, M) of {len(inputs)} rows"
        grad = np.asfortranarray(shaped("grad", values["grad"], outputs.shape, reason))
        layer.d_outputs[...] = grad
        d_inputs = layer.backward()
        gradients = {f"dL/d {key}": each for key, each in parameters.views(parameters.gradients).items()}
        back = copied({"dL/d outputs": grad, **gradients, "dL/d inputs": d_inputs})
        yield Step(f"back through {heading}", documentation.backward_formulas, {}, back)
    yield from _penalties(layer.penalties(), parameters)


def _parameters(config: ComponentConfig, layer: Layer, columns: int, request: Request) -> Parameters:
    """The parameters of a layer: those that are given, all others as training initializes them."""
    parameters = Parameters(layer.shapes(columns), DTYPE, layer.statistics(columns))
    views = parameters.views(parameters.values)
    layer.attach(views, parameters.views(parameters.gradients))
    layer.set_rng(np.random.default_rng(request.seed))
    if getattr(layer, "initializer", layer) is not None:
        layer.initialize(np.random.default_rng(request.seed))
    elif "weights" not in request.values:
        _weights(config.component, request.values)
    for name, view in views.items():
        if name in request.values:
            reason = f"{columns} inputs → {layer.width(columns)} outputs"
            view[...] = shaped(name, request.values[name], view.shape, reason)
    return parameters


def _penalties(penalties: Sequence[Penalty], parameters: Parameters) -> Iterator[Step]:
    """The penalties on parameters, and their gradients alone."""
    if penalties:
        parameters.gradients[...] = 0
        for penalty in penalties:
            penalty.backward()
        arrays = {"R": np.asarray(sum(penalty.forward() for penalty in penalties))}
        views = copied(parameters.views(parameters.gradients))
        yield Step(
            "penalties", PENALTY_FORMULAS, {}, {**arrays, **{f"dR/d {name}": each for name, each in views.items()}}
        )


@allow_non_finite
def penalties(config: Regularization, values: Values) -> list[Step]:
    """The regularization penalties on weights and biases, and their gradients.

    Raises:
        CommandLineError: there are neither weights nor biases, or all strengths are 0.
    """
    given = {name: values[name] for name in ("weights", "biases") if name in values}
    if not given:
        raise CommandLineError("regularization needs --weights or --biases: a list of numbers")
    parameters = Parameters({name: array.shape for name, array in given.items()}, DTYPE)
    views, gradients = parameters.views(parameters.values), parameters.views(parameters.gradients)
    strengths = {"weights": (config.l1, config.l2), "biases": (config.bias_l1, config.bias_l2)}
    for name, array in given.items():
        views[name][...] = array
    active = [Penalty(views[name], gradients[name], *strengths[name]) for name in given if any(strengths[name])]
    if not active:
        raise CommandLineError("regularization needs a strength: l1=0.01, l2=0.01, bias_l1=0.01 or bias_l2=0.01")
    steps = list(_penalties(active, parameters))
    return [Step(each.heading, each.formulas, each.settings, {**copied(views), **each.arrays}) for each in steps]


def _loss(config: ComponentConfig, request: Request) -> Iterator[Step]:
    outputs = rows(config.type, request.values, "outputs")
    loss: Loss = config.build()
    loss.attach(DTYPE)
    targets = loss.encode(_targets(config.type, request.values, outputs, loss.needs_classes), outputs.shape[1])
    documentation = config.component.documentation
    losses = np.array(loss.forward(outputs, targets))
    given = {"outputs": outputs, "targets": targets}
    arrays = {**given, "of each row": losses, "mean": np.asarray(average(losses))}
    yield Step(f"loss: {config.type}", documentation.forward_formulas, settings_of(config), arrays)
    gradient = {"dL/d outputs": loss.backward(outputs, targets, np.empty_like(outputs))}
    yield Step(f"back through the loss: {config.type}", documentation.backward_formulas, {}, gradient)
    if loss.fused_with and loss.fused_formula:
        layer = loss.fused_with.__name__.lower()
        fused = {"dL/d inputs": loss.backward_fused(outputs, targets, np.empty_like(outputs))}
        yield Step(f"loss and {layer} fused", [loss.fused_formula], {}, fused)


def _targets(name: str, values: Values, outputs: Array, needs_classes: bool) -> Array:
    """The targets of a loss: one class per row (N,), or numbers (N, M)."""
    targets = take(name, values, "targets")
    if needs_classes and targets.size == len(outputs) and outputs.shape[1] > 1 and targets.shape != outputs.shape:
        return _classes(targets.ravel(), outputs.shape[1])
    reason = "a class for each row, or a number for each output" if needs_classes else "a number for each output"
    return shaped("targets", targets, outputs.shape, reason)


def _classes(targets: Array, classes: int) -> Array:
    wrong = targets[(targets != np.floor(targets)) | (targets < 0) | (targets >= classes)]
    if wrong.size:
        raise CommandLineError(
            f"--targets: {wrong[0]:g} is no class; with {classes} outputs they are 0 to {classes - 1}"
        )
    return targets.astype(np.int64)


def _metric(config: ComponentConfig, request: Request) -> Iterator[Step]:
    values, metric = request.values, config.build()
    outputs, targets = rows(config.type, values, "outputs"), take(config.type, values, "targets")
    if values["outputs"].ndim == 1 and values["outputs"].shape == targets.shape:
        outputs = outputs.T  # one output for each row
    if metric.tasks == (Task.BINARY,) and outputs.shape[1] > 1:
        raise CommandLineError(f"--outputs: {config.type} needs one for each row, the probability of class 1")
    targets = _metric_targets(metric, outputs, targets)
    metric.attach(targets)
    arrays = {"outputs": outputs, "targets": targets, "value": np.asarray(metric.measure(outputs, targets))}
    yield Step(f"metric: {config.type}", config.component.documentation.formulas, settings_of(config), arrays)


def _metric_targets(metric: Metric, outputs: Array, targets: Array) -> Array:
    """Values (N, M) of a regression, or classes (N,), which may be given one-hot."""
    if Task.REGRESSION in metric.tasks:
        return shaped("targets", targets, outputs.shape, "a number for each output")
    if targets.shape == outputs.shape and outputs.shape[1] > 1:
        targets = np.argmax(targets, axis=1)
    classes = max(outputs.shape[1], 2)
    return _classes(shaped("targets", targets, (len(outputs),), "a class for each row"), classes)


def _optimizer(config: ComponentConfig, request: Request) -> Iterator[Step]:
    given = take(config.type, request.values, "params")
    grad = shaped("grad", take(config.type, request.values, "grad"), given.shape, "a number for each of --params")
    params, optimizer = given.ravel().copy(), config.build()
    optimizer.attach(params, grad.ravel().copy())
    formulas, settings = config.component.documentation.formulas, settings_of(config)
    for update in range(request.steps):
        first = {"params": given, "grad": grad} if update == 0 else {}
        optimizer.step()
        moments = {name: array.reshape(given.shape) for name, array in copied(optimizer.intermediates()).items()}
        after = {"rate": np.asarray(optimizer.rate), **moments, "params after": params.reshape(given.shape).copy()}
        heading = f"optimizer: {config.type}, update t = {update}"
        yield Step(heading, [] if update else formulas, {} if update else settings, {**first, **after})


def _clipping(config: ComponentConfig, request: Request) -> Iterator[Step]:
    before = take(config.type, request.values, "grad")
    after = before.ravel().copy()
    config.build().clip(after)
    arrays = {"grad": before, "‖g‖": np.asarray(np.linalg.norm(before)), "clipped": after.reshape(before.shape)}
    yield Step(f"clipping: {config.type}", config.component.documentation.formulas, settings_of(config), arrays)


def _schedule(config: ComponentConfig, request: Request) -> Iterator[Step]:
    if getattr(config, "updates", 1) is None:
        config = config.model_copy({"updates": request.steps})
    schedule = config.build()
    factors = {"f": np.array([schedule.factor(update) for update in range(request.steps)])}
    heading = f"schedule: {config.type}, t = 0 to {request.steps - 1}"
    yield Step(heading, config.component.documentation.formulas, settings_of(config), factors)


COMPUTATIONS: Mapping[str, Callable[[Any, Request], Iterator[Step]]] = {
    "layer": _layer,
    "loss": _loss,
    "metric": _metric,
    "optimizer": _optimizer,
    "clipping": _clipping,
    "schedule": _schedule,
}
