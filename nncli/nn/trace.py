"""Observation of a training step: the operations of a network in the order of computation, with what they compute.

While the context of ``observed`` is active, the methods that make up a step are replaced, on these objects only, by
wrappers that call an observer. The observed code is therefore the code that trains, and a step that is not observed has
no overhead.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, NamedTuple

from nncli.nn.clipping import Clipping
from nncli.nn.network import Network
from nncli.nn.optimizers.optimizer import Optimizer


class Kind(StrEnum):
    """What an operation of a step does."""

    INPUTS = "inputs"  # gives the inputs of a pass to the first layer, which may copy and convert them
    FORWARD = "forward"
    LOSS_GRADIENT = "loss gradient"
    BACKWARD = "backward"
    PARAMETER_GRADIENTS = "parameter gradients"  # of the first trainable layer, at which backward ends
    PENALTIES = "penalties"
    CLIPPING = "clipping"
    UPDATE = "update"


class Operation(NamedTuple):
    """One operation of a step: its kind, and the index of the layer if it belongs to one."""

    kind: str
    layer: int | None = None


class ObservedMethod(NamedTuple):
    """The method of an object that performs an operation."""

    operation: Operation
    owner: Any
    name: str


class Observer:
    """Receives every operation of a step, which it may time, copy or change."""

    def before(self, operation: Operation, *arguments: Any) -> None:
        """Called before an operation, with its arguments."""

    def after(self, operation: Operation, result: Any) -> None:
        """Called after an operation, with what it returned; the array still belongs to the object that computed it."""


def forward_methods(network: Network) -> Iterator[ObservedMethod]:
    """The operations of a forward pass."""
    yield ObservedMethod(Operation(Kind.INPUTS), network, "load")
    for index, layer in enumerate(network.layers):
        yield ObservedMethod(Operation(Kind.FORWARD, index), layer, "forward")


def step_methods(
    network: Network, clipping: Clipping | None = None, optimizer: Optimizer | None = None
) -> Iterator[ObservedMethod]:
    """The operations of a training step, none of which is part of another; without clipping or optimizer if None."""
    yield from forward_methods(network)
    yield ObservedMethod(Operation(Kind.LOSS_GRADIENT), network, "loss_gradient")
    for layer in network.backward_layers:
        yield ObservedMethod(Operation(Kind.BACKWARD, network.layers.index(layer)), layer, "backward")
    if network.first_trainable in network.layers:  # else backward goes down to the data
        operation = Operation(Kind.PARAMETER_GRADIENTS, network.layers.index(network.first_trainable))
        yield ObservedMethod(operation, network.first_trainable, "parameter_gradients")
    if network.penalties:
        yield ObservedMethod(Operation(Kind.PENALTIES), network, "penalize")
    if clipping:
        yield ObservedMethod(Operation(Kind.CLIPPING), clipping, "clip")
    if optimizer:
        yield ObservedMethod(Operation(Kind.UPDATE), optimizer, "step")


@contextmanager
def observed(methods: Iterable[ObservedMethod], observer: Observer) -> Iterator[None]:
    """Call the observer before and after each of these methods until the context ends."""
    replaced = []
    try:
        for operation, owner, name in methods:
            method = getattr(owner, name)
            replaced.append((owner, name, method))
            setattr(owner, name, _reporting(operation, method, observer))
        yield
    finally:
        for owner, name, method in reversed(replaced):
            _restore(owner, name, method)


def _reporting(operation: Operation, method: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    def reporting(*arguments: Any, **named: Any) -> Any:
        observer.before(operation, *arguments)
        result = method(*arguments, **named)
        observer.after(operation, result)
        return result

    return reporting


def _restore(owner: Any, name: str, method: Callable[..., Any]) -> None:
    """Restore the method that an object itself had, or else the one of its class.

    The ``__dict__`` of the object is not touched: that would make Python slower at each later access to its attributes.
    """
    if getattr(method, "__func__", None) is getattr(type(owner), name, None):
        delattr(owner, name)
    else:
        setattr(owner, name, method)
