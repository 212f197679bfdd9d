"""The configs of runs as one table: one row per key, one column per run."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nncli.store.run_reader import Run

RECORDED = "training.snapshots"  # depends on the size of the network by default, and changes no result


def config_table(runs: Sequence[Run], everything: bool = False) -> dict[str, list[Any]]:
    """The keys in which the configs differ and that change results, or all keys, with the value of each run."""
    return differing_keys(flat_configs([run.config.model_dump() for run in runs]), everything)


def differing_keys(configs: Sequence[Mapping[str, Any]], everything: bool = False) -> dict[str, list[Any]]:
    """The keys in which flat configs differ and that change results, or all keys, with the values of each."""
    keys = list(dict.fromkeys(key for config in configs for key in config))
    table = {key: [config.get(key) for config in configs] for key in keys}
    if everything:
        return table
    return {key: values for key, values in table.items() if key != RECORDED and any(v != values[0] for v in values)}


def flat_configs(configs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Resolved configs as one level of keys each.

    Layers are named by index, or by type and index within the type if the runs have different types of layers. Values
    that a layer takes from ``regularization`` are listed there only.
    """
    same_layers = len({tuple(layer["type"] for layer in config["layers"]) for config in configs}) == 1
    return [_flat_config(config, same_layers) for config in configs]


def _flat_config(config: Mapping[str, Any], same_layers: bool) -> dict[str, Any]:
    """A config as one level of keys."""
    config, flat = dict(config), dict[str, Any]()
    layers, metrics = config.pop("layers"), config.pop("metrics")
    flat["metrics"] = " · ".join(metric["type"] for metric in metrics)
    for metric in metrics:
        flat |= dict(
            _flattened({key: value for key, value in metric.items() if key != "type"}, f"metrics.{metric['type']}")
        )
    if not same_layers:
        flat["layers"] = " · ".join(layer["type"] for layer in layers)
    seen: Counter[str] = Counter()
    for index, layer in enumerate(layers):
        kind = layer["type"]
        prefix = f"layers[{index}]" if same_layers else f"layers.{kind}[{seen[kind]}]"
        seen[kind] += 1
        implied = config["regularization"] if same_layers else {**config["regularization"], "type": kind}
        flat |= dict(_flattened({key: value for key, value in layer.items() if value != implied.get(key, ...)}, prefix))
    return {key: value for key, value in {**dict(_flattened(config, "")), **flat}.items() if value is not None}


def _flattened(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flattened(inner, f"{path}.{key}" if path else key)
    else:
        yield path, value
