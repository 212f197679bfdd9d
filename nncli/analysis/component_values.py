"""The values of a component on the command line: lists of numbers, read, checked and shaped."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nncli.config.diagnostics import SourceText, shown
from nncli.config.document import DocumentError, read
from nncli.errors import CommandLineError
from nncli.nn.parameters import Array, Shape

MEANINGS = {
    "inputs": "a list of rows, or the numbers of one row",
    "outputs": "a list of rows, or the numbers of one row",
    "targets": "a class for each row, or a list of rows",
    "grad": "a number for each output or parameter",
    "params": "the parameters before the update, in any shape",
    "weights": "a list with a row for each input and a column for each unit",
}
MAX_REPEATED = 100  # values that a message repeats
Values = Mapping[str, Array]


def parsed(texts: Mapping[str, str]) -> dict[str, Array]:
    """The array of float64 that each text, a list in YAML or JSON, stands for.

    Raises:
        CommandLineError: a text is no list of finite numbers, or its rows differ in length.
    """
    return {name: _array(name, text) for name, text in texts.items()}


def option(name: str) -> str:
    """The option that gives a value.

    >>> option("running_mean")
    '--running-mean'
    """
    return f"--{name.replace('_', '-')}"


def _array(name: str, text: str) -> Array:
    try:
        value = read(SourceText(option(name), text)).root.plain()
    except DocumentError as error:
        raise CommandLineError(str(error.diagnostic)) from None
    wrong = [each for each in _scalars(value) if isinstance(each, bool) or not isinstance(each, int | float)]
    if wrong:
        raise CommandLineError(f"{option(name)}: expected numbers, such as '[1, 2.5]', got {shown(wrong[0])}")
    try:
        array = np.asarray(value, np.float64)
    except ValueError:
        raise CommandLineError(f"{option(name)}: rows differ in length; all rows of a list need the same one") from None
    if not array.size or not np.isfinite(array).all():
        raise CommandLineError(f"{option(name)}: expected finite numbers, got {shown(value)}")
    return array


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _scalars(item)
    else:
        yield value


def take(component: str, values: Values, name: str) -> Array:
    """A value that a component needs.

    Raises:
        CommandLineError: it is not given.
    """
    if name not in values:
        raise CommandLineError(f"{component} needs {option(name)}: {MEANINGS[name]}")
    return values[name]


def rows(component: str, values: Values, name: str) -> Array:
    """A value as (N, D); a list of numbers is one row.

    Raises:
        CommandLineError: it is not given, or has more dimensions.
    """
    array = take(component, values, name)
    if array.ndim > 2:
        raise CommandLineError(f"{option(name)}: has the shape {array.shape}; expected {MEANINGS[name]}")
    return np.asfortranarray(np.atleast_2d(array))


def shaped(name: str, array: Array, shape: Shape, reason: str) -> Array:
    """A value in the shape that is needed, which may have been given without its dimensions of 1.

    Raises:
        CommandLineError: it has another shape; if it is transposed, the message says what to write.
    """
    if np.squeeze(array).shape == tuple(size for size in shape if size != 1):
        return array.reshape(shape)
    fix = ""
    if array.ndim == 2 and array.T.shape == shape:
        transposed = f": {option(name)} '{array.T.tolist()}'" if array.size <= MAX_REPEATED else ""
        fix = f"; write it transposed{transposed}"
    raise CommandLineError(f"{option(name)}: has the shape {array.shape}, expected {shape}: {reason}{fix}")
