"""Where a number that is not finite can get into a training: one place or more in every registered component.

A component is here by being registered. What is put in stays in, so that it is met again by whoever looks for it.
"""

from collections.abc import Callable
from contextlib import contextmanager
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import yaml

import nncli.experiment.loading  # noqa: F401 (registers the components)
from nncli.cli.render.component_reference import PLACES, example
from nncli.nn.layers.layer import Layer
from nncli.nn.metrics.metric import Task
from nncli.nn.penalties import Penalty
from nncli.registry import components, validated
from nncli.train.loop import Trainer
from tests.examples import BINARY, DENSE_8, SINE

UPDATE = 7  # updates are done when a number is put in; the second of three batches of epoch 2 is next, counted from 0
ROW = 5  # of a data set, or of a batch
OFTEN = ("training.checkpoint_seconds=0", "training.log_every=1", "training.epochs=6")
CLASSES = ("training.batch_size=20", *OFTEN)  # of 60 rows
FEWER = ("training.batch_size=14", *OFTEN)  # of 40
OF_TASK = {Task.CLASSES: CLASSES, Task.BINARY: (*BINARY, *FEWER), Task.REGRESSION: (*SINE, *FEWER)}
OF_LAST = {"softmax": Task.CLASSES, "sigmoid": Task.BINARY}

START = "epoch 0(, batch 0)?: "
STEP = "epoch 2, batch 1: "
LEFT = "epoch (2, batch 2|3, batch 0): "  # what a step leaves is met by the next one, or by a row of metrics before it
MEASURED = "epoch 3: "
SEEN = "epoch (2, batch 1|3): "  # by a step, or where its gradient does not mind, when the loss is measured
GONE = r" (is|are) no longer finite \(VALUE( at \[\d+(, \d+)?\])?\)"
LOST = GONE.replace("VALUE", "(VALUE|nan)")  # what is computed with infinity becomes NaN


class Put:
    """Puts one number where it is asked to, and counts how often; ``row`` is which row of the data gets it."""

    def __init__(self, value):
        self.value, self.times, self.row = value, 0, ROW

    def __call__(self, array, place=None):
        """Write it into an array, at its first place or another."""
        array[(0,) * array.ndim if place is None else place] = self.value
        self.times += 1

    def number(self, *_):
        """Stand in for a method that returns a number."""
        self.times += 1
        return self.value

    def into_row(self, whole, rows):
        """Write it into one row of a batch, and into the row of all that this is."""
        self.row = int(np.flatnonzero((whole == rows[ROW]).all(axis=1))[0])
        self(whole, (self.row, 0))
        self(rows, (ROW, 0))

    def behind(self, owner, method, filled=None):
        """Write it from now on into what a method of an object returns, or into an array that it fills."""
        honest = getattr(owner, method)

        def spoiled(*arguments, **options):
            result = honest(*arguments, **options)
            if any(result is each for each in arguments):  # which is somebody else's
                result = result.copy(order="F")
            self(result if filled is None else filled)
            return result

        setattr(owner, method, spoiled)


class Injection(NamedTuple):
    """A way for a number to get into a training.

    Args:
        kind: of the component; or penalty, or data.
        name: of the component.
        place: where in it the number is put.
        changes: those of the small spec.
        patched: called with a ``Put`` it is a context in which the number gets in.
        told: a pattern of the message behind "training diverged at ", VALUE standing for the number, ROW for the row.
    """

    kind: str
    name: str
    place: str
    changes: tuple[str, ...]
    patched: Callable
    told: str

    def __str__(self):
        return f"{self.kind} {self.name}: {self.place}"


def later(act):
    """``act(training, put)`` once, right before a step in the middle."""

    @contextmanager
    def patched(put):
        honest = Trainer.step

        def step(training, inputs, targets):
            if training.optimizer.updates == UPDATE:
                put.batch = {"inputs": inputs, "targets": targets}
                act(training, put)
            honest(training, inputs, targets)

        with patch.object(Trainer, "step", step):
            yield

    return patched


def at_once(target, method, pick):
    """Into ``pick(result, *arguments)`` of a method of a class, whenever it is called."""

    @contextmanager
    def patched(put):
        honest = getattr(target, method)

        def spoiled(*arguments, **options):
            result = honest(*arguments, **options)
            if any(result is each for each in arguments):
                result = result.copy(order="F")
            put(*pick(result, *arguments))
            return result

        with patch.object(target, method, spoiled):
            yield

    return patched


