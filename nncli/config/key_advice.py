"""Advice on unknown keys of a config: what they are called here, or where they belong."""

import difflib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from nncli.config.diagnostics import Path, SourceLocation, path_text
from nncli.config.document import Node
from nncli.config.hints import key_hint, suggestion
from nncli.config.homes import COMPONENT_SECTIONS, MODELS, all_homes, homes, is_valid
from nncli.config.model import Config, Fold, Fraction
from nncli.config.normalization import find_component
from nncli.config.translation import NAME_KEYS, meant_component, parameter_names, translated
from nncli.config.type_advice import (
    MAX_LINE,
    as_yaml,
    component_at,
    filled,
    listed,
    translated_metric,
    with_article,
)
from nncli.registry import Component, Model, components, kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SCOPES: dict[Path, str] = {(): "config", ("training",): "training", ("training", "early_stopping"): "early_stopping"}
SCOPES |= {("regularization",): "regularization", ("seeds",): "seeds"}
SCOPES |= {("validation",): "fraction", ("test",): "fraction"}

NEXT_LINE = "on the next line"  # in a text about a layer of its own
SAME_VALUE = r"(.*): write \w+: <(?:value|metric)>"  # a text that says why a key has another name


class Advice(NamedTuple):
    """What to do about an unknown key.

    Args:
        text: to be appended to a message.
        meant: the path of the key that was meant, if it is known.
        corrects: the path of a value that is wrong because of this key.
    """

    text: str
    meant: Path | None = None
    corrects: Path | None = None


class Mistake(NamedTuple):
    """An unknown key of a config.

    Args:
        root: the config.
        path: the path of the mapping that contains the key.
        key: the key.
        location: its location.
        component: the component that the mapping is, if any.
    """

    root: Node
    path: Path
    key: str
    location: SourceLocation
    component: Component | None

    @property
    def is_override(self) -> bool:
        """Whether the key is in an override, not in the file."""
        return self.location.source.name != self.root.location.source.name

    @property
    def is_overridden(self) -> bool:
        """Whether an override names the key, not a mapping that contains it."""
        return self.is_override and self.location.column == 1

    @property
    def value(self) -> Any:
        """The value of the key."""
        return self.root.find((*self.path, self.key)).plain()

    @property
    def model(self) -> type[Model]:
        """The model that the mapping should have."""
        part = Fold if "folds" in self.root.find(self.path).children else Fraction
        return self.component.model if self.component else MODELS.get(self.path, part)

    @property
    def scopes(self) -> list[str]:
        """Where the table of synonyms says something about the keys of the mapping."""
        of = self.component
        return [f"{of.kind} {of.name}", of.kind] if of else [SCOPES.get(self.path, "")]


def advice_on_key(mistake: Mistake) -> Advice:
    """What to do about an unknown key: its punctuation, its synonym, where it belongs, or a similar key."""
    own = (_synonym, _of_another_component, _of_another_section)
    steps: Iterable[Callable[[Mistake], Advice | None]] = own if mistake.component else reversed(own)
    for advise in (_punctuation, _type, *steps, _of_layers, _component_name, _similar):
        if advice := advise(mistake):
            return advice
    known = f"; known: {', '.join(sorted(mistake.model.model_fields))}"
    if not mistake.path and "&" in mistake.location.source.line(mistake.location.line):
        known += f"; a key that only holds anchors begins with 'x-', as in x-{mistake.key}"
    return Advice(known)


def _punctuation(mistake: Mistake) -> Advice | None:
    """A decimal comma, or ``=`` or ``:`` without a space; YAML reads them as keys without a value."""
    if mistake.value is not None:
        return None
    keys = list(mistake.root.find(mistake.path).children)
    before = str(keys[keys.index(mistake.key) - 1])
    number = mistake.root.find((*mistake.path, before)).value
    if mistake.key.isdigit() and isinstance(number, int) and before in mistake.model.model_fields:
        return Advice(f"; write a decimal point: {before}: {number}.{mistake.key}", corrects=(*mistake.path, before))
    found = re.fullmatch(r"(\w+)\s*([=:])\s*(.+)", mistake.key)
    if not found:
        return None
    wrong = "': ' instead of '='" if found[2] == "=" else "a space after ':'"
    return Advice(f"; write {wrong}: {found[1]}: {found[3]}", (*mistake.path, found[1]))


