"""Components by name, constraints on values, and validated models; imports nothing else of the package.

``@kind`` marks the base class of a kind of component (layer, loss, optimizer, ...), ``@register`` each component. The
constructor's signature is the schema of the component's config, and its docstring the documentation.
"""

from nncli.registry.components import (
    Component,
    ComponentConfig,
    ComponentOf,
    components,
    kind,
    kinds,
    kinds_of,
    names,
    parse_union_tag,
    register,
    union_tag,
)
from nncli.registry.constraints import Bounds, Count, NonNegative, Positive, Probability, Seed, UnitInterval
from nncli.registry.docstrings import parse_docstring
from nncli.registry.model import Model, Parameter, core_of, validated

__all__ = [
    "Bounds",
    "Component",
    "ComponentConfig",
    "ComponentOf",
    "Count",
    "Model",
    "NonNegative",
    "Parameter",
    "Positive",
    "Probability",
    "Seed",
    "UnitInterval",
    "components",
    "core_of",
    "kind",
    "kinds",
    "kinds_of",
    "names",
    "parse_docstring",
    "parse_union_tag",
    "register",
    "union_tag",
    "validated",
]
