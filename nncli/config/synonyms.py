"""Names of Keras, PyTorch, scikit-learn, Ludwig and the book: which are accepted, and what the others are called here.

Accepted are other spellings of a type (case, ``_`` and ``-``: ``Adam``, ``LeakyReLU``) and the book's names of
arguments. A name of another library is not accepted, since its meaning or its defaults may differ:
``nncli.config.synonym_table`` says what it is called here, and why. The hint for a word comes before any similarity of
spelling.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from nncli.config.synonym_table import KEYS, TYPES

# Arguments of the book's classes, by component: the key that they are here.
BOOK_ARGUMENTS: dict[str, dict[str, str]] = {
    "layer dense": {
        "n_neurons": "units",
        "weight_regularizer_l1": "l1",
        "weight_regularizer_l2": "l2",
        "bias_regularizer_l1": "bias_l1",
        "bias_regularizer_l2": "bias_l2",
    }
}
# The book's argument for the number of inputs, by component; it is compared with the data.
INPUT_WIDTHS: dict[str, str] = {"layer dense": "n_inputs"}
# Words that differ only in spelling from a type of another meaning: the class Linear of PyTorch is no identity.
NOT_A_SPELLING: dict[str, tuple[str, ...]] = {"layer": ("Linear",)}


class Hint(NamedTuple):
    """What words of other libraries are called here.

    Args:
        words: the words; case, ``_`` and ``-`` do not count.
        names: the names here: of types, or dotted paths of keys.
        text: what to write, if that is more than the names; its placeholders are those of the table.
    """

    words: tuple[str, ...]
    names: tuple[str, ...] = ()
    text: str = ""


def _parsed(table: str) -> dict[str, list[Hint]]:
    """The hints of a table by scope."""
    hints: dict[str, list[Hint]] = {}
    scope = ""
    for line in re.sub(r"\n    ", " ", table).strip().splitlines():
        if line.startswith("["):
            scope = line.strip("[]")
            hints[scope] = []
        else:
            words, _, meaning = line.partition(" ->")
            names, _, text = meaning.partition(" | ")
            hints[scope].append(Hint(tuple(words.split()), tuple(names.split()), text))
    return hints


@cache
def hints_of_types() -> dict[str, list[Hint]]:
    """The hints for words that are no type, by kind."""
    return _parsed(TYPES)


@cache
def hints_of_keys() -> dict[str, list[Hint]]:
    """The hints for words that are no key, by scope."""
    return _parsed(KEYS)


def spelling(word: str) -> str:
    """The word without what does not count: case, ``_`` and ``-``.

    >>> spelling("Leaky_ReLU"), spelling("leaky-relu")
    ('leakyrelu', 'leakyrelu')
    """
    return word.lower().replace("_", "").replace("-", "")


def find_hint(hints: Iterable[Hint], word: str) -> Hint | None:
    """The first hint for a word."""
    wanted = spelling(word)
    return next((hint for hint in hints if wanted in map(spelling, hint.words)), None)


def type_hint(kind: str, word: str) -> Hint | None:
    """The hint for a word that is no type of a kind."""
    return find_hint(hints_of_types().get(kind, ()), word)


def key_hint(scopes: Iterable[str], word: str) -> Hint | None:
    """The hint for a word that is no key in the scopes, of which the first one decides."""
    return find_hint((hint for scope in (*scopes, "anywhere") for hint in hints_of_keys().get(scope, ())), word)


def accepted_type(kind: str, word: str, types: Iterable[str]) -> str | None:
    """The type that a word spells, if it is another spelling of one.

    >>> accepted_type("layer", "LeakyReLU", ["relu", "leaky_relu"]), accepted_type("layer", "Linear", ["linear"])
    ('leaky_relu', None)
    """
    if word in NOT_A_SPELLING.get(kind, ()):
        return None
    return next((name for name in types if spelling(name) == spelling(word)), None)


def accepted_keys(kind: str, name: str) -> dict[str, str | None]:
    """The further keys that a component accepts: the key that each one is, or None for the number of inputs."""
    inputs = INPUT_WIDTHS.get(f"{kind} {name}")
    return {**BOOK_ARGUMENTS.get(f"{kind} {name}", {}), **({inputs: None} if inputs else {})}


def type_pattern(kind: str, name: str) -> str:
    """A regular expression, anchored and in ECMA syntax, of all spellings of a type.

    >>> type_pattern("optimizer", "sgd")
    '^[_-]*[Ss][_-]*[Gg][_-]*[Dd][_-]*$'
    """
    others = [word for word in NOT_A_SPELLING.get(kind, ()) if spelling(word) == spelling(name)]
    excluded = "".join(f"(?!{word}$)" for word in others)
    letters = (f"[{c.upper()}{c}]" if c.isalpha() else c for c in spelling(name))
    return f"^{excluded}[_-]*{'[_-]*'.join(letters)}[_-]*$"


def translations(word: str) -> list[str]:
    """The names that a word may stand for, with a dotted path for keys of a section.

    >>> translations("val_acc"), translations("lr"), translations("adam")
    (['validation_accuracy'], ['optimizer.learning_rate'], [])
    """
    name = re.sub("[-/. ]", "_", word.lower())
    if found := re.fullmatch("(?:val|valid|validation|eval|dev)_(.+)", name):
        return [f"validation_{metric}" for metric in translations(found[1]) or [found[1]]]
    if found := re.fullmatch("(?:train|training)_(.+)", name):
        return translations(found[1]) or [found[1]]
    kinds = dict.fromkeys(("metric", "loss", *hints_of_types()))
    hints = [type_hint(kind, name) for kind in kinds]
    hints = hints if any(hints) else [key_hint(["config"], name)]
    return list(dict.fromkeys(meant for hint in hints if hint for meant in hint.names))
