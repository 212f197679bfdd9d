"""A document held against the sections, one at a time, so that a mistake in one hides none in another."""

from collections.abc import Iterable, Iterator
from types import SimpleNamespace

from pydantic_core import ValidationError

from nncli.config.diagnostics import Problem, did_you_mean, shown
from nncli.config.document import Document, Node
from nncli.config.model import Spec
from nncli.config.validation_messages import problems_of
from nncli.registry import validated


class Sections(SimpleNamespace):
    """The sections of a spec that are right so far; a wrong or missing one is no attribute."""

    def has(self, names: Iterable[str]) -> bool:
        """Whether all of the named sections are right."""
        return all(hasattr(self, name) for name in names)

    def spec(self) -> Spec:
        """The whole spec, once nothing is wrong."""
        return Spec(**vars(self))


def validate(document: Document) -> tuple[Sections, list[Problem]]:
    """Every section that is right, and everything that is wrong."""
    root = document.root
    if not isinstance(root.value, dict):
        kind = "a list" if isinstance(root.value, list) else shown(root.value)
        message = f"a spec is a mapping of sections: data, layers, loss, optimizer, training; got {kind}"
        return Sections(), [*document.problems, Problem(root.place, (), message)]
    problems = [*document.problems, *_keys_without_section(root)]
    spoiled = {problem.path[0] for problem in problems if problem.path}
    sections = Sections()
    for name, field in Spec.model_fields.items():
        if name in root.children:
            try:
                value = validated(root.children[name].plain(), field.annotation)
            except ValidationError as error:
                problems += problems_of(error, root, name)
                continue
        else:
            value = field.default
        if name not in spoiled and (name in root.children or field.default is not ...):
            setattr(sections, name, value)
    return sections, problems


def _keys_without_section(root: Node) -> Iterator[Problem]:
    for key in root.children:
        if key not in Spec.model_fields:
            cure = did_you_mean(str(key), Spec.model_fields)
            yield Problem(root.key_place((key,)), (), f"unknown key {shown(key)}{cure}")
    for name, field in Spec.model_fields.items():
        if field.default is ... and name not in root.children:
            yield Problem(root.place, (), f"section {name!r} is missing")
