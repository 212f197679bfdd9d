"""The definition of a sweep by a command line or a sweep file: settings, what varies, and overrides, with locations.

command line                              varies
KEY=V1,V2                                 a list: commas outside of brackets, braces and quotes separate its values
KEY={min: 1e-4, max: 0.1, log: true}      a range
KEY=V, KEY=[V1, V2]                       nothing: an override, the second one of a value that is a list
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from nncli.config.diagnostics import COMMAND_LINE, Diagnostic, SourceLocation, SourceText, path_text, shown
from nncli.config.diagnostics import Path as KeyPath
from nncli.config.document import SWEEP, DocumentError, Node, read
from nncli.config.overrides import parse_override, relocated
from nncli.errors import CommandLineError, ConfigError, NncliError
from nncli.experiment.loading import decoded, read_config_file
from nncli.sweep.sweep_config import RangeConfig, SweepOptions, option_nodes

RANGE = {"min", "max"}
RANGE_KEYS = set(RangeConfig.model_fields)
_EMPTY = re.compile(r"^\s*,|(?<=,)\s*,|,\s*$")  # a comma without a value before or after it


@dataclass(frozen=True, eq=False)
class AxisDefinition:
    """A key that varies, as it is written.

    Args:
        path: the path of the key in the config.
        location: where it is written.
        node: the list of values, or the range.
    """

    path: KeyPath
    location: SourceLocation
    node: Node

    @property
    def key(self) -> str:
        """The path as text."""
        return path_text(self.path)

    @property
    def is_range(self) -> bool:
        """Whether it is a range, not a list."""
        return isinstance(self.node.value, dict)

    @property
    def values(self) -> list[Node]:
        """The values of a list, or the limits of a range."""
        return (
            [self.node.children[each] for each in ("min", "max")] if self.is_range else [*self.node.children.values()]
        )


@dataclass
class SweepDefinition:
    """A sweep as it is written, in a command line or a sweep file.

    Args:
        settings: a mapping with the keys of a sweep file.
        axes: what varies.
        overrides: the arguments that override a value of the base config, with their numbers.
        diagnostics: what is wrong with the text.
        base: the file of the base config; None if it is not given.
    """

    settings: Node
    axes: list[AxisDefinition] = field(default_factory=list)
    overrides: list[tuple[int, str]] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    base: Path | None = None

    @property
    def is_file(self) -> bool:
        """Whether it is a sweep file."""
        return self.settings.location.source.name != COMMAND_LINE

    def location(self, key: str) -> SourceLocation:
        """Where a setting is written; the beginning of the text if it is not."""
        node = self.settings.children.get(key)
        return node.location if node else self.settings.location


def is_sweep_file(path: Path) -> bool:
    """Whether a file is a sweep file, which has the key ``base``."""
    with suppress(DocumentError, NncliError):
        return SWEEP in read(SourceText(str(path), decoded(str(path), read_config_file(path)))).root.children
    return False


def from_command_line(config: Path, arguments: Sequence[str], options: SweepOptions) -> SweepDefinition:
    """The sweep that a command line defines.

    Raises:
        CommandLineError: an argument has no ``=``, or no valid path before it.
    """
    root = Node(SourceLocation(SourceText(COMMAND_LINE, ""), 1, 1), {})
    definition = SweepDefinition(root, base=config)
    root.children = {SWEEP: Node(root.location, str(config))}
    _add(definition, arguments, options)
    return definition


def from_file(path: Path, arguments: Sequence[str], options: SweepOptions) -> SweepDefinition:
    """The sweep that a file defines; options replace its settings, and arguments are added to what varies.

    Raises:
        CommandLineError: the file does not exist, or an argument has no ``=``, or no valid path before it.
        ConfigError: it is not YAML, or no mapping.
        StorageError: it cannot be read.
    """
    try:
        document = read(SourceText(str(path), decoded(str(path), read_config_file(path))))
    except DocumentError as error:
        raise ConfigError(str(error.diagnostic), [error.diagnostic]) from None
    definition = SweepDefinition(document.root, diagnostics=document.diagnostics)
    base = document.root.children.get(SWEEP)
    if base and isinstance(base.value, str) and base.value:
        definition.base = path.parent / base.value
    over = document.root.children.get("over")
    for key, node in (over.children if over and isinstance(over.value, dict) else {}).items():
        location = over.keys[key] if over else node.location
        with suppress(_InvalidKeyError):
            if axis := _axis(definition, str(key), location, node):
                definition.axes.append(axis)
    _add(definition, arguments, options)
    return definition


class _InvalidKeyError(Exception):
    """A key is no path; a diagnostic says so."""


def _add(definition: SweepDefinition, arguments: Sequence[str], options: SweepOptions) -> None:
    """Add the arguments and options of a command line."""
    for number, text in enumerate(arguments, 1):
        if problem := _comma_problem(text, number):
            definition.diagnostics.append(problem)
        elif axis := _argument(text, number):
            definition.axes.append(axis)
        else:
            definition.overrides.append((number, text))
    definition.settings = replace(
        definition.settings, children={**definition.settings.children, **option_nodes(options, len(arguments) + 1)}
    )


def _comma_problem(text: str, number: int) -> Diagnostic | None:
    """The problem of a value that begins or ends with a comma, or has two in a row; None if it has none of these."""
    path, value, column = parse_override(text)
    if not (found := _EMPTY.search(value)):
        return None
    location = SourceLocation(SourceText(COMMAND_LINE, text, number), number, column + found.start())
    return Diagnostic(location, path, f"no value beside the comma; write {path_text(path)}=V1,V2")


def _argument(text: str, number: int) -> AxisDefinition | None:
    """What an argument varies; None if it is an override."""
    path, value, column = parse_override(text)
    source = SourceText(COMMAND_LINE, text, number)
    try:
        values = read(SourceText(COMMAND_LINE, f"{' ' * (column - 2)}[{value}]", number)).root
    except DocumentError:
        return None  # applying it reports what is wrong
    if len(values.children) > 1:
        node = values
    elif len(values.children) == 1 and _is_range(values.children[0]):
        node = values.children[0]
    else:
        return None
    return AxisDefinition(path, SourceLocation(source, number, 1), relocated(node, source))


def _is_range(node: Node) -> bool:
    return isinstance(node.value, dict) and bool(RANGE & set(node.children))


def _axis(definition: SweepDefinition, key: str, location: SourceLocation, node: Node) -> AxisDefinition | None:
    """What an entry of a sweep file varies; None after a diagnostic if it is none."""
    path = _key_path(definition, key, location)
    if isinstance(node.value, list) or _is_range(node):
        return AxisDefinition(path, location, node)
    if isinstance(node.value, dict) and set(node.children) & RANGE_KEYS:
        message = "a range needs min and max, such as {min: 1e-4, max: 0.1, log: true}"
    elif isinstance(node.value, dict) and node.children and "type" not in node.children:
        inner = next(iter(node.children))
        message = f"must be a list or a range; write the path as one key, such as {path_text((*path, inner))}: [...]"
    else:
        message = f"must be a list or a range, got {shown(node.plain())}; write a single value in the base config"
    definition.diagnostics.append(Diagnostic(node.location, ("over", key), message))
    return None


def _key_path(definition: SweepDefinition, key: str, location: SourceLocation) -> KeyPath:
    """The path that a key of a sweep file names.

    Raises:
        _InvalidKeyError: it is no path; a diagnostic is added.
    """
    try:
        return parse_override(f"{key}=0")[0]
    except CommandLineError as error:
        reason = str(error).rpartition(": ")[2]
        fix = "expected a path, such as optimizer.learning_rate or layers[0].units"
        message = f"invalid key {shown(key)}: {reason if reason.startswith('write the key') else fix}"
        definition.diagnostics.append(Diagnostic(location, ("over",), message))
        raise _InvalidKeyError from None
