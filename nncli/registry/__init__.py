"""Named components and the models that their constructors' signatures become; it imports nothing of the package.

The base class of a kind of component is marked with ``@kind``, each component with ``@register``. The constructor of a
component is its schema.
"""

from nncli.registry.components import (
    Component,
    ComponentConfig,
    ComponentOf,
    components,
    kind,
    kinds,
    names,
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
    "names",
    "parse_docstring",
    "register",
    "union_tag",
    "validated",
]
