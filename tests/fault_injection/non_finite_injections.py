"""Ways to inject a non-finite value into a training: one or more for every registered component.

A registered component is covered automatically. An injected value stays, so that the search for its origin meets it
again.
"""

import json
from collections.abc import Callable
from contextlib import contextmanager
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import yaml

import nncli.experiment.loading  # noqa: F401 (registers the components)
from nncli.cli.render.component_reference import TEMPLATES, example
from nncli.nn.layers.layer import Layer
from nncli.nn.metrics.metric import Task
from nncli.nn.penalties import Penalty
from nncli.registry import components, validated
from nncli.training.loop import Trainer
from tests.examples import BINARY, DENSE_8, SINE
from tests.nn.reference_implementations import REFERENCES

UPDATE = 7  # updates before the injection; the next batch is the second of three in epoch 2, counted from 0
ROW = 5  # of a data set, or of a batch
OFTEN = ("training.checkpoint_seconds=0", "training.log_every=1", "training.epochs=6")
CLASSES = ("training.batch_size=20", *OFTEN)  # of 60 rows
FEWER = ("training.batch_size=14", *OFTEN)  # of 40
OF_TASK = {Task.CLASSES: CLASSES, Task.BINARY: (*BINARY, *FEWER), Task.REGRESSION: (*SINE, *FEWER)}
OF_LAST = {"softmax": Task.CLASSES, "sigmoid": Task.BINARY}

START = "epoch 0(, batch 0)?: "
STEP = "epoch 2, batch 1: "
AFTER_STEP = "epoch (2, batch 2|3, batch 0): "  # found by the next step, or by a row of metrics before it
ROW_OF_METRICS = "epoch 3: "
STEP_OR_ROW = "epoch (2, batch 1|3): "  # found by a step, or by a row of metrics if the gradient stays finite
NON_FINITE = r" (is|are) no longer finite \(VALUE( at \[\d+(, \d+)?\])?\)"
NON_FINITE_OR_NAN = NON_FINITE.replace("VALUE", "(VALUE|nan)")  # infinity may become NaN


class Injector:
    """Injects one value, and counts how often in ``times``; ``row`` is the row of the data that gets it."""

    def __init__(self, value):
        self.value, self.times, self.row = value, 0, ROW

    def __call__(self, array, index=None):
        """Write the value into an array, at its first index or another."""
        array[(0,) * array.ndim if index is None else index] = self.value
        self.times += 1

    def return_value(self, *_):
        """Replace a method that returns a number."""
        self.times += 1
        return self.value

    def into_row(self, data, rows):
        """Write the value into one row of a batch, and into the same row of the data set."""
        self.row = int(np.flatnonzero((data == rows[ROW]).all(axis=1))[0])
        self(data, (self.row, 0))
        self(rows, (ROW, 0))

    def after(self, owner, method, filled=None):
        """Write the value after each call of a method into its result, or into an array that it fills."""
        original = getattr(owner, method)

        def disturbed(*arguments, **options):
            result = original(*arguments, **options)
            self(result if filled is None else filled)
            return result

        setattr(owner, method, disturbed)


class Injection(NamedTuple):
    """A way to inject a value into a training.

    Args:
        kind: the kind of the component; or penalty, or data.
        name: the type of the component.
        target: the array or value of the component.
        changes: overrides of the small config.
        patched: a context manager that injects with an ``Injector``.
        message: a pattern of the message after "training diverged at ", with VALUE and ROW.
    """

    kind: str
    name: str
    target: str
    changes: tuple[str, ...]
    patched: Callable
    message: str

    def __str__(self):
        return f"{self.kind} {self.name}: {self.target}"


def later(act):
    """Call ``act(training, inject)`` once, before a step in the middle of the training."""

    @contextmanager
    def patched(inject):
        original = Trainer.step

        def step(training, inputs, targets, weights):
            if training.optimizer.updates == UPDATE:
                inject.batch = {"inputs": inputs, "targets": targets}
                act(training, inject)
            original(training, inputs, targets, weights)

        with patch.object(Trainer, "step", step):
            yield

    return patched


def always(target, method, pick):
    """Inject into ``pick(result, *arguments)`` at each call of a method of a class."""

    @contextmanager
    def patched(inject):
        original = getattr(target, method)

        def disturbed(*arguments, **options):
            result = original(*arguments, **options)
            inject(*pick(result, *arguments))
            return result

        with patch.object(target, method, disturbed):
            yield

    return patched


def config_value(entry):
    """A component as in a config, with its required arguments."""
    place = TEMPLATES.get(entry.kind, f"{entry.kind}: {{}}").format("|").partition("|")
    return example(entry).removeprefix(place[0]).removesuffix(place[2])


