"""Configs as one table of keys, one column per run."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from nncli.store.run_reader import Run


def config_table(runs: Sequence[Run], everything: bool = False) -> dict[str, list[Any]]:
    """The keys in which the specs of some runs differ, or all of them, each with its value in every run."""
    alike = len({tuple(layer.type for layer in run.config.layers) for run in runs}) == 1
    specs = [_flat_specs(run, alike) for run in runs]
    keys = list(dict.fromkeys(key for config in specs for key in config))
    table = {key: [config.get(key) for config in specs] for key in keys}
    return {key: values for key, values in table.items() if everything or any(v != values[0] for v in values)}


def _flat_specs(run: Run, same_layers: bool) -> dict[str, Any]:
    """A config as one level of keys; layers by position, or where their types differ by type and number of its kind.

    What a layer has from ``regularization`` stands there only.
    """
    config = run.config.model_dump()
    flat: dict[str, Any] = {}
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
