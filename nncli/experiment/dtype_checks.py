"""What the dtype of a config makes of its constants: which become 0 or infinite, and which weights stay at 0."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nncli.config.diagnostics import Path
from nncli.config.model import Config, Regularization
from nncli.config.validation import PartialConfig
from nncli.nn.activations import ReLU, Sigmoid, Softmax
from nncli.registry import ComponentConfig


def rounded_constants(sections: PartialConfig) -> Iterator[tuple[Path, str]]:
    """Float parameters of components that are not 0 and become 0, or become infinite, when cast to the dtype."""
    dtype = np.dtype(sections.dtype)
    limits = np.finfo(dtype)
    for name in Config.model_fields:
        for path, value in _floats(getattr(sections, name, None), (name,)):
            with np.errstate(over="ignore", under="ignore"):
                held = dtype.type(value)
            if value and not held:
                least = f"the smallest positive number of {dtype} is {limits.smallest_subnormal:.2g}"
                yield path, f"{value:g} becomes 0: {least}; write a larger number or dtype: float64"
            elif not np.isfinite(held):
                most = f"the largest number of {dtype} is {limits.max:.2g}"
                yield path, f"{value:g} becomes infinite: {most}; write a smaller number or dtype: float64"


def weights_stuck_at_zero(sections: PartialConfig) -> Iterator[tuple[Path, str]]:
    """Layers whose weights all begin at 0 where no gradient reaches them; elsewhere, as in a last layer, they learn."""
    rng, dtype = np.random.default_rng(0), np.dtype(sections.dtype)
    with np.errstate(over="ignore"):
        drawn = {
            index: initializer.build().draw(rng, 8, 8).astype(dtype)
            for index, layer in enumerate(sections.layers)
            if isinstance(initializer := getattr(layer, "initializer", None), ComponentConfig)
        }
    targets = [layer.component.target for layer in sections.layers]
    zeros = [index for index, weights in drawn.items() if not np.any(weights)]
    for index in zeros:  # all other layers make zeros of zeros, dense ones too, whose biases begin at 0
        ends = (at for at in range(index + 1, len(targets)) if issubclass(targets[at], Sigmoid | Softmax))
        relus = [at for at in range(index + 1, next(ends, len(targets))) if issubclass(targets[at], ReLU)]
        others = [f"the zeros of layers[{other}]" for other in zeros if other > index]
        for blocked in [*(f"layers[{at}] (relu), whose gradient at 0 is 0" for at in relus), *others][:1]:
            stuck = f"all weights begin at 0, and no gradient reaches them through {blocked}"
            yield ("layers", index, "initializer"), f"{stuck}; write a scale above 0, or leave the initializer out"


def _floats(value: Any, path: Path) -> Iterator[tuple[Path, float]]:
    """The float parameters of a component or a list of components, and of those among their parameters."""
    if isinstance(value, ComponentConfig | Regularization):
        for name, inner in vars(value).items():
            yield from _floats(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _floats(inner, (*path, index))
    elif isinstance(value, float):
        yield path, value
