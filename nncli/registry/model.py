"""Classes with annotated fields as validated models; an annotation becomes a schema of pydantic-core."""

import inspect
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, Union, get_args, get_origin

from pydantic_core import CoreConfig, CoreSchema, SchemaValidator, core_schema, to_jsonable_python

STRICT = CoreConfig(strict=True, allow_inf_nan=False)


class Parameter(NamedTuple):
    """A key of a model, or an argument of a component's constructor; the default is ... where there is none."""

    name: str
    annotation: Any
    default: Any = ...
    meaning: str = ""

    def core(self) -> core_schema.TypedDictField:
        """The schema of its value."""
        schema = core_of(self.annotation)
        if self.default is not ...:
            schema = core_schema.with_default_schema(schema, default=self.default)
        return core_schema.typed_dict_field(schema, required=self.default is ...)


class Model:
    """Values under the names that a class annotates: strict types, nothing infinite, no change afterwards.

    pydantic's core validates what is read; pydantic's own models, with methods of these names, take long to import.
    """

    extra: ClassVar[Literal["forbid", "ignore"]] = "forbid"
    model_fields: ClassVar[dict[str, Parameter]]

    def __init_subclass__(cls) -> None:
        hints = inspect.get_annotations(cls)
        own = (name for name, hint in hints.items() if getattr(hint, "__origin__", None) is not ClassVar)
        fields = {name: Parameter(name, hints[name], getattr(cls, name, ...)) for name in own}
        cls.model_fields = {**getattr(cls, "model_fields", {}), **fields}

    def __init__(self, **values: Any) -> None:
        given = {name: values.pop(name, field.default) for name, field in self.model_fields.items()}
        if values or any(value is ... for value in given.values()):
            raise TypeError(f"{type(self).__name__}: a name is missing or unknown; it has {', '.join(given)}")
        vars(self).update(given)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{name}: a {type(self).__name__} does not change")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def core(cls) -> CoreSchema:
        """The schema of a mapping that becomes such a model."""
        fields = {name: field.core() for name, field in cls.model_fields.items()}
        mapping = core_schema.typed_dict_schema(fields, cls=cls, extra_behavior=cls.extra, config=STRICT)
        return core_schema.no_info_after_validator_function(lambda values: cls(**values), mapping, ref=cls.__name__)

    @classmethod
    def model_validate(cls, value: Any) -> Self:
        """The model of a mapping in which nothing is wrong; a ValidationError tells all that is."""
        made: Self = validated(value, cls)
        return made

    def model_copy(self, update: dict[str, Any]) -> Self:
        """The same with some values replaced."""
        return type(self)(**{**vars(self), **update})

    def model_dump(self) -> Any:
        """The values as JSON has them."""
        return to_jsonable_python(self, fallback=vars)


def core_of(annotation: Any) -> CoreSchema:
    """What an annotation says, as a schema of pydantic's core."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation.core()
    if (origin := get_origin(annotation) or annotation) not in SCHEMAS:
        raise TypeError(f"no config can be checked by the annotation {annotation}")
    return SCHEMAS[origin](*get_args(annotation))


def validated(value: Any, annotation: Any) -> Any:
    """What a value becomes where an annotation is its schema; a ValidationError tells all that is wrong with it."""
    return SchemaValidator(core_of(annotation), STRICT).validate_python(value)


def _one_of(*parts: Any) -> CoreSchema:
    choices: list[Any] = [core_of(part) for part in parts if part is not NoneType]
    inner = choices[0] if len(choices) == 1 else core_schema.union_schema(choices)
    return core_schema.nullable_schema(inner) if NoneType in parts else inner


SCHEMAS: dict[Any, Callable[..., CoreSchema]] = {
    Any: core_schema.any_schema,
    bool: core_schema.bool_schema,
    float: core_schema.float_schema,
    int: core_schema.int_schema,
    str: core_schema.str_schema,
    dict: lambda key, value: core_schema.dict_schema(core_of(key), core_of(value)),
    list: lambda item: core_schema.list_schema(core_of(item)),
    Annotated: lambda inner, marker: marker.core(core_of(inner)),
    Literal: lambda *words: core_schema.literal_schema(list(words)),
    Union: _one_of,
    UnionType: _one_of,
}


def define_schema(annotation: Any, schema: Callable[..., CoreSchema]) -> None:
    """Make an annotation known to ``core_of``; ``schema`` is called with the arguments of the annotation."""
    SCHEMAS[annotation] = schema
