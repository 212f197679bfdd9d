"""Advice on words that are no type: what they are called here, and texts that depend on the data of the config."""

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nncli.config.diagnostics import Path as KeyPath
from nncli.config.document import Node
from nncli.config.hints import suggestion, translations, type_hint
from nncli.config.normalization import find_component
from nncli.config.yaml_output import to_yaml_value
from nncli.registry import Component, components, kinds, names

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LINE = 100  # characters of a value or section that is written out
CALL = r"[A-Za-z_][\w.]*\([\w\s.,='\"+-]{0,80}\)"


def advice_on_type(kind: str, word: str, root: Node) -> str:
    """What to do about a word that is no type of a kind."""
    for advise in (_folded, _called, _file, _type_synonym, _of_another_kind):
        if text := advise(kind, word, root):
            return text
    return suggestion(word, names(kind), (entry.name for entry in components(kind)))


def _type_synonym(kind: str, word: str, root: Node) -> str:
    bare = word.rpartition(".")[2]  # torch.nn.ReLU
    if kind == "metric" and bare.lower().startswith("val_"):
        metric = (translations(bare) or [bare])[0].removeprefix("validation_")
        return f"; write {metric}, which is measured on every split"
    if bare != word and (found := find_component(kind, bare)):
        return f"; write {found.name}"
    hint = type_hint(kind, bare)
    if hint is None:
        return ""
    if hint.text:
        return f"; {filled(hint.text, None, root)}"
    return f"; did you mean {' or '.join(map(repr, hint.names))}?"


def _of_another_kind(kind: str, word: str, root: Node) -> str:
    """The word is a component of another kind."""
    others = [each for other in kinds() if other != kind and (each := find_component(other, word))]
    if not others or find_component(kind, word):
        return ""
    listed = ", ".join(entry.name for entry in components(kind))
    return f"; {others[0].name} is {with_article(others[0].kind)}; known: {listed}"


def _folded(kind: str, word: str, root: Node) -> str:
    """The word is several items of a list, which YAML reads as one if the second is indented further."""
    items = re.split(r"\s-\s*", word)
    if len(items) == 1:
        return ""
    return f"; these are {len(items)} items: indent each '- ' equally, with a space after it"


def _file(kind: str, word: str, root: Node) -> str:
    """The word is the name of a file, or a percentage, for a data set."""
    if kind == "dataset" and (percent := re.fullmatch(r"(\d{1,2}) ?%", word)):
        return f"; write {{fraction: {int(percent[1]) / 100:g}}}"
    if kind != "dataset" or not re.fullmatch(r".*\.\w{2,7}|.*/.*", word):
        return ""
    known = ", ".join(entry.name for entry in components(kind))
    for entry in components(kind):
        if key := next((each.name for each in entry.parameters if each.annotation is Path), None):
            return f"; write {as_yaml({'type': entry.name, key: word})}"
    return f"; data are generated, not read from files: write one of {known}"


def _called(kind: str, word: str, root: Node) -> str:
    """The word is a call, as in Python: ``dense(16)``, ``nn.Linear(2, 64)``."""
    call = _parsed_call(word)
    if call is None:
        return ""
    name, arguments, keywords = call
    component = find_component(kind, "dense" if name == "Linear" and kind == "layer" else name)
    if component is None:
        return _type_synonym(kind, name, root)
    required = [parameter.name for parameter in component.parameters if parameter.default is ...]
    mapping = {"type": component.name, **dict(zip(required, arguments[-len(required) :], strict=False))}
    following = keywords.pop("activation", None)
    mapping |= {key: value for key, value in keywords.items() if key in parameter_names(component)}
    written = as_yaml(mapping) if len(mapping) > 1 else component.name
    return f"; write {written}" + (f" and on the next line '- {following}'" if following else "")


def _parsed_call(word: str) -> tuple[str, list[Any], dict[str, Any]] | None:
    """The name, the arguments and the keyword arguments of a call of literals."""
    if not re.fullmatch(CALL, word):
        return None
    try:
        call = ast.parse(word, mode="eval").body
        if not isinstance(call, ast.Call):
            return None
        name = word.partition("(")[0].rpartition(".")[2]
        keywords = {each.arg: ast.literal_eval(each.value) for each in call.keywords if each.arg}
        return name, [ast.literal_eval(each) for each in call.args], keywords
    except (ValueError, SyntaxError):
        return None


