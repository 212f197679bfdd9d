"""Names a spec may use, and the components they stand for; it imports nothing of the package.

A family's base class is marked with ``@kind``, a member with ``@register``; the member's constructor is its schema.
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema, core_schema

Count = Annotated[int, Field(ge=1, examples=[64])]
Positive = Annotated[float, Field(gt=0, examples=[1.0])]
NonNegative = Annotated[float, Field(ge=0, examples=[0.0])]
Share = Annotated[float, Field(ge=0, lt=1, examples=[0.1])]
Probability = Annotated[float, Field(ge=0, le=1, examples=[0.5])]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True, defer_build=True)

Class = TypeVar("Class", bound=type)


@dataclass(frozen=True)
class Parameter:
    """One argument of a component's constructor, as a reader of its documentation needs it."""

    name: str
    type: str
    default: str
    range: str
    meaning: str


@dataclass(frozen=True)
class Component:
    """A registered class: its kind, its name in a spec, the book's name for it, and what its signature says."""

    kind: str
    name: str
    alias: str | None
    target: Any

    @property
    def summary(self) -> str:
        """The first sentence of the docstring."""
        return self._docstring.partition("\n")[0]

    @property
    def text(self) -> str:
        """What the docstring says between its first sentence and its sections: formulas, and what is not obvious."""
        return (
            re.split(r"^(?:Args|Raises|Source):", self._docstring, flags=re.MULTILINE)[0].partition("\n")[2].strip("\n")
        )

    @property
    def formulas(self) -> list[str]:
        """The indented lines of the text."""
        return [line.strip() for line in self.text.splitlines() if line.startswith("    ")]

    @property
    def source(self) -> str:
        """Who has published it, and how this variant differs."""
        return " ".join(self._docstring.partition("\nSource: ")[2].split())

    @property
    def example(self) -> dict[str, Any]:
        """How a spec may name it: with what is required, else with its first parameter as it is by default."""
        required = {name: _example(annotation) for name, annotation, default in self._arguments if default is ...}
        written = {name: default for name, _, default in self._arguments if default is not ... and default is not None}
        return {"type": self.name, **(required or dict(list(written.items())[:1]))}

    @property
    def _docstring(self) -> str:
        return inspect.cleandoc(self.target.__doc__ or "")

    @cached_property
    def model(self) -> "type[ComponentSpec]":
        """The constructor's signature as a pydantic model."""
        fields: dict[str, Any] = {"type": (Literal[self.name], self.name)}
        for name, annotation, default in self._arguments:
            fields[name] = (_as_field(annotation), default)
        model = create_model(self.target.__name__, __base__=ComponentSpec, **fields)
        model.component = self
        return model

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The constructor's arguments, in their order."""
        explained: dict[str, str] = {}
        for base in reversed(self._bases):
            explained |= meanings(base.__doc__ or "")
        return tuple(
            Parameter(
                name,
                _type_words(annotation),
                "" if default is ... else _value_words(default),
                _range_words(annotation),
                explained.get(name, ""),
            )
            for name, annotation, default in self._arguments
        )

    @cached_property
    def _arguments(self) -> list[tuple[str, Any, Any]]:
        """Name, annotation and default of each argument; the default is ... where there is none."""
        constructor = next((vars(base)["__init__"] for base in self._bases if "__init__" in vars(base)), None)
        if constructor is None:
            return []
        hints = get_type_hints(constructor, include_extras=True)
        arguments = inspect.signature(constructor).parameters.values()
        defaults = {each.name: ... if each.default is each.empty else each.default for each in arguments}
        return [(name, hints[name], default) for name, default in defaults.items() if name != "self"]

    @property
    def _bases(self) -> tuple[type, ...]:
        """The class and those it inherits from, the nearest first; an inherited constructor is a schema too."""
        return tuple(base for base in self.target.__mro__ if base is not object)


class ComponentSpec(BaseModel):
    """What a spec says of one component: its type and its parameters, validated."""

    model_config = STRICT
    component: ClassVar[Component]
    type: str

    def build(self) -> Any:
        """Construct the component, and the components among its arguments before it."""
        arguments = {
            name: value.build() if isinstance(value, ComponentSpec) else value for name, value in self if name != "type"
        }
        return self.component.target(**arguments)