def _type(mistake: Mistake) -> Advice | None:
    """An override of what another library calls ``type``."""
    if not mistake.is_overridden or mistake.component is None or mistake.key not in NAME_KEYS:
        return None
    named = meant_component(mistake.component.kind, str(mistake.value))
    path = (*mistake.path, "type")
    return Advice(f"; did you mean '{path_text(path)}={named.name}'?", path) if named else None


def _synonym(mistake: Mistake) -> Advice | None:
    hint = key_hint(mistake.scopes, mistake.key)
    if hint is None:
        return None
    meant = _absolute(hint.names[0], mistake) if hint.names else None
    is_place = meant and meant[-1] == mistake.key and isinstance(mistake.value, dict)
    if meant and mistake.is_overridden and (reason := re.fullmatch(SAME_VALUE, hint.text)):
        return Advice(f"; {reason[1]}:{_placed(meant, mistake)[1:]}", meant)
    if hint.text and mistake.is_overridden and NEXT_LINE in hint.text and (layer := _following_layer(mistake)):
        return Advice(f"; {hint.text.partition(':')[0]}: did you mean '{layer}'?")
    if hint.text and not is_place:
        return Advice(f"; {filled(hint.text, mistake.value, mistake.root)}", meant)
    if meant is None or (meant[:-1] == mistake.path and not mistake.is_overridden):
        named = [name.rpartition(".")[2] for name in hint.names]
        return Advice(f"; did you mean {' or '.join(map(repr, named))}?", meant)
    return Advice(_placed(meant, mistake), meant)


def _following_layer(mistake: Mistake) -> str:
    """The override of the activation after a layer; empty if there is none, or if the value is no activation."""
    path = (*mistake.path[:-1], int(mistake.path[-1]) + 1)
    there = component_at(mistake.root, path, "layer")
    meant = meant_component("layer", str(mistake.value))
    return f"{path_text(path)}={meant.name}" if meant and there and not there.parameters else ""


def _absolute(name: str, mistake: Mistake) -> Path:
    """The path of a key in the table, which a key of a component has below the component itself."""
    keys = name.split(".")
    if (
        mistake.component
        and (len(keys) == 1 or keys[0] == mistake.component.kind)
        and keys[-1] in mistake.model.model_fields
    ):
        return (*mistake.path, keys[-1])
    return tuple(keys)


def _of_another_component(mistake: Mistake) -> Advice | None:
    """The key is one of other components of the same kind."""
    if not mistake.component:
        return None
    kind, name = mistake.component.kind, mistake.component.name
    owners = [each.name for each in components(kind) if mistake.key in parameter_names(each)]
    if not owners:
        return None
    if mistake.is_override and (places := _in_layers(mistake)):
        return Advice(f"; it is a key of {listed(owners)}: did you mean {places}?")
    own = ", ".join(parameter_names(mistake.component)) or "none"
    return Advice(f"; it is a key of {listed(owners)}; keys of {name}: {own}")


def _of_another_section(mistake: Mistake) -> Advice | None:
    """The key is one of another section."""
    for path in homes(mistake.key, mistake.root):
        if path[:-1] != mistake.path and not isinstance(mistake.value, bool):
            return Advice(_placed(path, mistake), path)
    return None


def _of_layers(mistake: Mistake) -> Advice | None:
    """The key is one of layers."""
    owners = [each.name for each in components("layer") if mistake.key in parameter_names(each)]
    if not owners or (mistake.component and mistake.component.kind == "layer"):
        return None
    if mistake.is_override:
        places = _in_layers(mistake)
        return Advice(f"; did you mean {places}?") if places else None
    example = as_yaml({"type": owners[0], mistake.key: mistake.value})
    return Advice(f"; it is a key of a layer, as in layers: [{example}]")