def layers():
    """Outputs, arrays, and the gradients of arrays and inputs, of each layer in the middle of a network."""
    for entry in components("layer"):
        changes = (f"layers=[{DENSE_8}, {config_value(entry)}, {{type: dense, units: 3}}, softmax]", *CLASSES)
        named = rf"layers\[1\] \({entry.name}\)"

        def case(target, message, act, entry=entry, changes=changes):
            return Injection("layer", entry.name, target, changes, later(act), message)

        yield case(
            "outputs", f"{STEP}the outputs of {named}{NON_FINITE}", lambda t, inject: inject.after(layer(t), "forward")
        )
        yield case(
            "gradient of the inputs",
            f"{STEP}the gradient of the inputs of {named}{NON_FINITE}",
            lambda t, inject: inject.after(layer(t), "backward"),
        )
        part = validated(yaml.safe_load(config_value(entry)), Layer).build()
        for name in part.shapes(8):
            yield case(
                name,
                f"{STEP}layers.1.{name}{NON_FINITE}",
                lambda t, inject, name=name: inject(array(t, name, "values")),
            )
            yield case(
                f"gradient of {name}",
                f"{STEP}the gradient of layers.1.{name}{NON_FINITE}",
                lambda t, inject, name=name: inject.after(layer(t), "parameter_gradients", array(t, name, "gradients")),
            )
        for name in part.statistics(8):
            yield case(
                name,
                f"{AFTER_STEP}layers.1.{name}{NON_FINITE_OR_NAN}",
                lambda t, inject, name=name: inject(array(t, name, "values")),
            )


def layer(training):
    return training.network.layers[1]


def array(training, name, vector):
    parameters = training.network.parameters
    return parameters.views(getattr(parameters, vector))[f"layers.1.{name}"]


def losses():
    """Gradient, value, targets, and outputs of the layer before, of each loss."""
    for entry in components("loss"):
        last = next(iter(entry.target.last_layers), "tanh")
        task = OF_LAST.get(last, Task.REGRESSION)
        changes = (*OF_TASK[task], f"loss={config_value(entry)}")

        def case(target, message, act, entry=entry, changes=changes):
            return Injection("loss", entry.name, target, changes, later(act), message)

        yield case(
            "gradient",
            f"{STEP}the gradient of the loss{NON_FINITE}",
            lambda t, inject: inject.after(t.network.loss, "backward_fused" if t.network.is_fused else "backward"),
        )
        yield case(
            "loss of a row",
            f"{ROW_OF_METRICS}on the training set the loss of a row{NON_FINITE}",
            lambda t, inject: inject.after(t.network.loss, "forward"),
        )
        yield case(
            "outputs of the last layer",
            rf"{STEP_OR_ROW}(on the training set )?the outputs of layers\[\d\] \(\w+\){NON_FINITE}",
            lambda t, inject: inject.after(t.network.layers[-1], "forward"),
        )
        yield case(
            "targets",
            f"{STEP_OR_ROW}row ROW, column 0 of the training set's targets is VALUE",
            lambda t, inject: inject.into_row(t._monitored_splits["training"].encoded, inject.batch["targets"]),
        )


def optimizers():
    """State, learning rate and update of each optimizer."""
    for entry in components("optimizer"):

        def case(target, message, act, entry=entry):
            return Injection(
                "optimizer", entry.name, target, (f"optimizer={config_value(entry)}", *CLASSES), later(act), message
            )

        for name in entry.target.state_names:
            yield case(
                name,
                f"{AFTER_STEP}the optimizer's {name} of layers.0.weights{NON_FINITE_OR_NAN}",
                lambda t, inject, name=name: inject(t.optimizer.state[name]),
            )
        yield case(
            "update",
            f"{AFTER_STEP}layers.0.weights{NON_FINITE}",
            lambda t, inject: inject.after(t.optimizer, "step", t.optimizer._blocks[0][0]),
        )
        yield case(
            "learning rate",
            f"{AFTER_STEP}the learning rate of the last update, VALUE, gives a factor that is not finite",
            lambda t, inject: setattr(t.optimizer, "rate_at", inject.return_value),
        )


def schedules():
    """The factor of each schedule."""
    for entry in components("schedule"):
        message = f"{AFTER_STEP}the learning rate of the last update, VALUE, gives a factor that is not finite"
        act = later(lambda t, inject: setattr(t.optimizer.schedule, "factor", inject.return_value))
        yield Injection("schedule", entry.name, "factor", (f"schedule={config_value(entry)}", *CLASSES), act, message)


def clippings():
    """The gradients after each clipping."""
    for entry in components("clipping"):
        message = f"{STEP}the clipped gradient of layers.0.weights{NON_FINITE}"
        act = later(lambda t, inject: inject.after(t.experiment.clipping, "clip", t.network.parameters.gradients))
        yield Injection("clipping", entry.name, "gradient", (f"clipping={config_value(entry)}", *CLASSES), act, message)


