"""Configs written as YAML: what a reader of YAML 1.1 or 1.2 reads back as the same values."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import yaml

from nncli.config.scalars import scalar


class _Dumper(yaml.SafeDumper):
    """Quotes strings that YAML 1.2 would read as something else; takes NumPy arrays, their scalars, and paths."""

    def ignore_aliases(self, data: Any) -> bool:
        """A list that occurs twice is written twice."""
        return True


def to_yaml(value: Mapping[str, Any]) -> bytes:
    """A mapping as a YAML document in UTF-8, in its own order.

    >>> print(to_yaml({"loss": "mse", "layers": [{"type": "dense", "units": 3}, "1e3"]}).decode(), end="")
    loss: mse
    layers:
    - {type: dense, units: 3}
    - "1e3"

    Raises:
        TypeError: a value has no counterpart in YAML.
    """
    return _dumped(value, default_flow_style=None, width=120)


def to_yaml_value(value: Any) -> str:
    """A value as YAML in one line, as overrides have it.

    >>> to_yaml_value({"type": "sgd", "momentum": 0.9}), to_yaml_value(0.1), to_yaml_value(None)
    ('{type: sgd, momentum: 0.9}', '0.1', 'null')

    Raises:
        TypeError: the value has no counterpart in YAML.
    """
    text = _dumped(value, default_flow_style=True, width=float("inf")).decode()
    return text.removesuffix("...\n").rstrip("\n")


def _dumped(value: Any, **style: Any) -> bytes:
    """The value as YAML.

    Raises:
        TypeError: it has no counterpart in YAML.
    """
    try:
        text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, **style)
        return text.encode()
    except RecursionError:
        raise TypeError("a config cannot contain itself, or be nested as deeply as this one") from None
    except ValueError as error:
        raise TypeError(f"a config cannot contain this value: {error}") from None


def _represent_string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    try:
        is_plain = scalar(text) == text and "\n" not in text
    except ValueError:
        is_plain = False
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain else '"')


def _represent_path(dumper: yaml.SafeDumper, path: PurePath) -> yaml.Node:
    return _represent_string(dumper, str(path))


def _represent_array(dumper: yaml.SafeDumper, value: Any) -> yaml.Node:
    """A NumPy array or scalar, which ``tolist`` converts to lists, numbers and strings.

    Raises:
        TypeError: it is something else, or has no such counterpart, as a long double.
    """
    converted = value.tolist() if hasattr(value, "tolist") else value
    if type(converted) is type(value):
        raise TypeError(f"a config cannot contain a {type(value).__name__}; use numbers, strings, lists and mappings")
    return dumper.represent_data(converted)


_Dumper.add_representer(str, _represent_string)
_Dumper.add_multi_representer(str, _represent_string)
_Dumper.add_multi_representer(PurePath, _represent_path)
_Dumper.add_multi_representer(object, _represent_array)
