"""Advice on words that are no type: what they are called here, and texts that depend on the data of the config."""

import re
from typing import TYPE_CHECKING, Any

from nncli.config.diagnostics import Path as KeyPath
from nncli.config.document import Node
from nncli.config.hints import suggestion, translations, type_hint
from nncli.config.model import TrainingConfig
from nncli.config.normalization import find_component
from nncli.config.translation import bare, carried, meant_component, renamed, translated, written
from nncli.config.yaml_output import to_yaml_value
from nncli.registry import Component, components, kinds, names

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LINE = 100  # characters of a value or section that is written out
BINARY, LOSSES = 2, (("binary_crossentropy", "sigmoid"), ("categorical_crossentropy", "softmax"))  # by outputs
SPLITS = 3  # training, validation and test set
SCIKIT_LEARN_BATCH_SIZE = 200  # by default, if there are as many rows


def advice_on_type(kind: str, word: str, root: Node) -> str:
    """What to do about a word that is no type of a kind."""
    for advise in (_folded, _called, _words, _file, _type_synonym, _of_another_kind):
        if text := advise(kind, word, root):
            return text
    return suggestion(word, names(kind), (entry.name for entry in components(kind)))


def advice_with_parameters(kind: str, value: Any) -> str:
    """The component that a value stands for, with the parameters that were written and what the table remarks."""
    meant = carried(kind, value)
    if meant is None or not (found := written(kind, value)):
        return ""
    hint = None if find_component(kind, bare(found.name)) else type_hint(kind, bare(found.name))
    remark = hint.text.partition("; ")[2] if hint else ""
    return f"; write {as_yaml(meant)}" + (f"; {remark}" if remark else "")


def _type_synonym(kind: str, word: str, root: Node) -> str:
    name = bare(word)
    if kind == "metric" and name.lower().startswith("val_"):
        metric = (translations(name) or [name])[0].removeprefix("validation_")
        return f"; write {metric}, which is measured on every split"
    if name != word and (found := find_component(kind, name)):
        return f"; write {found.name}"
    hint = type_hint(kind, name)
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
    return advice_on_file(kind, word)


def advice_on_file(kind: str, word: str) -> str:
    """What to do about the name of a file for a data set; empty if it is none."""
    if kind != "dataset" or not re.fullmatch(r".*\.[A-Za-z]\w{1,6}|.*/.*", word):
        return ""
    return f"; write {as_yaml({'type': 'table', 'path': word, 'target': 'COLUMN'})}"


def _called(kind: str, word: str, root: Node) -> str:
    """The word is a call, as in Python: ``dense(16)``, ``nn.Linear(2, 64)``."""
    found = written(kind, word) if "(" in word else None
    if found is None or found.name == word:
        return ""
    if meant_component(kind, found.name) is None or not (meant := translated(kind, word)):
        return _type_synonym(kind, found.name, root)
    if len(meant) == 1 and not find_component(kind, bare(found.name)):
        return _type_synonym(kind, found.name, root)
    following = found.parameters.get("activation") if kind == "layer" else None
    return f"; write {as_yaml(short(meant))}" + (f" and on the next line '- {following}'" if following else "")


def _words(kind: str, word: str, root: Node) -> str:
    """The word is a name with numbers after it: ``dense 16``."""
    return advice_with_parameters(kind, word)


def short(component: dict[str, Any]) -> Any:
    """A component as its name, if it has no parameters."""
    return component["type"] if len(component) == 1 else component


def as_yaml(value: Any) -> str:
    """A value as it is written in a config, unless it is too long for a message."""
    text = to_yaml_value(value)
    return text if len(text) <= MAX_LINE else "..."


