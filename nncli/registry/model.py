"""Validated models: classes whose annotated fields become a schema of pydantic-core.

annotation                      value in YAML or JSON
bool, int, float, str           of just this type; an integer is a float too
Path                            a string, not empty
Literal["a", "b"]               one of these
Annotated[float, Bounds(gt=0)]  within the bounds
list[X], dict[str, X]           a list, a mapping
X | None, X | Y                 null or X; X or Y
a subclass of Model             a mapping
Layer, Loss, ...                a component of this kind: its name, or a mapping with ``type``
Any                             anything
"""

import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, Union, get_args, get_origin

from pydantic_core import CoreConfig, CoreSchema, SchemaValidator, core_schema, to_jsonable_python

STRICT = CoreConfig(strict=True, allow_inf_nan=False)


class Parameter(NamedTuple):
    """A field of a model, or a parameter of a component's constructor; without a default, the default is ``...``."""

    name: str
    annotation: Any
    default: Any = ...
    meaning: str = ""

    def core(self) -> core_schema.TypedDictField:
        """The schema of the value."""
        schema = core_of(self.annotation)
        if self.default is not ...:
            schema = core_schema.with_default_schema(schema, default=self.default)
        return core_schema.typed_dict_field(schema, required=self.default is ...)


class Model:
    """An immutable model whose fields are the annotations of the class, with strict types and finite numbers.

    The methods are called as in pydantic; pydantic itself would slow down every start, so only its core is used.
    """

    extra: ClassVar[Literal["forbid", "ignore"]] = "forbid"
    model_fields: ClassVar[dict[str, Parameter]]

    def __init_subclass__(cls) -> None:
        hints = inspect.get_annotations(cls)
        names = (name for name, hint in hints.items() if getattr(hint, "__origin__", None) is not ClassVar)
        fields = {name: Parameter(name, hints[name], getattr(cls, name, ...)) for name in names}
        cls.model_fields = {**getattr(cls, "model_fields", {}), **fields}

    def __init__(self, **values: Any) -> None:
        fields = {name: values.pop(name, field.default) for name, field in self.model_fields.items()}
        if values or any(value is ... for value in fields.values()):
            raise TypeError(f"{type(self).__name__}: a field is missing or unknown; the fields are {', '.join(fields)}")
        vars(self).update(fields)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{name}: a {type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def core(cls) -> CoreSchema:
        """The schema of a mapping that becomes an instance of this model."""
        fields = {name: field.core() for name, field in cls.model_fields.items()}
        mapping = core_schema.typed_dict_schema(fields, cls=cls, extra_behavior=cls.extra, config=STRICT)
        return core_schema.no_info_after_validator_function(cls._of_fields, mapping, ref=cls.__name__)

    @classmethod
    def _of_fields(cls, values: dict[str, Any]) -> Self:
        """The instance with these values of all fields, which have been validated."""
        instance = cls.__new__(cls)
        vars(instance).update(values)
        return instance

    @classmethod
    def model_validate(cls, value: Any) -> Self:
        """The instance that a mapping describes.

        Raises:
            ValidationError: the mapping is invalid; the error lists everything that is.
        """
        instance: Self = validated(value, cls)
        return instance

    def model_copy(self, update: dict[str, Any]) -> Self:
        """A copy in which some values are replaced."""
        return type(self)(**{**vars(self), **update})

    def model_dump(self) -> Any:
        """The values as JSON types."""
        return to_jsonable_python(self, fallback=vars)


def core_of(annotation: Any) -> CoreSchema:
    """The schema of an annotation.

    Raises:
        TypeError: the annotation is not supported.
    """
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation.core()
    if (origin := get_origin(annotation) or annotation) not in SCHEMAS:
        raise TypeError(f"unsupported annotation {annotation}")
    return SCHEMAS[origin](*get_args(annotation))


def validated(value: Any, annotation: Any) -> Any:
    """The value of type ``annotation`` that YAML or JSON data describe.

    Raises:
        ValidationError: the data are invalid; the error lists everything that is.
    """
    return _validator(annotation).validate_python(value)


@cache
def _validator(annotation: Any) -> SchemaValidator:
    """The validator of an annotation; components are looked up when it is used, so those registered later are valid."""
    return SchemaValidator(core_of(annotation), STRICT)


def _union(*types: Any) -> CoreSchema:
    choices: list[Any] = [core_of(each) for each in types if each is not NoneType]
    labeled: list[Any] = [(each, f"<union {index}>") for index, each in enumerate(choices)]  # a union tag, for errors
    inner = choices[0] if len(choices) == 1 else core_schema.union_schema(labeled)
    return core_schema.nullable_schema(inner) if NoneType in types else inner


def _path() -> CoreSchema:
    return core_schema.no_info_after_validator_function(Path, core_schema.str_schema(min_length=1))


SCHEMAS: dict[Any, Callable[..., CoreSchema]] = {
    Any: core_schema.any_schema,
    bool: core_schema.bool_schema,
    float: core_schema.float_schema,
    int: core_schema.int_schema,
    str: core_schema.str_schema,
    Path: _path,
    dict: lambda key, value: core_schema.dict_schema(core_of(key), core_of(value)),
    list: lambda item: core_schema.list_schema(core_of(item)),
    Annotated: lambda inner, marker: marker.core(core_of(inner)),
    Literal: lambda *values: core_schema.literal_schema(list(values)),
    Union: _union,
    UnionType: _union,
}


def define_schema(annotation: Any, schema: Callable[..., CoreSchema]) -> None:
    """Support another annotation; ``schema`` is called with its type arguments."""
    SCHEMAS[annotation] = schema
