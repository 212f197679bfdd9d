"""A worked example: the operations of a training step, each with its formulas and arrays, and its updates."""

from dataclasses import dataclass
from typing import Any

from nncli.nn.parameters import Array


@dataclass(frozen=True)
class Step:
    """One operation of the training step.

    Args:
        heading: the operation, its component and its widths.
        formulas: those of the component.
        settings: the parameters of the component, by their symbols in the formulas if they have one.
        arrays: what the operation uses and computes, by name.
        layer: the index of its layer, if it belongs to one.
    """

    heading: str
    formulas: list[str]
    settings: dict[str, Any]
    arrays: dict[str, Array]
    layer: int | None = None


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
        of: the number of rows of the training set.
        epoch: the epoch of the weights; 0 for the initial ones.
        steps: from the data to the loss, and back to the first layer.
        parameters: the parameters whose updates are shown: the first entry of each trainable array, by its name.
        gradients: their gradients, including penalties and clipping.
        updates: the update of the config's optimizer, then those of all others with their default parameters.
        formulas: those of the config's optimizer.
        settings: its parameters.
    """

    rows: int
    of: int
    epoch: int
    steps: list[Step]
    parameters: dict[str, float]
    gradients: list[float]
    updates: list[Update]
    formulas: list[str]
    settings: dict[str, Any]
