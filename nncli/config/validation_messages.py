"""Validation errors of pydantic-core as messages that state the value and the fix."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic_core import ValidationError

from nncli.config.diagnostics import Diagnostic, Path, shown
from nncli.config.document import Document, Node, is_rejected
from nncli.config.key_advice import Mistake, advice_on_key
from nncli.config.model import Config
from nncli.config.value_advice import EXAMPLES, advice_on_value, component_expected
from nncli.registry import Component, core_of, names, parse_union_tag

_MESSAGES: dict[str, Callable[[dict[str, Any]], str]] = {
    "greater_than": lambda context: f"must be greater than {_limit(context['gt'])}",
    "greater_than_equal": lambda context: f"must be at least {_limit(context['ge'])}",
    "less_than": lambda context: f"must be less than {_limit(context['lt'])}",
    "less_than_equal": lambda context: f"must be at most {_limit(context['le'])}",
    "int_type": lambda _: "must be an integer",
    "int_from_float": lambda _: "must be an integer",
    "float_type": lambda _: "must be a number",
    "finite_number": lambda _: "must be a finite number",
    "string_type": lambda _: "must be a string",
    "bool_type": lambda _: "must be true or false",
    "list_type": lambda _: "must be a list",
    "dict_type": lambda _: "must be a mapping",
    "literal_error": lambda context: f"must be {context['expected']}",
    "too_short": lambda context: f"must have at least {context['min_length']} item",
    "too_long": lambda context: f"must have at most {context['max_length']} items",
}

MERGE = "<<"  # the key with which YAML 1.1 merges other mappings
SIGNATURES = {  # keys at the top level of the configs of other libraries
    "Ludwig": {"input_features", "output_features"},
    "Keras": {"class_name", "config"},
    "Lightning": {"model", "trainer"},
}


class SectionErrors(NamedTuple):
    """The errors of sections: what to report, missing or empty keys, and what unknown keys mean or correct, by path."""

    diagnostics: list[Diagnostic]
    missing: dict[Path, Diagnostic]
    meant: set[Path]
    corrected: set[Path]

    def reported(self) -> list[Diagnostic]:
        """All diagnostics, without missing keys that are there under another name or at another place."""
        is_there = {path[:length] for path in self.meant for length in range(1, len(path) + 1)}
        missing = [each for path, each in self.missing.items() if path not in is_there]
        return [*(each for each in self.diagnostics if each.path not in self.corrected), *missing]


def explain(
    document: Document, errors: Mapping[str, ValidationError], missing: Sequence[str], unknown: Sequence[str | int]
) -> list[Diagnostic]:
    """Return the diagnostics of an invalid document, those of its reader included.

    Args:
        document: the document.
        errors: the errors of sections by name.
        missing: the names of missing sections.
        unknown: the unknown keys at the top level.
    """
    root, found = document.root, SectionErrors(list(document.diagnostics), {}, set(), set())
    if len(missing) > 1 and (foreign := _of_another_library(unknown)):
        return [Diagnostic(root.location, (), foreign)]
    for key in unknown:
        _unknown_key(found, root, (key,))
    for name in missing:
        found.missing[(name,)] = Diagnostic(root.location, (), f"section {name!r} is missing")
    for name, error in errors.items():
        _add_errors(found, error, root, name)
    return found.reported()


def _of_another_library(unknown: Sequence[str | int]) -> str:
    """What to do about a file that is a config of another library, or Python; empty if it is none."""
    if any(re.match(r"\w+ *= *[{\[(]", str(key)) for key in unknown):
        return "this is Python; 'nncli init' writes a config to start from"
    library = next((name for name, keys in SIGNATURES.items() if keys <= set(unknown)), None)
    return f"this is a config of {library}; 'nncli init' writes one of nncli" if library else ""


def _add_errors(errors: SectionErrors, error: ValidationError, root: Node, section: str) -> None:
    """Add the errors of a section, except for values that the reader has already rejected."""
    for alternatives in _of_one_value(_without_other_types(error.errors(include_url=False))):
        each = alternatives[0]
        keys = (section, *each["loc"])
        is_user_text = each["type"] == "extra_forbidden"  # the last key is then what the user wrote
        path = tuple(key for key in keys[:-1] if not parse_union_tag(key))
        path += keys[-1:] if is_user_text or not parse_union_tag(keys[-1]) else ()
        if not _is_rejected(each["input"]) and not _is_repeated(each, path, root):
            _add(errors, alternatives, keys, path, root)


def _without_other_types(errors: Sequence[Any]) -> Iterator[Any]:
    """The errors without those of types that a value cannot be meant to have, as errors are within it as another."""
    within = {each["loc"][:index] for each in errors for index, key in enumerate(each["loc"][:-1]) if _is_choice(key)}
    return (each for each in errors if not (each["loc"] and _is_choice(each["loc"][-1]) and each["loc"][:-1] in within))


def _of_one_value(errors: Iterator[Any]) -> Iterator[list[Any]]:
    """The errors of each value: one, or one for each type that it might have."""
    values = dict[Any, list[Any]]()
    for index, each in enumerate(errors):
        loc = each["loc"]
        values.setdefault(loc[:-1] if loc and _is_choice(loc[-1]) else index, []).append(each)
    yield from values.values()


def _is_choice(key: str | int) -> bool:
    """Whether a key of a path is the tag of one of several types of a value."""
    tag = parse_union_tag(key)
    return tag is not None and tag[0] == "union"


def _unknown_key(errors: SectionErrors, root: Node, path: Path, component: Component | None = None) -> None:
    """Add an error about an unknown key."""
    *parent, key = path
    location = root.key_location(path)
    advice = advice_on_key(Mistake(root, tuple(parent), str(key), location, component))
    errors.diagnostics.append(Diagnostic(location, tuple(parent), f"unknown key {shown(key)}{advice.text}"))
    errors.meant.update([advice.meant] if advice.meant else [])
    errors.meant.update((inner,) for inner in root.find(path).children if inner in Config.model_fields)
    errors.meant.update((*parent, inner) for inner in _merged(root.find(path)) if key == MERGE)
    errors.corrected.update([advice.corrects] if advice.corrects else [])


def _is_merged_type(value: Any) -> bool:
    """Whether a component has a merge key instead of a type."""
    return isinstance(value, dict) and MERGE in value and "type" not in value


def _merged(node: Node) -> Iterator[str | int]:
    """The keys of the value of a merge key: of a mapping, or of each mapping in a list."""
    for each in [node] if isinstance(node.value, dict) else node.children.values():
        yield from each.children


def _add(errors: SectionErrors, alternatives: Sequence[Any], keys: Path, path: Path, root: Node) -> None:
    """Add an error of a value, which may be that of several types."""
    error, key, parent = alternatives[0], path[-1], path[:-1]
    match error["type"]:
        case "missing":
            example = _example(keys, str(key))
            message = f"key {key!r} is missing{example}"
            errors.missing[path] = Diagnostic(root.find(parent).location, parent, message)
        case "extra_forbidden":
            _unknown_key(errors, root, path, _component_of(keys))
        case "unknown_type" if _is_merged_type(error["input"]):
            _unknown_key(errors, root, (*path, MERGE))
        case "unknown_type":
            message, at = component_expected(error["ctx"]["kind"], error["input"], path, root)
            errors.diagnostics.append(Diagnostic(root.find(at).location, path, message))
        case _:
            advice = next(filter(None, (advice_on_value(each, path, root) for each in alternatives)), "")
            expected = _listed_types([_message(each, path, advice) for each in alternatives])
            message = f"{expected}, got {shown(error['input'])}{advice}"
            diagnostic = Diagnostic(root.find(path).location, path, message)
            if error["type"] == "dict_type" and error["input"] is None:
                errors.missing[path] = diagnostic
            else:
                errors.diagnostics.append(diagnostic)


def _component_of(keys: Path) -> Component | None:
    """The component that contains the last key, unless that is a section."""
    for key in reversed(keys[:-1]):
        if (tag := parse_union_tag(key)) and tag[0] != "union":
            return names(tag[0])[tag[1]] if tag[0] != "split" else None
    return None


def _example(keys: Path, key: str) -> str:
    """How to write a missing key."""
    component = _component_of(keys)
    if component is None:
        return f"; write {keys[-2]}: {EXAMPLES[str(keys[-2])]}" if str(keys[-2]) in EXAMPLES else ""
    annotation = next(each.annotation for each in component.parameters if each.name == key)
    example = core_of(annotation).get("metadata", {}).get("example")
    return f"; write {{type: {component.name}, {key}: {shown(example)}}}" if example is not None else ""


def _is_repeated(error: Any, path: Path, root: Node) -> bool:
    """Whether the error is that of the item before: a list of widths is one mistake."""
    if not isinstance(path[-1], int) or path[-1] == 0 or error["type"] != "unknown_type":
        return False
    items = root.find(path[:-1]).children
    return all(isinstance(items[index].value, int) for index in range(path[-1] + 1))


def _listed_types(messages: Sequence[str]) -> str:
    """What a value must be, from the messages for each of its types.

    >>> _listed_types(["must be a string", "must be an integer", "must be a number", "must be a list"])
    'must be a string, a number or a list'
    """
    first, *others = [each for each in messages if each != "must be an integer" or "must be a number" not in messages]
    *middle, last = [first, *(each.removeprefix("must be ") for each in others)]
    return f"{', '.join(middle)} or {last}" if middle else last


def _message(error: Any, path: Path, advice: str) -> str:
    """What a value must be, with an example unless there is advice."""
    if error["type"] == "dict_type":
        example = EXAMPLES.get(str(path[-1]))
        return f"must be a mapping, e.g. {example}" if example and not advice else "must be a mapping"
    return expectation(error)


def expectation(error: Any) -> str:
    """What a value must be, from an error of pydantic-core.

    >>> expectation({"type": "greater_than", "ctx": {"gt": 0}})
    'must be greater than 0'
    """
    format_message = _MESSAGES.get(error["type"])
    return format_message(error.get("ctx", {})) if format_message else str(error["msg"]).lower()


def _limit(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:g}"


def _is_rejected(value: Any) -> bool:
    return is_rejected(value) or (isinstance(value, dict) and is_rejected(value.get("type")))
