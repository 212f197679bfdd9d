"""Loading: from a config file to a valid, resolved config."""

import codecs
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from nncli.config.diagnostics import (
    COMMAND_LINE,
    Diagnostic,
    Finding,
    SourceLocation,
    SourceText,
    counted,
    format_diagnostics,
)
from nncli.config.document import FAST_LOADER, MAX_CHARACTERS, TOO_LARGE, Document, DocumentError, Node, read
from nncli.config.in_place import is_same, replaced, without_aliases
from nncli.config.model import Config
from nncli.config.normalization import normalized
from nncli.config.overrides import apply
from nncli.config.validation import PartialConfig, validate
from nncli.config.yaml_output import to_yaml
from nncli.errors import CommandLineError, ConfigError, StorageError
from nncli.experiment.checks import cross_check
from nncli.experiment.data_plan import CheckedConfig, DataPlan, try_to_open
from nncli.experiment.defaults import resolve
from nncli.experiment.sections import path_overrides, with_paths, with_recorded_columns
from nncli.nn.shapes import widths

MAX_BYTES = 4 * MAX_CHARACTERS  # a character has at most 4 bytes in UTF-8
OpenSources = Callable[[Config, CheckedConfig | None], tuple[DataPlan, list[Finding]]]
MAPPING_NAME = "<config>"  # the file that messages name for a config that is a mapping


class LoadedConfig(NamedTuple):
    """A valid, resolved config, with what it was made from.

    Args:
        config: the resolved config.
        content: the bytes of the file, or of a mapping as YAML.
        overrides: those that were applied, and those that make the paths of files absolute.
        document: the content as a tree of values with source locations, overrides applied.
        plan: its data plan.
    """

    config: Config
    content: bytes
    overrides: tuple[str, ...]
    document: Document
    plan: DataPlan

    @property
    def trained_content(self) -> bytes:
        """The content with the overrides applied in place."""
        return overridden(self.document) if self.overrides else self.content


def load(path: Path, overrides: tuple[str, ...] = ()) -> LoadedConfig:
    """Read, override, validate, check and resolve a config file, for a new run.

    Raises:
        CommandLineError: the file does not exist, or an override is invalid.
        ConfigError: all errors in the config, with their locations.
        StorageError: the file cannot be read.
    """
    return load_content(str(path), read_config_file(path), overrides)


def load_mapping(config: Mapping[str, Any], overrides: tuple[str, ...] = ()) -> LoadedConfig:
    """Like ``load``, for a config that is a mapping; its content is the mapping as YAML, and messages call it <config>.

    Raises:
        CommandLineError: an override is invalid.
        ConfigError: all errors in the config, with their locations.
    """
    try:
        content = to_yaml(config)
    except TypeError as error:
        raise ConfigError(f"{MAPPING_NAME}: {error}") from None
    return load_content(MAPPING_NAME, content, overrides)


def load_content(
    name: str, content: bytes, overrides: tuple[str, ...] = (), open_sources: OpenSources = try_to_open
) -> LoadedConfig:
    """Like ``load``, for the content of a config file; ``name`` is the file; ``open_sources`` is that of ``checked``.

    Raises:
        CommandLineError: an override is invalid.
        ConfigError: all errors in the config, with their locations.
    """
    document = parse(name, content, overrides)
    config, plan = checked(document, open_sources=open_sources)
    paths = path_overrides(config, document.root)
    apply_overrides(document, paths, name)
    return LoadedConfig(resolve(config, plan), content, (*overrides, *paths), document, plan)


def parse(name: str, content: bytes, overrides: tuple[str, ...] = (), origin: str = COMMAND_LINE) -> Document:
    """Parse the content of a config file, apply overrides and normalize it; nothing is validated.

    Args:
        name: the file, for messages.
        content: its bytes.
        overrides: values replaced in it.
        origin: where the overrides are from, for messages.

    Raises:
        CommandLineError: an override is invalid.
        ConfigError: the content is not YAML, or larger or deeper than the limits.
    """
    try:
        document = read(SourceText(name, decoded(name, content)))
    except DocumentError as error:
        raise _error(error.diagnostic) from None
    document.root = normalized(document.root.copy())
    apply_overrides(document, overrides, origin)
    return document


def apply_overrides(document: Document, overrides: Iterable[str], origin: str = COMMAND_LINE) -> None:
    """Apply overrides to a parsed config; each result is normalized, so that the next one can change a part of it.

    Raises:
        CommandLineError: an override is invalid.
    """
    for number, text in enumerate(overrides, 1):
        apply(document, text, number, origin)
        document.root = normalized(document.root)


def with_overrides(content: bytes, overrides: tuple[str, ...]) -> bytes:
    """The content of a valid config file with overrides applied in place: comments and the order of keys are kept."""
    return overridden(parse(MAPPING_NAME, content, overrides)) if overrides else content


def overridden(document: Document) -> bytes:
    """The text of a valid document with its overrides applied in place.

    If a value with an anchor is overridden that other values refer to, they have their values instead of aliases.
    """
    values = document.root.plain()
    text = _with_values(document.written, values)
    if text is None and (resolved := _read_back(without_aliases(document.written))):
        text = _with_values(resolved, values)
    return to_yaml(values) if text is None else text.encode()


def _with_values(written: Node, values: Any) -> str | None:
    """The text of a tree with other values in place; None if it does not read back as these values."""
    text = replaced(written, normalized(written).plain(), values)
    root = _read_back(text)
    return text if root and is_same(normalized(root).plain(), values) else None


