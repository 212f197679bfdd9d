"""The parameters of an estimator as the sections of a config."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any

MIN_DELTA = 1e-4  # a smaller improvement of the loss does not count


def sections_of(parameters: Mapping[str, Any], seed: int, last: Sequence[Any], loss: str) -> dict[str, Any]:
    """The sections of a config, without data and validation.

    Args:
        parameters: the parameters of the estimator.
        seed: the seed.
        last: the layers after the hidden ones.
        loss: the loss.

    Raises:
        ValueError: ``hidden`` is neither a layer nor a list of layers.
    """
    metric = "loss" if parameters["validation_fraction"] is None else "validation_loss"
    return {
        "seed": seed,
        "dtype": parameters["dtype"],
        "layers": [*_hidden_layers(parameters), *last],
        "loss": loss,
        "optimizer": {"learning_rate": parameters["learning_rate"], **_as_mapping(parameters["optimizer"])},
        "metrics": [],
        "regularization": {"l1": parameters["l1"], "l2": parameters["l2"]},
        "training": {
            "epochs": parameters["epochs"],
            "batch_size": parameters["batch_size"],
            "log_every": 1,
            "early_stopping": {"metric": metric, "patience": parameters["patience"], "min_delta": MIN_DELTA},
            "threads": parameters["threads"],
        },
    }


def _hidden_layers(parameters: Mapping[str, Any]) -> Iterator[Any]:
    """The hidden layers as in a config."""
    for layer in _listed(parameters["hidden"]):
        if not isinstance(layer, Integral):
            yield layer
            continue
        yield {"type": "dense", "units": int(layer)}
        yield parameters["activation"]
        if parameters["dropout"]:
            yield {"type": "dropout", "rate": parameters["dropout"]}


def _listed(hidden: Any) -> Iterable[Any]:
    """The hidden layers as a list; a single layer may be given without one."""
    if isinstance(hidden, Integral | str | Mapping):
        return [hidden]
    is_list = isinstance(hidden, Iterable)
    if not is_list:
        raise ValueError(f"hidden must be a number of units, or a list of layers such as (64, 32), got {hidden}")
    return list(hidden)


def _as_mapping(component: Any) -> Mapping[str, Any]:
    """A component as a mapping with ``type``."""
    return component if isinstance(component, Mapping) else {"type": component}
