"""Constants that underflow or overflow in the dtype of a config, and weights that stay at 0."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nncli.config.diagnostics import Finding, Path
from nncli.config.model import Config, Regularization
from nncli.nn.activations import ReLU, Sigmoid, Softmax
from nncli.registry import ComponentConfig


def rounded_constants(config: Config) -> Iterator[Finding]:
    """Find float parameters of components that underflow to 0 or overflow to infinity in the dtype of the config."""
    dtype = np.dtype(config.dtype)
    limits = np.finfo(dtype)
    for name in Config.model_fields:
        for path, value in _floats(getattr(config, name, None), (name,)):
            with np.errstate(over="ignore", under="ignore"):
                rounded = dtype.type(value)
            if value and not rounded:
                limit = f"smallest positive value: {limits.smallest_subnormal:.2g}"
                message = f"{value:g} underflows to 0 in {dtype} ({limit})"
                yield Finding(path, f"{message}; use a larger value or dtype: float64")
            elif not np.isfinite(rounded):
                message = f"{value:g} overflows to infinity in {dtype} (largest value: {limits.max:.2g})"
                yield Finding(path, f"{message}; use a smaller value or dtype: float64")


def weights_stuck_at_zero(config: Config) -> Iterator[Finding]:
    """Find layers whose initial weights are all 0 and get no gradient; those of a last layer do get one."""
    rng, dtype = np.random.default_rng(0), np.dtype(config.dtype)
    with np.errstate(over="ignore"):
        samples = {
            index: initializer.build().draw(rng, 8, 8).astype(dtype)
            for index, layer in enumerate(config.layers)
            if isinstance(initializer := getattr(layer, "initializer", None), ComponentConfig)
        }
    types = [layer.component.target for layer in config.layers]
    zeros = [index for index, weights in samples.items() if not np.any(weights)]
    for index in zeros:  # every other layer maps zeros to zeros; so does a dense one, whose initial biases are 0
        ends = (at for at in range(index + 1, len(types)) if issubclass(types[at], Sigmoid | Softmax))
        relus = [at for at in range(index + 1, next(ends, len(types))) if issubclass(types[at], ReLU)]
        zero_layers = [f"the zero weights of layers[{at}]" for at in zeros if at > index]
        for obstacle in [*(f"layers[{at}] (relu), whose gradient at 0 is 0" for at in relus), *zero_layers][:1]:
            message = f"all initial weights are 0, and no gradient reaches them through {obstacle}"
            yield Finding(("layers", index, "initializer"), f"{message}; use a scale above 0, or omit the initializer")


def _floats(value: Any, path: Path) -> Iterator[tuple[Path, float]]:
    """Yield the float parameters of a component or a list of components, and of components among their parameters."""
    if isinstance(value, ComponentConfig | Regularization):
        for name, inner in vars(value).items():
            yield from _floats(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _floats(inner, (*path, index))
    elif isinstance(value, float):
        yield path, value
