"""From a file to a config that is right: read, overridden, validated, checked, resolved."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

import nncli.data
import nncli.experiment.leakage  # noqa: F401 (all three register what they have)
from nncli.config import overrides as overriding
from nncli.config.diagnostics import Diagnostic, SourceLocation, SourceText, report
from nncli.config.document import MAX_CHARACTERS, Document, DocumentError, read
from nncli.config.model import Config
from nncli.config.validation import validate
from nncli.errors import CommandLineError, ConfigError, StorageError
from nncli.experiment.checks import Finding, cross_check
from nncli.experiment.defaults import resolve


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
    data = read_config_file(path)
    document = parse(str(path), data, overrides)
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
        raise ConfigError(str(error.diagnostic)) from None
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
        raise ConfigError(report(diagnostics))
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
