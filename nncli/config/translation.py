"""Components as other libraries write them, in the words of a config, with the values that were written.

written                                              translated
Adam(lr=0.02), [adam, 0.02]                          {type: adam, learning_rate: 0.02}
{class_path: torch.optim.Adam, init_args: {lr: 0.1}} {type: adam, learning_rate: 0.1}
{type: Linear, in_features: 2, out_features: 16}     {type: dense, units: 16}
dense 16, {dense: 16, activation: relu}              {type: dense, units: 16}
"""

import ast
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import yaml

from nncli.config.hints import key_hint, type_hint
from nncli.config.normalization import find_component
from nncli.config.scalars import scalar
from nncli.registry import Component, core_of

CALL = r"[A-Za-z_][\w.]*\([\w\s.,='\"+-]{0,80}\)"
EXAMPLE = r"write (\{[^}]*\})"  # in a text of the table of synonyms
NAME_KEYS = ("type", "name", "class_path", "class_name", "_target_")
ARGUMENT_KEYS = ("init_args", "config", "params", "kwargs")
UNEQUAL = ("not available", "not built in")  # texts about types that are only similar


class Written(NamedTuple):
    """A component as it was written: its name, its positional arguments and its parameters."""

    name: str
    arguments: list[Any]
    parameters: dict[str, Any]


def parameter_names(component: Component) -> list[str]:
    """The keys of a component but ``type``."""
    return [parameter.name for parameter in component.parameters]


def translated(kind: str, value: Any) -> dict[str, Any] | None:
    """The component that a value stands for, with what it requires; None if it stands for none."""
    found = written(kind, value)
    component = meant_component(kind, found.name) if found else None
    if found is None or component is None:
        return None
    hint = type_hint(kind, bare(found.name)) if find_component(kind, bare(found.name)) is None else None
    example = re.search(EXAMPLE, hint.text) if hint else None
    return {"type": component.name, **_required(component, example), **own_parameters(component, found)}


def carried(kind: str, value: Any) -> dict[str, Any] | None:
    """The same, if some of the parameters that were written are among those of the component."""
    found = written(kind, value)
    component = meant_component(kind, found.name) if found else None
    return translated(kind, value) if found and component and own_parameters(component, found) else None


def written(kind: str, value: Any) -> Written | None:
    """The parts of a component that another library's users write."""
    if isinstance(value, str):
        return _called(value) or _words(value)
    if isinstance(value, list) and value and isinstance(value[0], str):
        return Written(value[0], value[1:], {}) if all(map(_is_argument, value[1:])) else None
    return _of_mapping(kind, value) if isinstance(value, dict) else None


def bare(name: str) -> str:
    """The name of a class without its module.

    >>> bare("torch.nn.ReLU")
    'ReLU'
    """
    return name.rpartition(".")[2]


def meant_component(kind: str, name: str) -> Component | None:
    """The component here that a class of another library is; None if there is none or only a similar one."""
    found = find_component(kind, bare(name))
    hint = type_hint(kind, bare(name))
    if found or hint is None or len(hint.names) != 1 or hint.text.startswith(UNEQUAL):
        return found
    return find_component(kind, hint.names[0])


def own_parameters(component: Component, found: Written) -> dict[str, Any]:
    """The parameters that were written, by the names that they have here; what has no name here is left out."""
    known = parameter_names(component)
    required = [parameter.name for parameter in component.parameters if parameter.default is ...]
    positional = dict(zip(required or known, found.arguments[-len(required or known) :], strict=False))
    return positional | _per_update(component, found.parameters, translated_keys(component, found.parameters))


def translated_keys(component: Component, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a component, renamed."""
    return renamed([f"{component.kind} {component.name}", component.kind], parameters, parameter_names(component))


def renamed(scopes: list[str], values: dict[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """Values by the keys that the table of synonyms has for theirs in some scopes, if these are known."""
    result, known = dict[str, Any](), set(known)
    for key, value in values.items():
        hint = None if key in known else key_hint(scopes, str(key))
        name = hint.names[0].rpartition(".")[2] if hint and hint.names else key
        if name in known:
            result.setdefault(name, value)
    return result


def _per_update(component: Component, given: dict[str, Any], meant: dict[str, Any]) -> dict[str, Any]:
    """A factor per some updates, as Keras has it, as one per update."""
    steps: Any = given.get("decay_steps")
    factor: Any = meant.get("gamma")
    is_factor = isinstance(factor, float) and 0 < factor <= 1
    if component.name == "exponential" and is_factor and _is_number(steps) and steps >= 1:
        return {**meant, "gamma": float(f"{factor ** (1 / steps):.6g}")}
    return meant


def _required(component: Component, example: re.Match[str] | None) -> dict[str, Any]:
    """The parameters of an example, or else those that the component requires."""
    if example:
        parameters: dict[str, Any] = yaml.safe_load(example[1])
        return {key: value for key, value in parameters.items() if key in parameter_names(component)}
    missing = {each.name: each.annotation for each in component.parameters if each.default is ...}
    examples = {name: core_of(annotation).get("metadata", {}).get("example") for name, annotation in missing.items()}
    return {name: each for name, each in examples.items() if each is not None}


def _called(text: str) -> Written | None:
    """A call of literals, as in Python."""
    if not re.fullmatch(CALL, text):
        return None
    try:
        call = ast.parse(text, mode="eval").body
        if not isinstance(call, ast.Call):
            return None
        keywords = {each.arg: ast.literal_eval(each.value) for each in call.keywords if each.arg}
        return Written(text.partition("(")[0], [ast.literal_eval(each) for each in call.args], keywords)
    except (ValueError, SyntaxError):
        return None


def _words(text: str) -> Written:
    """A name, and numbers after it."""
    name, *numbers = text.split() or [""]
    try:
        arguments = [scalar(each) for each in numbers]
    except ValueError:
        return Written(text, [], {})
    return Written(name, arguments, {}) if all(map(_is_number, arguments)) else Written(text, [], {})


def _of_mapping(kind: str, value: dict[str, Any]) -> Written | None:
    """A mapping that has the name as a value, or as a key."""
    for key, inner in value.items():
        if key in NAME_KEYS and isinstance(inner, str) and meant_component(kind, inner):
            return Written(inner, [], _flat(value, key))
    for key, inner in value.items():
        if find_component(kind, key):
            arguments = [inner] if _is_argument(inner) else []
            parameters = inner if isinstance(inner, dict) else {}
            return Written(key, arguments, {**_flat(value, key), **parameters})
        if find_component(kind, inner):
            return Written(inner, [], _flat(value, key))
    return None


def _flat(value: dict[str, Any], name: str) -> dict[str, Any]:
    """The parameters beside the name, those of a mapping of arguments included."""
    rest = {key: inner for key, inner in value.items() if key != name}
    inner: dict[str, Any] = next((rest.pop(key) for key in ARGUMENT_KEYS if isinstance(rest.get(key), dict)), {})
    return {**rest, **inner}


def _is_argument(value: Any) -> bool:
    return _is_number(value) or isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