def _in_layers(mistake: Mistake) -> str:
    """The override for the first layers that have the key."""
    layers = mistake.root.find(("layers",)).children
    found = {index: component_at(mistake.root, ("layers", index), "layer") for index in layers}
    places = [index for index, component in found.items() if component and mistake.key in parameter_names(component)]
    return " or ".join(f"'layers[{index}].{mistake.key}={as_yaml(mistake.value)}'" for index in places[:3])


def _component_name(mistake: Mistake) -> Advice | None:
    """The key is the name of a component."""
    found = [each for kind in kinds() if (each := find_component(kind, mistake.key))]
    if not found:
        return None
    component = found[0]
    written = as_yaml(translated(component.kind, {mistake.key: mistake.value}))
    sections = {"dataset": "data", "layer": "layers", "metric": "metrics"}
    section = sections.get(component.kind, component.kind)
    if section in {"layers", "metrics"}:
        return Advice(f"; it is {with_article(component.kind)}: write {written} in {section}", (section,))
    return Advice(f"; it is {with_article(component.kind)}: write {section}: {written}", (section,))


def _similar(mistake: Mistake) -> Advice | None:
    """The key is spelled like one of the mapping, or else of another section."""
    text = suggestion(mistake.key, mistake.model.model_fields)
    if text.startswith("; did you mean"):
        path = (*mistake.path, text.split("'")[1])
        is_value = mistake.is_overridden and not isinstance(mistake.value, dict)
        return Advice(_placed(path, mistake) if is_value else text, path)
    if mistake.path:
        return None
    elsewhere = {path[-1]: path for path in all_homes(mistake.root)}
    close = difflib.get_close_matches(mistake.key.lower()[:60], map(str, elsewhere), n=1, cutoff=0.8)
    if not close:
        return None
    path = elsewhere[close[0]]
    return Advice(_placed(path, mistake), path)


def paths_of(word: str) -> list[str]:
    """The dotted paths of the keys of a config, outside of layers, that a word may mean.

    >>> paths_of("epochs"), paths_of("lr"), paths_of("port")
    (['training.epochs'], ['optimizer.learning_rate'], [])
    """
    homes = dict.fromkeys(path_text(path) for path in all_homes(None) if path[-1] == word)
    hint = None if homes else key_hint(["config"], word)
    return list(homes) or [
        name for name in (hint.names if hint else ()) if name.partition(".")[0] in Config.model_fields
    ]


def _placed(path: Path, mistake: Mistake) -> str:
    """Where a key belongs, with the section as it should be written."""
    given = translated_metric(mistake.value) if path[-1] == "metric" else mistake.value
    value = as_yaml(given)
    if mistake.is_override:
        return f"; did you mean '{path_text(path)}={value}'?"
    if len(path) == 1:
        where = "" if not mistake.path else "it belongs at the top level; "
        return f"; {where}write {path[0]}: {value}"
    section = path[0]
    is_in_file = mistake.root.children.get(section)
    if is_in_file and is_in_file.value is None and not mistake.path:
        return f"; it belongs in {section}: indent it by 2 spaces"
    if not is_valid(suggested := _with_value(mistake, path, given), path):
        return f"; it belongs in {path_text(path[:-1])}"
    line = f"{section}: {as_yaml(suggested)}"
    if line.endswith("...") or len(line) > MAX_LINE:
        line = f"'{path[-1]}: {value}' there"
    return f"; it belongs in {path_text(path[:-1])}; write {line}"


def _with_value(mistake: Mistake, path: Path, value: Any) -> dict[str, Any]:
    """The section of a path with the value at it, and without the unknown key."""
    root = mistake.root
    section = root.children[path[0]].plain() if path[0] in root.children else {}
    if isinstance(section, str):
        section = {"type": section}
    result: dict[str, Any] = dict(section) if isinstance(section, dict) else {}
    if mistake.path == path[:1]:
        result.pop(mistake.key, None)
    if not result and path[0] in COMPONENT_SECTIONS:
        result = {"type": "adam"} if path[0] == "optimizer" else result
    inner = result
    for key in path[1:-1]:
        inner[str(key)] = dict(inner[str(key)]) if isinstance(inner.get(str(key)), dict) else {}
        inner = inner[str(key)]
    inner[str(path[-1])] = value
    return result