def _read_back(text: str) -> Node | None:
    """The tree of a text that was made from a config; None if it is none."""
    try:
        return read(SourceText(MAPPING_NAME, text), FAST_LOADER).root
    except DocumentError:
        return None


def checked(
    document: Document,
    skipped: Collection[str] = (),
    recorded: CheckedConfig | None = None,
    directory: Path | None = None,
    open_sources: OpenSources = try_to_open,
) -> CheckedConfig:
    """Return the config of a document without errors, and its data plan.

    Args:
        document: a parsed config.
        skipped: the scopes of checks to skip, as for ``cross_check``.
        recorded: the config of a run, whose schemas are reused for equal sections instead of opening their sources.
        directory: where relative paths start; by default at the directory of the file.
        open_sources: opens the data sources, or keeps them open.

    Raises:
        ConfigError: all errors, with their locations.
    """
    config, plan, diagnostics = checked_sections(document, skipped, recorded, directory, open_sources)
    if diagnostics:
        raise ConfigError(format_diagnostics(diagnostics), diagnostics)
    return CheckedConfig(config.complete(), plan)


def checked_sections(
    document: Document,
    skipped: Collection[str] = (),
    recorded: CheckedConfig | None = None,
    directory: Path | None = None,
    open_sources: OpenSources = try_to_open,
) -> tuple[PartialConfig, DataPlan, list[Diagnostic]]:
    """The valid sections of a document, their data plan, and all errors; the arguments are those of ``checked``."""
    config, diagnostics = validate(document)
    config = with_paths(config, directory or Path(document.root.location.source.name).parent)
    if recorded:
        config = with_recorded_columns(config, recorded.config)
    plan, unopened = open_sources(config, recorded)
    config = config.without({str(finding.path[0]) for finding in unopened})
    findings = [*unopened, *cross_check(_as_recorded(config, recorded), plan, skipped)]
    widths_stated = _input_widths(document, config, plan)
    return config, plan, [*diagnostics, *with_location(document, findings), *widths_stated]


def _as_recorded(config: Config, recorded: CheckedConfig | None) -> Config:
    """The config with the log interval of a run, which does not follow a raised number of epochs."""
    if recorded is None or "training" not in vars(config) or config.training.log_every:
        return config
    interval = recorded.config.training.log_interval
    return config.model_copy({"training": config.training.model_copy({"log_every": interval})})


def _input_widths(document: Document, config: Config, plan: DataPlan) -> Iterator[Diagnostic]:
    """The numbers of inputs that layers state and that are not those of the network."""
    if "layers" not in vars(config) or "data" not in plan.schemas:
        return
    inputs = widths([layer.build() for layer in config.layers], plan.schema.columns)
    for index, layer in document.root.find(("layers",)).children.items():
        stated, width = layer.input_width, inputs[int(index)]
        if stated and stated.value != width:
            message = (
                f"n_inputs is {stated.value}, but the layer has {counted(width, 'input')}; write {width} or omit it"
            )
            yield Diagnostic(stated.location, ("layers", index), message)


def with_location(document: Document, findings: Iterable[Finding]) -> list[Diagnostic]:
    """Return the findings as diagnostics, with the source location of each path."""
    return [Diagnostic(document.root.find(path).location, path, message) for path, message in findings]


def read_config_file(path: Path) -> bytes:
    """Read the bytes of a config file.

    Raises:
        CommandLineError: the file does not exist.
        ConfigError: the file is larger than any config can be.
        StorageError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise CommandLineError(f"{path}: no such file; {_fix_of_missing(path)}") from None
    except NotADirectoryError:
        raise CommandLineError(f"{path}: no such file; part of the path is not a directory") from None
    except IsADirectoryError:
        raise CommandLineError(f"{path}: is a directory; name the YAML file in it") from None
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise _error(Diagnostic(SourceLocation(SourceText(str(path), ""), 1, 1), (), TOO_LARGE))
    return content


def _fix_of_missing(path: Path) -> str:
    """What to do about a config that does not exist."""
    from nncli.config.similar_file import similar_config

    if "=" in path.name:
        return f"an override follows its config, as in: nncli show CONFIG {quote(str(path))}"
    if found := similar_config(path):
        return f"did you mean '{found}'?"
    return f"write one to start from with: nncli init {quote(str(path))}"


def decoded(name: str, content: bytes) -> str:
    """The text of a config file.

    Raises:
        ConfigError: it is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        location = SourceLocation(SourceText(name, ""), before.count("\n") + 1, len(before) - before.rfind("\n"))
        message = f"{_encoding(content, error.start)}; save the config as UTF-8 text"
        raise _error(Diagnostic(location, (), message)) from None


def _error(diagnostic: Diagnostic) -> ConfigError:
    """The error of a config that cannot be read beyond one problem."""
    return ConfigError(str(diagnostic), [diagnostic])


def _encoding(content: bytes, position: int) -> str:
    """Why the content is not UTF-8 at a position, and what it is instead, if that is clear."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "the file is UTF-16, not UTF-8"
    byte = content[position]
    is_letter = b"\0" not in content and chr(byte).isalpha()
    return f"byte 0x{byte:02x} is not valid UTF-8" + (f" (in Latin-1 it is {chr(byte)!r})" if is_letter else "")