def written(entry):
    """A component as a spec names it, with what it requires."""
    place = PLACES.get(entry.kind, f"{entry.kind}: {{}}").format("|").partition("|")
    return example(entry).removeprefix(place[0]).removesuffix(place[2])


def layers():
    """Outputs, arrays, their gradients and that of the inputs, of each layer in the middle of a network."""
    for entry in components("layer"):
        changes = (f"layers=[{DENSE_8}, {written(entry)}, {{type: dense, units: 3}}, softmax]", *CLASSES)
        named = rf"layers\[1\] \({entry.name}\)"

        def case(place, told, act, entry=entry, changes=changes):
            return Injection("layer", entry.name, place, changes, later(act), told)

        yield case("outputs", f"{STEP}the outputs of {named}{GONE}", lambda t, put: put.behind(layer(t), "forward"))
        yield case(
            "gradient of the inputs",
            f"{STEP}the gradient of the inputs of {named}{GONE}",
            lambda t, put: put.behind(layer(t), "backward"),
        )
        part = validated(yaml.safe_load(written(entry)), Layer).build()
        for name in part.shapes(8):
            yield case(name, f"{STEP}layers.1.{name}{GONE}", lambda t, put, name=name: put(array(t, name, "values")))
            yield case(
                f"gradient of {name}",
                f"{STEP}the gradient of layers.1.{name}{GONE}",
                lambda t, put, name=name: put.behind(layer(t), "parameter_gradients", array(t, name, "gradients")),
            )
        for name in part.statistics(8):
            yield case(name, f"{LEFT}layers.1.{name}{LOST}", lambda t, put, name=name: put(array(t, name, "values")))


def layer(training):
    return training.network.layers[1]


def array(training, name, vector):
    parameters = training.network.parameters
    return parameters.views(getattr(parameters, vector))[f"layers.1.{name}"]


def losses():
    """Gradient, value, targets, and outputs of the layer before, of each loss on a task that it is for."""
    for entry in components("loss"):
        last = next(iter(entry.target.last_layers), "tanh")
        task = OF_LAST.get(last, Task.REGRESSION)
        changes = (*OF_TASK[task], f"loss={written(entry)}")

        def case(place, told, act, entry=entry, changes=changes):
            return Injection("loss", entry.name, place, changes, later(act), told)

        yield case(
            "gradient",
            f"{STEP}the gradient of the loss{GONE}",
            lambda t, put: put.behind(t.network.loss, "backward_fused" if t.network.is_fused else "backward"),
        )
        yield case(
            "loss of a row",
            f"{MEASURED}on the training set the loss of a row{GONE}",
            lambda t, put: put.behind(t.network.loss, "forward"),
        )
        yield case(
            "outputs of the last layer",
            rf"{SEEN}(on the training set )?the outputs of layers\[\d\] \(\w+\){GONE}",
            lambda t, put: put.behind(t.network.layers[-1], "forward"),
        )
        yield case(
            "targets",
            f"{SEEN}row ROW, column 0 of the training set's targets is VALUE",
            lambda t, put: put.into_row(t._monitored_splits["training"].encoded, put.batch["targets"]),
        )


def optimizers():
    """Memory, learning rate and update of each optimizer."""
    for entry in components("optimizer"):

        def case(place, told, act, entry=entry):
            return Injection(
                "optimizer", entry.name, place, (f"optimizer={written(entry)}", *CLASSES), later(act), told
            )

        for name in entry.target.state_names:
            yield case(
                name,
                f"{LEFT}the optimizer's {name} of layers.0.weights{LOST}",
                lambda t, put, name=name: put(t.optimizer.state[name]),
            )
        yield case(
            "update",
            f"{LEFT}layers.0.weights{GONE}",
            lambda t, put: put.behind(t.optimizer, "step", t.optimizer._blocks[0][0]),
        )
        yield case(
            "learning rate",
            f"{LEFT}the learning rate of the last update, VALUE, gives a factor that is not finite",
            lambda t, put: setattr(t.optimizer, "rate_at", put.number),
        )


def schedules():
    """The factor of each schedule."""
    for entry in components("schedule"):
        told = f"{LEFT}the learning rate of the last update, VALUE, gives a factor that is not finite"
        act = later(lambda t, put: setattr(t.optimizer.schedule, "factor", put.number))
        yield Injection("schedule", entry.name, "factor", (f"schedule={written(entry)}", *CLASSES), act, told)


