"""Normalization: short forms and other spellings of a value become canonical if their meaning is certain.

written                         canonical
Adam, Leaky-ReLU, Layer_Dense   adam, leaky_relu, dense
{dense: 16}, {dropout: 0.5}     {type: dense, units: 16}, {type: dropout, rate: 0.5}
{dense: {units: 16, l2: 0.1}}   {type: dense, units: 16, l2: 0.1}
{type: dense, n_neurons: 16}    {type: dense, units: 16}
epochs: 1e3, units: 3.0         epochs: 1000, units: 3
validation: 0.2                 validation: {fraction: 0.2}
metrics: accuracy               metrics: [accuracy]

Everything else stays as it is written, for validation to accept or report. The walk follows the schema of the config,
so that no section and no component is named here.
"""

from dataclasses import replace
from functools import cache
from typing import Any

from nncli.config.document import Node, is_rejected
from nncli.config.model import Config, split_tag
from nncli.config.synonyms import accepted_keys, accepted_type
from nncli.registry import Component, names

MAX_INTEGRAL = 1e15  # a larger float is no integer that somebody wrote


def normalized(root: Node) -> Node:
    """The tree of a config in canonical form; nodes that are canonical already are not copied."""
    return _value(root, _config_schema())


def find_component(kind: str, written: Any) -> Component | None:
    """The component that a type names in any accepted spelling."""
    if not isinstance(written, str) or is_rejected(written):
        return None
    known = names(kind)
    return known.get(written) or known.get(accepted_type(kind, written, known) or "")


@cache
def _config_schema() -> Any:
    return Config.core()


@cache
def _parameter_schemas(component: Component) -> dict[str, Any]:
    schema: Any = component.schema
    return {name: field["schema"] for name, field in schema["schema"]["fields"].items()}


def _value(node: Node, schema: Any) -> Node:
    """The node as the schema wants it, if it is certain what that is."""
    match schema["type"]:
        case "function-plain":
            return _component(node, schema["metadata"]["kind"])
        case "tagged-union":
            return _split(node, schema)
        case "typed-dict" | "dict":
            return _mapping(node, _fields(node, schema))
        case "list":
            return _items(node, schema["items_schema"])
        case "int":
            return _integer(node)
    return _value(node, schema["schema"]) if "schema" in schema else node


def _fields(node: Node, schema: Any) -> dict[str, Any]:
    """The schemas of the values of a mapping, by key; a mapping with any keys has one for all of its values."""
    if schema["type"] == "dict":
        return dict.fromkeys(map(str, node.children), schema["values_schema"])
    return {name: field["schema"] for name, field in schema["fields"].items()}


def _mapping(node: Node, fields: dict[str, Any]) -> Node:
    """The mapping with the values of known keys normalized."""
    if not isinstance(node.value, dict):
        return node
    children = {
        key: _value(child, fields[str(key)]) if key in fields else child for key, child in node.children.items()
    }
    return _with_children(node, children)


def _with_children(node: Node, children: dict[str | int, Node]) -> Node:
    """The node with other children; the same node if all of them are the same."""
    is_unchanged = all(child is node.children.get(key) for key, child in children.items())
    return node if is_unchanged and len(children) == len(node.children) else replace(node, children=children)


def _items(node: Node, schema: Any) -> Node:
    """The list with its items normalized; the name of a component is a list of one."""
    kind = (schema.get("metadata") or {}).get("kind")
    if kind and find_component(kind, node.value):
        node = Node(node.location, [], {0: node})
    if not isinstance(node.value, list):
        return node
    return _with_children(node, {key: _value(child, schema) for key, child in node.children.items()})


def _split(node: Node, schema: Any) -> Node:
    """A validation or test set: a number is a fraction."""
    if _is_number(node.value):
        return Node(node.location, {}, {"fraction": node}, {"fraction": node.location})
    keys = node.children if isinstance(node.value, dict) else None
    return _value(node, schema["choices"][split_tag(keys)])


def _component(node: Node, kind: str) -> Node:
    """A component: its type in the spelling of the registry, and its parameters normalized."""
    if isinstance(node.value, str):
        found = find_component(kind, node.value)
        return replace(node, value=found.name) if found and found.name != node.value else node
    node = _with_type(node, kind)
    written = node.children.get("type")
    if written is None or not (found := find_component(kind, written.value)):
        return node
    if found.name != written.value:
        node = replace(node, children={**node.children, "type": replace(written, value=found.name)})
    node = _renamed(node, found)
    return _mapping(node, _parameter_schemas(found))


def _renamed(node: Node, component: Component) -> Node:
    """The component with the book's names of arguments replaced, unless both names are given."""
    accepted = accepted_keys(component.kind, component.name)
    if not accepted.keys() & node.children.keys():
        return node
    children, keys, width = dict[str | int, Node](), dict(node.keys), node.input_width
    for key, child in node.children.items():
        name = accepted.get(str(key), key)
        if name is None and type(_integer(child).value) is int:
            width = _integer(child)
        elif name is None or (name != key and name in node.children):
            children[key] = child
        else:
            children[name], keys[name] = child, node.keys[key]
    return replace(node, children=children, keys=keys, input_width=width)


def _with_type(node: Node, kind: str) -> Node:
    """``{name: value}`` as ``{type: name, ...}``, if the name is a component and the value has its parameters."""
    if not isinstance(node.value, dict) or len(node.children) != 1:
        return node
    ((key, child),) = node.children.items()
    component = find_component(kind, key)
    if component is None:
        return node
    named = Node(node.keys[key], component.name)
    if isinstance(child.value, dict) and "type" not in child.children:
        children = {"type": named, **child.children}
        return Node(node.location, {}, children, {"type": node.keys[key], **child.keys})
    if child.value is None:
        return Node(node.location, {}, {"type": named}, {"type": node.keys[key]})
    required = [parameter.name for parameter in component.parameters if parameter.default is ...]
    if len(required) != 1 or isinstance(child.value, dict | list):
        return node
    children = {"type": named, required[0]: child}
    return Node(node.location, {}, children, dict.fromkeys(children, node.keys[key]))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _integer(node: Node) -> Node:
    """A float without a fractional part as an integer."""
    value = node.value
    if isinstance(value, float) and value.is_integer() and abs(value) < MAX_INTEGRAL:
        return replace(node, value=int(value))
    return node
