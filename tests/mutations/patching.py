"""Replace functions and attributes of nncli by name, in this process.

A mutation is a function that gets a ``Patch`` and calls its methods with targets such as
``"nncli.nn.layers.dense:Dense.backward"``: a module, a colon, and a qualified name. No source text is read or changed,
so a mutation survives reformatting and renamed locals; a target that no longer exists is a LookupError that names it.
"""

import sys
from collections.abc import Callable, Mapping
from functools import update_wrapper
from importlib import import_module
from inspect import getattr_static
from typing import Any, TypeAlias

Mutation: TypeAlias = Callable[["Patch"], None]
MISSING = object()
PATCHED_PACKAGES = ("nncli", "tests")


def find(target: str) -> tuple[Any, str, Any]:
    """The owner of a target (a module or a class), the target's name in it, and its value.

    Raises:
        LookupError: the target does not exist.
    """
    module, _, qualified_name = target.partition(":")
    *path, name = qualified_name.split(".")
    try:
        owner = import_module(module)
        for each in path:
            owner = getattr(owner, each)
        return owner, name, getattr_static(owner, name)
    except (ImportError, AttributeError) as error:
        raise LookupError(f"{target} does not exist ({error}); a mutation replaces it") from error


def _wrapper(function: Callable[..., Any]) -> Callable[..., Any]:
    """A new function that calls another one."""

    def call(*arguments: Any, **options: Any) -> Any:
        return function(*arguments, **options)

    return call


class Patch:
    """Replacements that can be undone."""

    def __init__(self) -> None:
        self._originals: list[tuple[Any, str, Any]] = []

    def replace(self, target: str, make: Callable[[Any], Any]) -> None:
        """Replace the value of a target by ``make(value)``.

        A function is replaced in its own module and in every loaded module that has imported it; if the target names
        another module's import of the function, it is replaced there alone.

        Raises:
            LookupError: the target does not exist.
        """
        owner, name, original = find(target)
        replacement = make(original)
        if callable(original) and not isinstance(original, type):
            update_wrapper(
                replacement, original
            )  # ``explain`` prints docstrings, and arguments are checked by signature
        self._set(owner, name, replacement)
        if callable(original) and getattr(original, "__module__", None) == getattr(owner, "__name__", MISSING):
            for module in [each for key, each in sys.modules.items() if key.split(".")[0] in PATCHED_PACKAGES]:
                for key in [key for key, value in vars(module).items() if value is original]:
                    self._set(module, key, replacement)

    def after(self, target: str, disturb: Callable[..., Any]) -> None:
        """Call ``disturb(result, *arguments)`` after each call of a function; return what it returns, if not None."""

        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            def disturbed(*arguments: Any, **options: Any) -> Any:
                result = original(*arguments, **options)
                changed = disturb(result, *arguments, **options)
                return result if changed is None else changed

            return disturbed

        self.replace(target, make)

    def function(self, target: str, replacement: Callable[..., Any]) -> None:
        """Replace a function by another one."""
        self.replace(target, lambda original: _wrapper(replacement))

    def value(self, target: str, value: Any) -> None:
        """Replace the value of an attribute."""
        self.replace(target, lambda original: value)

    def module(self, target: str, **functions: Callable[..., Any]) -> None:
        """Replace some functions of a module that another module has imported, for that importing module alone."""
        self.replace(target, lambda original: ModuleProxy(original, functions))

    def undo(self) -> None:
        """Put all originals back."""
        while self._originals:
            owner, name, original = self._originals.pop()
            if original is MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, original)

    def _set(self, owner: Any, name: str, value: Any) -> None:
        self._originals.append((owner, name, vars(owner).get(name, MISSING)))
        setattr(owner, name, value)


class ModuleProxy:
    """A module in which some functions are others."""

    def __init__(self, module: Any, functions: Mapping[str, Callable[..., Any]]) -> None:
        self._module, self._functions = module, functions

    def __getattr__(self, name: str) -> Any:
        return self._functions[name] if name in self._functions else getattr(self._module, name)


class TransparentPatch(Patch):
    """Wraps every target of a mutation without changing what it does: the control of the experiment."""

    def replace(self, target: str, make: Callable[[Any], Any]) -> None:
        """Replace a function by one that calls it."""

        def transparent(original: Any) -> Any:
            if not callable(original) or isinstance(original, type):
                return original
            return _wrapper(original)

        super().replace(target, transparent)


class MutationSet(dict[str, Mutation]):
    """Mutations by name; a name is that of the function, with spaces."""

    def add(self, mutation: Mutation) -> Mutation:
        """Register a mutation, as a decorator."""
        self[mutation.__name__.strip("_").replace("_", " ")] = mutation
        return mutation

    def apply(self, name: str) -> Patch:
        """Apply a mutation to this process."""
        self[name](patch := Patch())
        return patch
