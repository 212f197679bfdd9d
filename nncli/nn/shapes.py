"""Widths and parameter shapes of a stack of layers."""

from collections.abc import Mapping, Sequence

from nncli.nn.layers.layer import Layer
from nncli.nn.parameters import Shape


def widths(layers: Sequence[Layer], inputs: int) -> tuple[int, ...]:
    """The number of inputs of each layer, followed by the number of outputs of the network."""
    columns = [inputs]
    for layer in layers:
        columns.append(layer.width(columns[-1]))
    return tuple(columns)


def shapes(layers: Sequence[Layer], inputs: int) -> dict[str, Shape]:
    """The shape of every trainable array by its full name, such as ``layers.0.weights``."""
    pairs = zip(layers, widths(layers, inputs), strict=False)
    return _full_names([layer.shapes(columns) for layer, columns in pairs])


def statistics(layers: Sequence[Layer], inputs: int) -> dict[str, Shape]:
    """The shape of every non-trainable array by its full name, such as ``layers.1.running_mean``."""
    pairs = zip(layers, widths(layers, inputs), strict=False)
    return _full_names([layer.statistics(columns) for layer, columns in pairs])


def _full_names(layers: Sequence[Mapping[str, Shape]]) -> dict[str, Shape]:
    return {f"layers.{index}.{name}": shape for index, layer in enumerate(layers) for name, shape in layer.items()}
