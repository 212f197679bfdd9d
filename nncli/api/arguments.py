"""Arguments of Python functions as the runner takes them: overrides as strings, callbacks as an observer."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeAlias

from nncli.config.yaml_output import to_yaml_value
from nncli.errors import CommandLineError, NncliError
from nncli.runner.train import Observer, unobserved
from nncli.store.run_writer import RunWriter
from nncli.training.loop import Epoch, never

StrPath: TypeAlias = str | os.PathLike[str]
Config: TypeAlias = StrPath | Mapping[str, Any]
Overrides: TypeAlias = Sequence[str] | Mapping[str, Any]
OnEpoch: TypeAlias = Callable[[dict[str, float]], object]


def override_strings(overrides: Overrides) -> tuple[str, ...]:
    """Overrides as the command line has them.

    Raises:
        CommandLineError: they are something else, or a value has no counterpart in YAML.
    """
    if not isinstance(overrides, Mapping):
        return _strings(overrides)
    try:
        return tuple(f"{key}={to_yaml_value(value)}" for key, value in overrides.items())
    except TypeError as error:
        raise CommandLineError(f"overrides: {error}") from None


def _strings(overrides: Sequence[str]) -> tuple[str, ...]:
    """A sequence of strings as a tuple.

    Raises:
        CommandLineError: it is something else.
    """
    if isinstance(overrides, str) or not isinstance(overrides, Iterable):
        hint = f"; write [{overrides!r}]" if isinstance(overrides, str) else ""
        raise CommandLineError(f"overrides must be a list of strings or a mapping, got {overrides!r}{hint}")
    strings = tuple(overrides)
    for each in strings:
        if not isinstance(each, str):
            raise CommandLineError(f"overrides must be strings such as 'seed=1', or a mapping, got {each!r}")
    return strings


def _require_function(name: str, value: object) -> None:
    """Check an argument before anything is created.

    Raises:
        CommandLineError: it is neither None nor a function.
    """
    if value is not None and not callable(value):
        raise CommandLineError(f"{name} must be a function, got {value!r}")


def observer(on_epoch: OnEpoch | None) -> Observer:
    """The observer that calls a function with each row of metrics.

    Raises:
        CommandLineError: it is not a function.
    """
    _require_function("on_epoch", on_epoch)
    if on_epoch is None:
        return unobserved

    def observe(writer: RunWriter) -> AbstractContextManager[Callable[[Epoch], object]]:
        def call(epoch: Epoch) -> None:
            if epoch.metrics is not None:
                with _checkpoint_on_error(writer):
                    on_epoch({"epoch": epoch.number, **epoch.metrics})

        return nullcontext(call)

    return observe


def polled(stop: Callable[[], bool] | None) -> Callable[[], bool]:
    """The function that is polled after each batch.

    Raises:
        CommandLineError: it is not a function.
    """
    _require_function("stop", stop)
    return never if stop is None else stop


@contextmanager
def _checkpoint_on_error(writer: RunWriter) -> Iterator[None]:
    """Write a checkpoint if a callback between two batches ends training, also by Ctrl-C; its own error is raised."""
    try:
        yield
    except BaseException as error:
        try:
            writer.interrupt()
        except NncliError as failure:
            error.add_note(f"the checkpoint could not be written: {failure}")
        raise