_kinds: dict[type, str] = {}
_components: dict[str, dict[str, Component]] = {}


def kind(name: str) -> Callable[[Class], Class]:
    """Mark a class as the base of a family of components."""

    def mark(base: Class) -> Class:
        _kinds[base] = name
        _components[name] = {}
        return base

    return mark


def register(name: str, alias: str | None = None) -> Callable[[Class], Class]:
    """Give a component its name in a spec, and with ``alias`` the book's class name too.

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
                raise ValueError(
                    f"{of} {word!r} is registered twice: {taken[word].target.__name__} and {target.__name__}"
                )
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


@dataclass(frozen=True)
class ComponentOf:
    """The annotation of a field that takes any component of a kind: a bare name, or a mapping with ``type``."""

    kind: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Build the choice among the components that are registered by now."""
        choices = {
            step_into(self.kind, entry.name): handler.generate_schema(entry.model) for entry in components(self.kind)
        }
        choice = core_schema.tagged_union_schema(
            choices,
            self._choice,
            custom_error_type="unknown_type",
            custom_error_message="unknown {kind}",
            custom_error_context={"kind": self.kind},
        )
        words = core_schema.literal_schema(list(names(self.kind)))
        return core_schema.no_info_before_validator_function(
            self._spelled_out, choice, json_schema_input_schema=core_schema.union_schema([words, choice])
        )

    def _spelled_out(self, value: Any) -> Any:
        """``relu`` as ``{type: relu}``, and the book's name as ours."""
        value = {"type": value} if isinstance(value, str) else value
        if isinstance(value, dict) and isinstance(value.get("type"), str):
            known = names(self.kind).get(value["type"])
            return {**value, "type": known.name} if known else value
        return value

    def _choice(self, value: Any) -> str | None:
        name = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
        return step_into(self.kind, name) if isinstance(name, str) else None


def step_into(of: str, name: str) -> str:
    """The step that a choice among several models adds to the path of a problem."""
    return f"<{of} {name}>"


def entered(step: str | int) -> tuple[str, str] | None:
    """The kind and the name in a step that a choice has added; None for a step that a user wrote."""
    found = re.fullmatch(r"<(\w+) (\w+)>", str(step))
    return (found[1], found[2]) if found else None


def _as_field(annotation: Any) -> Any:
    """An annotation with every base class in it replaced by the choice of its components."""
    if annotation in _kinds:
        return Annotated[ComponentSpec, ComponentOf(_kinds[annotation])]
    if get_origin(annotation) in {Union, UnionType}:
        return reduce(or_, map(_as_field, get_args(annotation)))
    return annotation


def meanings(docstring: str) -> dict[str, str]:
    """What the ``Args:`` of a docstring say, by name."""
    section = re.search(r"^Args:\n((?:[ ]{4}.*\n?|\n)+)", inspect.cleandoc(docstring), re.MULTILINE)
    entries = re.findall(r"^ {4}(\w+): ((?:.*)(?:\n {8}.*)*)", section.group(1) if section else "", re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


def _example(annotation: Any) -> Any:
    """A value that fits the annotation of a required argument: the first of its field's examples."""
    return next(field.examples[0] for field in get_args(annotation)[1:] if getattr(field, "examples", None))


def _type_words(annotation: Any) -> str:
    words = {int: "whole number", float: "number", str: "text", bool: "true or false", NoneType: "null"}
    if get_origin(annotation) is Annotated:
        return _type_words(get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return " or ".join(map(str, get_args(annotation)))
    if get_origin(annotation) in {Union, UnionType}:
        return " or ".join(map(_type_words, get_args(annotation)))
    return words.get(annotation) or _kinds[annotation]


def _range_words(annotation: Any) -> str:
    if get_origin(annotation) in {Union, UnionType}:
        return ", ".join(filter(None, map(_range_words, get_args(annotation))))
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    field: Any = next(iter(get_args(annotation)[1:]), None)
    bounds = [(bound, name) for bound in getattr(field, "metadata", []) for name in signs if hasattr(bound, name)]
    return ", ".join(f"{signs[name]} {getattr(bound, name)}" for bound, name in bounds)


def _value_words(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
