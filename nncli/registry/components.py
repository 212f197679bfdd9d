"""Names a config may use, and the components they stand for; it imports nothing of the package.

A family's base class is marked with ``@kind``, a member with ``@register``; the member's constructor is its schema.
"""

import inspect
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar, Literal, TypeVar

from pydantic_core import CoreSchema, PydanticCustomError, SchemaValidator, core_schema

from nncli.registry.model import Model, Parameter, define_schema

Class = TypeVar("Class", bound=type)


class Component:
    """A registered class: its kind, its name in a config, the book's name for it, and what its signature says."""

    def __init__(self, kind: str, name: str, alias: str | None, target: Any) -> None:
        self.kind, self.name, self.alias, self.target = kind, name, alias, target

    @property
    def summary(self) -> str:
        """The first sentence of the docstring."""
        return self.docstring.partition("\n")[0]

    @property
    def text(self) -> str:
        """What the docstring says between its first sentence and its sections: formulas, and what is not obvious."""
        return re.split(r"(?m)^(?:Args|Raises|Source):", self.docstring)[0].partition("\n")[2].strip("\n")

    @property
    def formulas(self) -> list[str]:
        """The indented lines of the text."""
        return [line.strip() for line in self.text.splitlines() if line.startswith("    ")]

    @property
    def forward_formulas(self) -> list[str]:
        """The formulas of the forward pass."""
        return [formula for formula in self.formulas if not formula.startswith("dL/")]

    @property
    def backward_formulas(self) -> list[str]:
        """The formulas of the gradients."""
        return [formula for formula in self.formulas if formula.startswith("dL/")]

    @property
    def symbols(self) -> dict[str, str]:
        """The symbol of each parameter that the formulas name by one."""
        found = {each.name: re.match(r"(\S{1,2}),", each.meaning) for each in self.parameters}
        return {name: match[1] for name, match in found.items() if match}

    @property
    def docstring(self) -> str:
        """The class's own, without its indentation."""
        return inspect.cleandoc(self.target.__doc__ or "")

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
        explained: dict[str, str] = {}
        for base in reversed(self.target.__mro__):
            explained |= meanings(base.__doc__ or "")
        return tuple(each._replace(meaning=explained.get(each.name, "")) for each in self._arguments)

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
        _components[of][name] = Component(of, name, alias, target)
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


def meanings(docstring: str) -> dict[str, str]:
    """What the ``Args:`` of a docstring say, by name."""
    section = re.search(r"^Args:\n((?:[ ]{4}.*\n?|\n)+)", inspect.cleandoc(docstring), re.MULTILINE)
    entries = re.findall(r"^ {4}(\w+): ((?:.*)(?:\n {8}.*)*)", section.group(1) if section else "", re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}