def filled(text: str, value: Any, root: Node) -> str:
    """A text of the table of synonyms with its placeholders replaced."""
    replacements: dict[str, Callable[[], str]] = {
        "<value>": lambda: as_yaml(value),
        "<layers>": lambda: layers_of_widths(value, root),
        "<crossentropy>": lambda: crossentropy(classes_of(root), outputs_of(root)),
        "<keys>": lambda: _keys(value),
        "<training>": lambda: as_yaml(_training(value)),
        "<schedule>": lambda: _schedule(value),
        "<fraction>": lambda: f"{value:g}" if isinstance(value, float) and 0 < value < 1 else "0.2",
        "<fractions>": lambda: _fractions(value),
        "<alpha>": lambda: _scikit_learn_alpha(value, root),
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


def _training(value: Any) -> dict[str, Any]:
    """The keys of a section that another library calls otherwise, as those of training; an example if it has none."""
    given = value if isinstance(value, dict) else {}
    return renamed(["training"], given, TrainingConfig.model_fields) or {"epochs": 100}


def _keys(value: Any) -> str:
    """The keys of a mapping as lines of their own; examples if there are none, or too many."""
    text = as_yaml(value)
    return text[1:-1] if isinstance(value, dict) and value and text != "..." else "loss, optimizer, metrics"


def _schedule(value: Any) -> str:
    """A schedule of another library; an example if there is no such schedule."""
    meant = short(translated("schedule", value) or {"type": "cosine"})
    return as_yaml(meant) + ("; a schedule counts updates, not epochs" if isinstance(meant, dict) else "")


def _fractions(value: Any) -> str:
    """The validation and test set that the fractions of a split of the rows in three parts are."""
    found = re.search(r"probabilities: \[([^\]]*)\]", to_yaml_value(value))
    parts = [float(word) for word in re.findall(r"[0-9]*\.[0-9]+", found[1])] if found else []
    if len(parts) != SPLITS:
        return "not available; remove it"
    return f"write validation: {{fraction: {parts[1]:g}}} and test: {{fraction: {parts[2]:g}}}"


def _scikit_learn_alpha(value: Any, root: Node) -> str:
    """The strength of l2 that ``alpha`` of scikit-learn is, which it divides by two times the rows of a batch."""
    training = root.children["training"].plain() if "training" in root.children else None
    size = training.get("batch_size") if isinstance(training, dict) else None
    rows = size if type(size) is int and size > 0 else SCIKIT_LEARN_BATCH_SIZE
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "write regularization: {l2: 1e-4}"
    return f"write regularization: {{l2: {value / (2 * rows):g}}}, which is scikit-learn's alpha / (2 x {rows} rows)"


def crossentropy(classes: int | None, outputs: tuple[int, str] | None = None) -> str:
    """Which cross-entropy suits this number of classes; 0 for real-valued targets, None if it is not known.

    Args:
        classes: the number of classes.
        outputs: the number of outputs of the network, and its last layer, if they are known.
    """
    if classes == BINARY and outputs and outputs[0] in (1, BINARY):
        loss, last = LOSSES[outputs[0] - 1]
        return f"write {loss}" if outputs[1] == last else f"write {loss}, with '- {last}' as the last layer"
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
    fixed = getattr(component.target, "classes", 0)  # of a data set whose number of classes is no parameter
    classes = defaults.get("classes", fixed) if given is None else given
    return classes if type(classes) is int else None


def outputs_of(root: Node) -> tuple[int, str] | None:
    """The number of outputs of the network of a config, and the name of its last layer."""
    layers = root.children["layers"].plain() if "layers" in root.children else None
    found = [translated("layer", each) for each in layers] if isinstance(layers, list) else []
    widths = [each["units"] for each in found if each and "units" in each]
    return (widths[-1], found[-1]["type"]) if widths and found[-1] and type(widths[-1]) is int else None


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


def component_at(root: Node, path: KeyPath, kind: str) -> Component | None:
    """The component that the value at a path names, if there is one."""
    value = root.find(path).plain() if path[0] in root.children else None
    return find_component(kind, value.get("type") if isinstance(value, dict) else value)