def as_yaml(value: Any) -> str:
    """A value as it is written in a config, unless it is too long for a message."""
    text = to_yaml_value(value)
    return text if len(text) <= MAX_LINE else "..."


def filled(text: str, value: Any, root: Node) -> str:
    """A text of the table of synonyms with its placeholders replaced."""
    replacements: dict[str, Callable[[], str]] = {
        "<value>": lambda: as_yaml(value),
        "<layers>": lambda: layers_of_widths(value, root),
        "<crossentropy>": lambda: crossentropy(classes_of(root)),
        "<number>": lambda: number_in(value, "1"),
        "<patience>": lambda: number_in(value, "50"),
        "<metric>": lambda: translated_metric(value),
        "<activation>": lambda: translated_type("layer", value),
        "<initializer>": lambda: translated_type("initializer", value),
    }
    return re.sub("|".join(replacements), lambda found: replacements[found[0]](), text)


def number_in(value: Any, default: str) -> str:
    """The first number in a value, or else a default."""
    found = re.search(r"\d[\d.]*(e-?\d+)?", as_yaml(value))
    return found[0] if found else default


def translated_type(kind: str, value: Any) -> str:
    """The type here that a type of another library is; as YAML if it is something else."""
    if not isinstance(value, str):
        return as_yaml(value)
    component, hint = find_component(kind, value), type_hint(kind, value)
    return component.name if component else hint.names[0] if hint and hint.names else as_yaml(value)


def translated_metric(value: Any) -> str:
    """The name here of a metric of another library."""
    return (translations(str(value)) or [str(value)])[0]


def crossentropy(classes: int | None) -> str:
    """Which cross-entropy suits this number of classes; 0 for real-valued targets, None if it is not known."""
    if classes == 0:
        return "the targets are real values: write mean_squared_error"
    if classes is not None and classes > 2:
        return f"write categorical_crossentropy, with softmax of {classes} outputs as the last layer"
    categorical = "categorical_crossentropy (softmax, one output per class)"
    return f"write {categorical} or, for two classes, binary_crossentropy (one sigmoid output)"


def classes_of(root: Node) -> int | None:
    """The number of classes of the data of a config, as for ``crossentropy``."""
    component = component_at(root, ("data",), "dataset")
    if component is None:
        return None
    defaults = {parameter.name: parameter.default for parameter in component.parameters}
    if ... in defaults.values():
        return None  # it reads a file
    data = root.children["data"].plain()
    given = data.get("classes") if isinstance(data, dict) else None
    classes = defaults.get("classes", 0) if given is None else given
    return classes if type(classes) is int else None


def layers_of_widths(value: Any, root: Node) -> str:
    """A list of layers with these numbers of units, and the outputs that suit the data."""
    classes = classes_of(root)
    units = [int(word) for word in re.findall(r"\b[0-9]{1,9}\b", as_yaml(value))] or [64]
    outputs = 3 if classes is None else classes or 1
    hidden = units[:-1] if len(units) > 1 and units[-1] == outputs else units
    written = [f"{{type: dense, units: {each}}}, relu" for each in hidden[:4]]
    last = "linear" if classes == 0 else "softmax"
    return f"[{', '.join([*written, f'{{type: dense, units: {outputs}}}', last])}]"


def listed(words: list[str]) -> str:
    """Words as a list in a sentence."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def with_article(kind: str) -> str:
    """A noun after a or an."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def as_mapping(component: Component, value: dict[str, Any], key: str) -> dict[str, Any]:
    """``{name: x, ...}`` as a mapping with ``type``; a value belongs to the first parameter."""
    inner = value[key] if isinstance(value[key], dict) else {}
    if isinstance(value[key], int | float | str) and component.parameters:
        inner = {component.parameters[0].name: value[key]}
    return {
        "type": component.name,
        **inner,
        **{name: each for name, each in value.items() if name in parameter_names(component)},
    }


def parameter_names(component: Component) -> list[str]:
    """The keys of a component but ``type``."""
    return [parameter.name for parameter in component.parameters]


def component_at(root: Node, path: KeyPath, kind: str) -> Component | None:
    """The component that the value at a path names, if there is one."""
    value = root.find(path).plain() if path[0] in root.children else None
    return find_component(kind, value.get("type") if isinstance(value, dict) else value)
