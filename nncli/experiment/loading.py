"""From a file to a spec that is right: read, overridden, validated, checked, resolved."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

import nncli.data
import nncli.experiment.leakage  # noqa: F401 (all three register what they have)
from nncli.config import overrides as overriding
from nncli.config.diagnostics import Place, Problem, Source, report
from nncli.config.document import MAX_CHARACTERS, Document, DocumentError, read
from nncli.config.model import Spec
from nncli.config.validation import validate
from nncli.errors import CommandLineError, SpecError, StorageError
from nncli.experiment.checks import Finding, cross_check
from nncli.experiment.defaults import resolve


class LoadedSpec(NamedTuple):
    """A spec that is right, resolved, with the bytes it was read from."""

    spec: Spec
    content: bytes
    overrides: tuple[str, ...]
    document: Document


def load(path: Path, overrides: tuple[str, ...] = ()) -> LoadedSpec:
    """Read, override, validate, check and resolve the spec in a file, of which a new run can be trained.

    Raises:
        CommandLineError: there is no such file, or an override cannot be read.
        SpecError: everything that is wrong, with its places.
        StorageError: the file cannot be read.
    """
    data = read_config(path)
    document = parse(str(path), data, overrides)
    return LoadedSpec(resolve(checked(document)), data, overrides, document)


def parse(name: str, data: bytes, overrides: tuple[str, ...] = ()) -> Document:
    """The YAML document in a file's bytes, with values replaced; not yet validated.

    Raises:
        CommandLineError: an override cannot be read.
        SpecError: it is no YAML document, or none that a spec could be.
    """
    try:
        document = read(Source(name, _text(name, data)))
    except DocumentError as error:
        raise SpecError(str(error.problem)) from None
    overriding.apply(document, overrides)
    return document


def checked(document: Document, skipped: Collection[str] = ()) -> Spec:
    """The spec of a document in which nothing is wrong.

    Args:
        document: as ``parse`` returns it.
        skipped: the checks to leave out, as for ``cross_check``.

    Raises:
        SpecError: everything that is wrong, with its places.
    """
    sections, problems = validate(document)
    problems += located(document, cross_check(sections, skipped))
    if problems:
        raise SpecError(report(problems))
    return sections.spec()


def located(document: Document, findings: Iterable[Finding]) -> list[Problem]:
    """Findings with their source locations."""
    return [Problem(document.root.find(path).place, path, message) for path, message in findings]


def read_config(path: Path) -> bytes:
    """The bytes of a config.

    Raises:
        CommandLineError: there is no such file.
        SpecError: it is longer than any spec.
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
        raise SpecError(f"{path}:1:1: longer than {MAX_CHARACTERS:,} characters: no spec is")
    return data


def _text(name: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        place = Place(Source(name, ""), before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise SpecError(
            str(Problem(place, (), f"byte 0x{data[error.start]:02x} is not UTF-8 text; a spec is a text file"))
        ) from None
