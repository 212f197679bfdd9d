"""Other spellings of types, and the book's names of arguments, which are accepted.

Accepted are other spellings of a type (case, ``_`` and ``-``: ``Adam``, ``LeakyReLU``) and the book's names of
arguments. A name of another library is not accepted, since its meaning or its defaults may differ:
``nncli.config.hints`` says what it is called here, and why.
"""

from collections.abc import Iterable

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


def spelling(word: str) -> str:
    """The word without what does not count: case, ``_`` and ``-``.

    >>> spelling("Leaky_ReLU"), spelling("leaky-relu")
    ('leakyrelu', 'leakyrelu')
    """
    return word.lower().replace("_", "").replace("-", "")


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
