"""Names a config may use, and the components they stand for; it imports nothing of the package.

A family's base class is marked with ``@kind``, a member with ``@register``; the member's constructor is its schema.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, ClassVar, Literal, TypeVar

from pydantic_core import CoreSchema, PydanticCustomError, SchemaValidator, core_schema

from nncli.registry.docstrings import parse_docstring, split_formulas
from nncli.registry.model import Model, Parameter, define_schema

Class = TypeVar("Class", bound=type)


class Component:
    """A registered class with its kind, its name in a config, and the book's name for it.

    The constructor's signature declares the parameters, and the docstring the formulas and their symbols, in the format
    of ``nncli.registry.docstrings``.

    Raises:
        ValueError: the docstring does not have that format.
    """

    def __init__(self, kind: str, name: str, alias: str | None, target: Any) -> None:
        self.kind, self.name, self.alias, self.target = kind, name, alias, target
        with _naming(target):
            *inherited, self.docstring = [parse_docstring(each.__doc__ or "") for each in reversed(target.__mro__[:-1])]
        self.summary, self.text, self.source = self.docstring.summary, self.docstring.text, self.docstring.source
        self.formulas = self.docstring.formulas
        self.forward_formulas, self.backward_formulas = split_formulas(self.formulas)
        self.meanings: dict[str, str] = {}
        self.symbols: dict[str, str] = {}
        for docstring in (*inherited, self.docstring):
            self.meanings |= docstring.meanings
            self.symbols |= docstring.symbols

    @cached_property
    def model(self) -> "type[ComponentConfig]":
        """The constructor's signature as a model."""
        fields = [Parameter("type", Literal[self.name], self.name), *self._arguments]
        hints = {field.name: field.annotation for field in fields}
        defaults = {field.name: field.default for field in fields if field.default is not ...}
        return type(self.target.__name__, (ComponentConfig,), {"__annotations__": hints, "component": self, **defaults})

    @cached_property
    def validator(self) -> SchemaValidator:
        """What checks a mapping that names the component, which is a step in the path of a problem."""
        step = union_tag(self.kind, self.name)
        return SchemaValidator(core_schema.tagged_union_schema({step: self.model.core()}, lambda _: step))

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The constructor's arguments, in their order."""
        return tuple(each._replace(meaning=self.meanings.get(each.name, "")) for each in self._arguments)

    def require_documented(self) -> None:
        """Check that the docstring documents each parameter, nothing else, and only symbols that its formulas use.

        Raises:
            ValueError: it does not.
        """
        code = getattr(self.target.__init__, "__code__", None)  # inspect.signature would slow down the import
        parameters = list(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]) if code else []
        missing = [name for name in parameters if name not in self.meanings]
        unknown = [name for name in self.docstring.meanings if name not in parameters]
        unused = [symbol for symbol in self.symbols.values() if not any(symbol in each for each in self.formulas)]
        with _naming(self.target):
            if missing or unknown:
                raise ValueError(f"Args: missing {missing}, unknown {unknown}; the parameters are {parameters}")
            if unused or not self.summary:
                raise ValueError(f"symbols that no formula uses: {unused}" if unused else "no summary line")

    @cached_property
    def _arguments(self) -> list[Parameter]:
        """The constructor's arguments without their meanings."""
        if self.target.__init__ is object.__init__:
            return []
        given = list(inspect.signature(self.target.__init__).parameters.values())[1:]  # without self
        defaults = {each.name: ... if each.default is each.empty else each.default for each in given}
        return [Parameter(each.name, each.annotation, defaults[each.name]) for each in given]


class ComponentConfig(Model):
    """What a config says of one component: its type and its parameters, validated."""

    component: ClassVar[Component]
    type: str

    def build(self) -> Any:
        """Construct the component, and the components among its arguments before it."""
        given = {name: value for name, value in vars(self).items() if name != "type"}
        built = {name: value.build() for name, value in given.items() if isinstance(value, ComponentConfig)}
        return self.component.target(**{**given, **built})


_kinds: dict[type, str] = {}
_components: dict[str, dict[str, Component]] = {}


def kind(name: str) -> Callable[[Class], Class]:
    """Mark a class as the base of a family of components."""

    def mark(base: Class) -> Class:
        _kinds[base] = name
        define_schema(base, ComponentOf(name).core)
        _components[name] = {}
        return base

    return mark


def register(name: str, alias: str | None = None) -> Callable[[Class], Class]:
    """Give a component its name in a config, and with ``alias`` the book's class name too.

    Raises:
        ValueError: the class is of no known kind, or a name is taken.
    """

    def enter(target: Class) -> Class:
        of = next((label for base, label in _kinds.items() if issubclass(target, base)), None)
        if of is None:
            raise ValueError(f"{target.__name__} descends from no base class marked with @kind")
        taken = {word: entry for entry in _components[of].values() for word in (entry.name, entry.alias)}
        for word in filter(None, (name, alias)):
            if word in taken:
                both = f"{taken[word].target.__name__} and {target.__name__}"
                raise ValueError(f"{of} {word!r} is registered twice: {both}")
        component = Component(of, name, alias, target)
        if sys.flags.optimize < 2:  # python -OO removes docstrings
            component.require_documented()
        _components[of][name] = component
        return target

    return enter


def kinds() -> tuple[str, ...]:
    """The kinds of component, in the order in which their base classes were defined."""
    return tuple(_components)


def components(of: str) -> tuple[Component, ...]:
    """All components of a kind, in the order of their registration.

    Raises:
        LookupError: none is registered, since the package that defines them has not been imported.
    """
    if not _components.get(of):
        raise LookupError(f"no {of} is registered; import nncli.nn and nncli.data first")
    return tuple(_components[of].values())


def names(of: str) -> dict[str, Component]:
    """Every word that stands for a component of a kind: its name, and the book's."""
    return {word: entry for entry in components(of) for word in (entry.name, entry.alias) if word}


class ComponentOf:
    """The annotation of a value that is any component of a kind: a bare name, or a mapping with ``type``."""

    def __init__(self, of: str) -> None:
        self.kind = of

    def core(self, _: Any = None) -> CoreSchema:
        """The schema of such a value; the model is made of the component that it names, and of no other."""
        return core_schema.no_info_plain_validator_function(self._named, metadata={"kind": self.kind})

    def _named(self, value: Any) -> Any:
        given = {"type": value} if isinstance(value, str) else value
        name = given.get("type") if isinstance(given, dict) else None
        known = names(self.kind).get(name) if isinstance(name, str) else None
        if known is None:
            raise PydanticCustomError("unknown_type", "unknown {kind}", {"kind": self.kind})
        return known.validator.validate_python({**given, "type": known.name})


def union_tag(of: str, name: str) -> str:
    """The step that a choice among models adds to the path of a problem."""
    return f"<{of} {name}>"


@contextmanager
def _naming(target: Any) -> Iterator[None]:
    """Name the class whose docstring is wrong."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"docstring of {target.__name__}: {error}") from error