def penalties():
    """Gradient and value of each penalty."""
    for key in ("l1", "l2", "bias_l1", "bias_l2"):
        changes = (f"layers[2].{key}=0.01", *CLASSES)
        name = "layers.2.biases" if key.startswith("bias") else "layers.2.weights"
        yield Injection(
            "penalty",
            key,
            "gradient",
            changes,
            later(lambda t, inject: inject.after(t.network.penalties[0], "backward", t.network.penalties[0].gradient)),
            f"{STEP}the gradient of the penalty on {name}{NON_FINITE}",
        )
        yield Injection(
            "penalty",
            key,
            "value",
            changes,
            later(lambda t, inject: setattr(t.network.penalties[0], "forward", inject.return_value)),
            f"{ROW_OF_METRICS}the penalty on {name}{NON_FINITE}",
        )


def initializers():
    """The initial weights of each initializer."""
    for entry in components("initializer"):
        changes = (
            f"layers[2].initializer={config_value(entry)}",
            f"layers[0].initializer={config_value(entry)}",
            *CLASSES,
        )
        act = always(entry.target, "draw", lambda drawn, *_: [drawn])
        yield Injection(
            "initializer", entry.name, "initial weights", changes, act, f"{START}layers.0.weights{NON_FINITE}"
        )


def metrics():
    """Each metric, on the training set and on the validation set."""
    for entry in components("metric"):
        changes = (*OF_TASK[entry.target.tasks[0]], f"metrics=[{entry.name}]")
        for split in ("training", "validation"):

            def act(training, inject, split=split, name=entry.name):
                metric, seen = training.experiment.metrics[name], training._monitored_splits[split].targets
                original = metric.measure
                metric.measure = lambda outputs, targets: (inject.return_value if targets is seen else original)(
                    outputs, targets
                )

            message = f"{ROW_OF_METRICS}on the {split} set the {entry.name}{NON_FINITE}"
            yield Injection("metric", entry.name, f"of the {split} set", changes, later(act), message)


def _of_schema(schema):
    """The task of a data set, with as many outputs as it has classes."""
    if schema.classes is None:
        return OF_TASK[Task.REGRESSION]
    return (*OF_TASK[Task.CLASSES], f"layers=[{DENSE_8}, relu, {{type: dense, units: {schema.classes}}}, softmax]")


def datasets():
    """A row of each data set, from the start."""
    for entry in components("dataset"):
        if ("dataset", entry.name) not in REFERENCES:  # it reads a file, which it checks
            continue
        source = entry.model.model_validate({"type": entry.name, **REFERENCES["dataset", entry.name][1]})
        data = (f"data={json.dumps(source.model_dump(), default=str)}", "validation=null", "training.batch_size=7")
        changes = (*_of_schema(source.build().open()), *data)
        message = rf"epoch 0(, batch \d+)?: row {ROW}, column 0 of the training set's inputs is VALUE"
        act = always(entry.target, "draw", lambda drawn, *_: [drawn.inputs, (ROW, 0)])
        yield Injection("dataset", entry.name, "inputs", changes, act, message)


def data():
    """A value of the training set, and of the validation set, in the middle of a training."""
    message = "row ROW, column 0 of the {} set's {} is VALUE"
    for name, part in {"inputs": "inputs", "targets": "encoded"}.items():

        def trained(training, inject, name=name, part=part):
            inject.into_row(getattr(training._monitored_splits["training"], part), inject.batch[name])

        def measured(training, inject, part=part):
            inject(getattr(training._monitored_splits["validation"], part), (ROW, 0))

        changes = OF_TASK[Task.REGRESSION if name == "targets" else Task.CLASSES]
        yield Injection("data", "training", name, changes, later(trained), STEP + message.format("training", name))
        yield Injection(
            "data", "validation", name, changes, later(measured), ROW_OF_METRICS + message.format("validation", name)
        )


def all_injections():
    """All injections."""
    kinds = (layers, losses, optimizers, schedules, clippings, penalties, initializers, metrics, datasets, data)
    return [each for kind in kinds for each in kind()]


FILLED = {  # by the method of a component, of its result and arguments
    "layer": ("forward", lambda outputs, *_: [outputs]),
    "loss": ("forward", lambda losses, *_: [losses]),
    "optimizer": ("update", lambda _, optimizer, factors, values, *others: [values]),
    "clipping": ("clip", lambda _, clipping, gradients: [gradients]),
}


def from_the_start():
    """Injections into the classes, for commands that take only a few steps."""
    yield from initializers()
    yield from datasets()
    changes = {(each.kind, each.name): each.changes for each in all_injections()}
    for kind, (method, pick) in FILLED.items():
        for entry in components(kind):
            act = always(entry.target, method, pick)
            yield Injection(kind, entry.name, method, changes[kind, entry.name], act, "")
    for method in ("forward", "backward"):
        act = always(Penalty, method, lambda price, penalty: [penalty.gradient if price is None else penalty.values])
        yield Injection("penalty", "l2", method, changes["penalty", "l2"], act, "")