def clippings():
    """What each clipping makes of the gradients."""
    for entry in components("clipping"):
        told = f"{STEP}the clipped gradient of layers.0.weights{GONE}"
        act = later(lambda t, put: put.behind(t.experiment.clipping, "clip", t.network.parameters.gradients))
        yield Injection("clipping", entry.name, "gradient", (f"clipping={written(entry)}", *CLASSES), act, told)


def penalties():
    """Gradient and price of each penalty."""
    for key in ("l1", "l2", "bias_l1", "bias_l2"):
        changes = (f"layers[2].{key}=0.01", *CLASSES)
        name = "layers.2.biases" if key.startswith("bias") else "layers.2.weights"
        yield Injection(
            "penalty",
            key,
            "gradient",
            changes,
            later(lambda t, put: put.behind(t.network.penalties[0], "backward", t.network.penalties[0].gradient)),
            f"{STEP}the gradient of the penalty on {name}{GONE}",
        )
        yield Injection(
            "penalty",
            key,
            "price",
            changes,
            later(lambda t, put: setattr(t.network.penalties[0], "forward", put.number)),
            f"{MEASURED}the penalty on {name}{GONE}",
        )


def initializers():
    """The first weights of each initializer."""
    for entry in components("initializer"):
        changes = (f"layers[2].initializer={written(entry)}", f"layers[0].initializer={written(entry)}", *CLASSES)
        act = at_once(entry.target, "draw", lambda drawn, *_: [drawn])
        yield Injection("initializer", entry.name, "first weights", changes, act, f"{START}layers.0.weights{GONE}")


def metrics():
    """Each metric, on the training set and on the validation set."""
    for entry in components("metric"):
        changes = (*OF_TASK[entry.target.tasks[0]], f"metrics=[{entry.name}]")
        for split in ("training", "validation"):

            def act(training, put, split=split, name=entry.name):
                metric, seen = training.experiment.metrics[name], training._monitored_splits[split].targets
                honest = metric.measure
                metric.measure = lambda outputs, targets: (put.number if targets is seen else honest)(outputs, targets)

            told = f"{MEASURED}on the {split} set the {entry.name}{GONE}"
            yield Injection("metric", entry.name, f"of the {split} set", changes, later(act), told)


def datasets():
    """A row of each data set, from the start; and of each split, later."""
    for entry in components("dataset"):
        task = Task.REGRESSION if entry.name == "sine" else Task.CLASSES
        changes = (*OF_TASK[task], *([] if entry.name == "sine" else [f"data.type={entry.name}", "validation=null"]))
        told = f"epoch 0(, batch [012])?: row {ROW}, column 0 of the training set's inputs is VALUE"
        act = at_once(entry.target, "draw", lambda drawn, *_: [drawn.inputs, (ROW, 0)])
        yield Injection("dataset", entry.name, "inputs", changes, act, told)


def data():
    """A number of the training set, and of the validation set, in the middle of a training."""
    told = "row ROW, column 0 of the {} set's {} is VALUE"
    for name, part in {"inputs": "inputs", "targets": "encoded"}.items():

        def trained(training, put, name=name, part=part):
            put.into_row(getattr(training._monitored_splits["training"], part), put.batch[name])

        def measured(training, put, part=part):
            put(getattr(training._monitored_splits["validation"], part), (ROW, 0))

        changes = OF_TASK[Task.REGRESSION if name == "targets" else Task.CLASSES]
        yield Injection("data", "training", name, changes, later(trained), STEP + told.format("training", name))
        yield Injection(
            "data", "validation", name, changes, later(measured), MEASURED + told.format("validation", name)
        )


def every():
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
    """Injections into the classes themselves, for commands that take only a few steps."""
    yield from initializers()
    yield from datasets()
    changes = {(each.kind, each.name): each.changes for each in every()}
    for kind, (method, pick) in FILLED.items():
        for entry in components(kind):
            act = at_once(entry.target, method, pick)
            yield Injection(kind, entry.name, method, changes[kind, entry.name], act, "")
    for method in ("forward", "backward"):
        act = at_once(Penalty, method, lambda price, penalty: [penalty.gradient if price is None else penalty.values])
        yield Injection("penalty", "l2", method, changes["penalty", "l2"], act, "")
