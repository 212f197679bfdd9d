"""From a file to a config that is right: read, overridden, validated, checked, resolved."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import nncli.data
import nncli.experiment.leakage  # noqa: F401 (all three register what they have)
from nncli.config import overrides as overriding
from nncli.config.diagnostics import Diagnostic, SourceLocation, SourceText, report
from nncli.config.document import MAX_CHARACTERS, Document, DocumentError, read
from nncli.config.model import Config
from nncli.config.validation import validate
from nncli.config.yaml_output import to_yaml
from nncli.errors import CommandLineError, ConfigError, StorageError
from nncli.experiment.checks import Finding, cross_check
from nncli.experiment.defaults import resolve

MAPPING_NAME = "<config>"  # the file that messages name for a config that is a mapping


class LoadedConfig(NamedTuple):
    """A config that is right, resolved, with the bytes it was read from."""

    config: Config
    content: bytes
    overrides: tuple[str, ...]
    document: Document


def load(path: Path, overrides: tuple[str, ...] = ()) -> LoadedConfig:
    """Read, override, validate, check and resolve the config in a file, of which a new run can be trained.

    Raises:
        CommandLineError: there is no such file, or an override cannot be read.
        ConfigError: everything that is wrong, with its places.
        StorageError: the file cannot be read.
    """
    return _loaded(str(path), read_config_file(path), overrides)


def load_mapping(config: Mapping[str, Any], overrides: tuple[str, ...] = ()) -> LoadedConfig:
    """Like ``load``, of a config given as a mapping; its content is the mapping as YAML, and messages call it <config>.

    Raises:
        CommandLineError: an override cannot be read.
        ConfigError: everything that is wrong, with its locations.
    """
    try:
        data = to_yaml(config)
    except TypeError as error:
        raise ConfigError(f"{MAPPING_NAME}: {error}") from None
    return _loaded(MAPPING_NAME, data, overrides)


def _loaded(name: str, data: bytes, overrides: tuple[str, ...]) -> LoadedConfig:
    document = parse(name, data, overrides)
    return LoadedConfig(resolve(checked(document)), data, overrides, document)


def parse(name: str, data: bytes, overrides: tuple[str, ...] = ()) -> Document:
    """The YAML document in a file's bytes, with values replaced; not yet validated.

    Raises:
        CommandLineError: an override cannot be read.
        ConfigError: it is no YAML document, or none that a config could be.
    """
    try:
        document = read(SourceText(name, _text(name, data)))
    except DocumentError as error:
        raise ConfigError(str(error.diagnostic), [error.diagnostic]) from None
    overriding.apply(document, overrides)
    return document


def checked(document: Document, skipped: Collection[str] = ()) -> Config:
    """The config of a document in which nothing is wrong.

    Args:
        document: as ``parse`` returns it.
        skipped: the checks to leave out, as for ``cross_check``.

    Raises:
        ConfigError: everything that is wrong, with its places.
    """
    sections, diagnostics = validate(document)
    diagnostics += located(document, cross_check(sections, skipped))
    if diagnostics:
        raise ConfigError(report(diagnostics), diagnostics)
    return sections.config()


def located(document: Document, findings: Iterable[Finding]) -> list[Diagnostic]:
    """Findings with their source locations."""
    return [Diagnostic(document.root.find(path).place, path, message) for path, message in findings]


def read_config_file(path: Path) -> bytes:
    """The bytes of a config.

    Raises:
        CommandLineError: there is no such file.
        ConfigError: it is longer than any config.
        StorageError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(4 * MAX_CHARACTERS + 1)
    except FileNotFoundError:
        starter = f"'nncli init {path}' writes a config to start from"
        cure = (
            "overrides are taken by the commands for one config: train, show, explain, gradcheck, profile"
            if "=" in path.name
            else starter
        )
        raise CommandLineError(f"{path}: no such file; {cure}") from None
    except NotADirectoryError:
        raise CommandLineError(f"{path}: no such file; a part of the path is no directory") from None
    except IsADirectoryError:
        raise CommandLineError(f"{path}: is a directory; name the YAML file in it") from None
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from None
    if len(data) > 4 * MAX_CHARACTERS:
        raise ConfigError(f"{path}:1:1: longer than {MAX_CHARACTERS:,} characters: no config is")
    return data


def _text(name: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        place = SourceLocation(SourceText(name, ""), before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise ConfigError(
            str(Diagnostic(place, (), f"byte 0x{data[error.start]:02x} is not UTF-8 text; a config is a text file"))
        ) from None
