"""The registry: components by kind and name, and the config of a component as a validated model."""

import inspect
import re
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from typing import Any, ClassVar, Literal, TypeVar

from pydantic_core import CoreSchema, PydanticCustomError, SchemaValidator, core_schema

from nncli.registry.docstrings import Docstring, parse_docstring
from nncli.registry.model import Model, Parameter, define_schema

Class = TypeVar("Class", bound=type)


class Component:
    """A registered class with its kind, its name in a config, and its class name in the book as an alias.

    The constructor's signature declares the parameters; the docstring declares the formulas and their symbols, in the
    format that ``nncli.registry.docstrings`` describes.

    Args:
        kind: the kind of component, such as layer.
        name: the value of ``type`` in a config.
        alias: another such value, the name in the book.
        target: the class.
    """

    def __init__(self, kind: str, name: str, alias: str | None, target: Any) -> None:
        self.kind, self.name, self.alias, self.target = kind, name, alias, target

    @cached_property
    def documentation(self) -> Docstring:
        """The docstring; the meanings and symbols of arguments include those of the base classes.

        It is not read at registration, since no training needs it.

        Raises:
            ValueError: the docstring does not have the format, or is incomplete.
        """
        with _naming(self.target):
            *inherited, own = [parse_docstring(each.__doc__ or "") for each in reversed(self.target.__mro__[:-1])]
            meanings, symbols = dict[str, str](), dict[str, str]()
            for docstring in (*inherited, own):
                meanings |= docstring.meanings
                symbols |= docstring.symbols
            documentation = own._replace(meanings=meanings, symbols=symbols)
            if sys.flags.optimize < 2:  # python -OO removes docstrings
                _require_complete(documentation, own.meanings, [each.name for each in self._arguments])
        return documentation

    @cached_property
    def model(self) -> "type[ComponentConfig]":
        """The model of the component's config: ``type``, and the parameters of the constructor."""
        fields = [Parameter("type", Literal[self.name], self.name), *self._arguments]
        hints = {field.name: field.annotation for field in fields}
        defaults = {field.name: field.default for field in fields if field.default is not ...}
        return type(self.target.__name__, (ComponentConfig,), {"__annotations__": hints, "component": self, **defaults})

    @cached_property
    def schema(self) -> CoreSchema:
        """The schema of the component's config."""
        return self.model.core()

    @cached_property
    def validator(self) -> SchemaValidator:
        """Validates the component's config; locations of errors begin with the component's union tag."""
        tag = union_tag(self.kind, self.name)
        return SchemaValidator(core_schema.tagged_union_schema({tag: self.schema}, lambda _: tag))

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters of the constructor, in order."""
        return tuple(each._replace(meaning=self.documentation.meanings.get(each.name, "")) for each in self._arguments)

    @cached_property
    def _arguments(self) -> list[Parameter]:
        """The parameters of the constructor without their meanings."""
        if self.target.__init__ is object.__init__:
            return []
        _, *parameters = inspect.signature(self.target.__init__).parameters.values()  # self first
        return [Parameter(p.name, p.annotation, ... if p.default is p.empty else p.default) for p in parameters]


class ComponentConfig(Model):
    """The validated config of one component: its type and its parameters."""

    component: ClassVar[Component]
    type: str

    def build(self) -> Any:
        """Construct the component, after the components among its arguments, alone, in lists or in mappings."""
        return self.component.target(**{name: _built(value) for name, value in vars(self).items() if name != "type"})


def _built(value: Any) -> Any:
    if isinstance(value, list):
        return [_built(item) for item in value]
    if isinstance(value, dict):
        return {key: _built(item) for key, item in value.items()}
    return value.build() if isinstance(value, ComponentConfig) else value


_kinds: dict[type, str] = {}
_components: dict[str, dict[str, Component]] = {}
_modules: dict[str, str] = {}


def kind(name: str) -> Callable[[Class], Class]:
    """Mark a class as the base class of a kind of component."""

    def mark(base: Class) -> Class:
        _kinds[base] = name
        define_schema(base, ComponentOf(name).core)
        _components[name] = {}
        return base

    return mark


def kinds_of(module: str, *names: str) -> None:
    """Import a module when the components of these kinds, which it registers, are first asked for."""
    _modules.update(dict.fromkeys(names, module))


def register(name: str, alias: str | None = None) -> Callable[[Class], Class]:
    """Register a component under its name, and under ``alias``, its class name in the book.

    Raises:
        ValueError: the class has no base class marked with ``@kind``, a name is taken.
    """

    def enter(target: Class) -> Class:
        of = next((label for base, label in _kinds.items() if issubclass(target, base)), None)
        if of is None:
            raise ValueError(f"{target.__name__} is not a subclass of a base class marked with @kind")
        registered = {key: entry for entry in _components[of].values() for key in (entry.name, entry.alias)}
        for key in filter(None, (name, alias)):
            if key in registered:
                classes = f"{registered[key].target.__name__} and {target.__name__}"
                raise ValueError(f"{of} {key!r} is registered twice: {classes}")
        _components[of][name] = Component(of, name, alias, target)
        return target

    return enter


def kinds() -> tuple[str, ...]:
    """The kinds of component, sorted, so that their order does not depend on that of imports."""
    return tuple(sorted({**_components, **_modules}))


def components(of: str) -> tuple[Component, ...]:
    """All components of a kind, in the order of registration.

    Raises:
        LookupError: no component of this kind is registered; the package that defines them has not been imported.
    """
    if not _components.get(of) and of in _modules:
        import_module(_modules[of])
    if not _components.get(of):
        raise LookupError(f"no {of} is registered; import nncli.nn and nncli.data first")
    return tuple(_components[of].values())


def names(of: str) -> dict[str, Component]:
    """The components of a kind by name and by alias."""
    return {key: entry for entry in components(of) for key in (entry.name, entry.alias) if key}


def _find(of: str, name: str) -> Component | None:
    """The component of a kind with a name or an alias."""
    return _components.get(of, {}).get(name) or names(of).get(name)


class ComponentOf:
    """The annotation of any component of a kind, given as its name or as a mapping with ``type``."""

    def __init__(self, of: str) -> None:
        self.kind = of

    def core(self, _: Any = None) -> CoreSchema:
        """The schema of such a value; the model of a component is created when a config first names it."""
        return core_schema.no_info_plain_validator_function(self._validated, metadata={"kind": self.kind})

    def _validated(self, value: Any) -> Any:
        mapping = {"type": value} if isinstance(value, str) else value
        name = mapping.get("type") if isinstance(mapping, dict) else None
        component = _find(self.kind, name) if isinstance(name, str) else None
        if component is None:
            raise PydanticCustomError("unknown_type", "unknown {kind}", {"kind": self.kind})
        return component.validator.validate_python({**mapping, "type": component.name})


def union_tag(of: str, name: str) -> str:
    """The segment that identifies the chosen component in the location of a validation error."""
    return f"<{of} {name}>"


def parse_union_tag(key: str | int) -> tuple[str, str] | None:
    """Return the namespace and the component of a union tag in a path; None for a key of the config."""
    found = re.fullmatch(r"<(\w+) (\w+)>", str(key))
    return (found[1], found[2]) if found else None


def _require_complete(documentation: Docstring, own: Collection[str], parameters: Collection[str]) -> None:
    """Check the docstring of a component against the parameters of its constructor.

    Args:
        documentation: the docstring with what it inherits.
        own: the arguments that the docstring of the class itself describes.
        parameters: the parameters of the constructor.

    Raises:
        ValueError: a parameter is not documented, an argument that does not exist is, no formula uses a symbol, or
            the docstring is empty.
    """
    missing = [name for name in parameters if name not in documentation.meanings]
    unknown = [name for name in own if name not in parameters]
    if missing or unknown:
        raise ValueError(f"Args: missing {missing}, unknown {unknown}; the parameters are {list(parameters)}")
    formulas = documentation.formulas
    unused = [symbol for symbol in documentation.symbols.values() if not any(symbol in each for each in formulas)]
    if unused or not documentation.summary:
        raise ValueError(f"symbols that no formula uses: {unused}" if unused else "no summary line")


@contextmanager
def _naming(target: Any) -> Iterator[None]:
    """Add the name of the class to an error in its docstring."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"docstring of {target.__name__}: {error}") from error
