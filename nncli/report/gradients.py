"""Gradient norms, update-to-weight ratios and dead units of each layer, by epoch."""

from typing import NamedTuple

from nncli.errors import RunError
from nncli.nn.parameters import Array
from nncli.store.health_csv import UPDATE_RATIO
from nncli.store.records import HEALTH
from nncli.store.run_reader import Run
from nncli.training.health import DEAD, NORMS


class LayerHealth(NamedTuple):
    """One layer at the logged epochs; NaN where a value was not measured.

    Args:
        layer: the index of the layer.
        type: its type.
        gradient_norm: |g| (E,), g the gradients of its parameters as one vector; None unless it is trainable.
        update_norm: |w − w'| (E,), w' the parameters before the last step; None unless it is trainable.
        weight_norm: |w| (E,); None unless it is trainable.
        update_ratio: |w − w'| / |w| (E,), often near 0.001; None unless it is trainable.
        dead_fraction: the fraction (E,) of its units with the same output for all rows; of hidden activations only.
    """

    layer: int
    type: str
    gradient_norm: Array | None
    update_norm: Array | None
    weight_norm: Array | None
    update_ratio: Array | None
    dead_fraction: Array | None


class Gradients(NamedTuple):
    """The layers of a run at its logged epochs.

    Args:
        run: the name of the run.
        epochs: the logged epochs (E,).
        layers: the observed layers, in order.
    """

    run: str
    epochs: Array
    layers: list[LayerHealth]


def gradients_of(run: Run) -> Gradients | None:
    """The values of health.csv; None of a run without them, such as one from before version 0.9.

    Raises:
        RunError: health.csv is damaged, or has no row.
    """
    if not run.record.has_health:
        return None
    health, types = run.health, [layer.type for layer in run.config.layers]
    if not len(health.epochs):
        why = f": {health.problem}" if health.problem else ""
        raise RunError(f"{run.path / HEALTH}: has no row of a logged epoch{why}")
    names = (*NORMS, UPDATE_RATIO, DEAD)
    layers = [
        LayerHealth(index, types[index], *(columns.get(name) for name in names))
        for index, columns in sorted(health.layers().items())
    ]
    return Gradients(run.name, health.epochs, layers)
