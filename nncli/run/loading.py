"""From a file to a spec that is right: read, overridden, validated, checked, resolved."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import nncli.data
import nncli.nn
import nncli.run.leaks  # noqa: F401 (all three register what they have)
from nncli.errors import CommandLineError, SpecError, StorageError
from nncli.registry import ComponentSpec, names
from nncli.run.checks import Finding, cross_check
from nncli.run.summary import batches_an_epoch
from nncli.run.tasks import chosen_metrics
from nncli.spec import overrides as overriding
from nncli.spec.document import MAX_CHARACTERS, Document, DocumentError, read
from nncli.spec.problems import Place, Problem, Source, report
from nncli.spec.schema import validate
from nncli.spec.sections import Fraction, Regularization, Spec


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


def resolve(spec: Spec, split_method: str | None = "independent") -> Spec:
    """The spec with every default that depends on something else filled in.

    Args:
        spec: a spec that is right.
        split_method: that of a spec with a fraction for the test set which does not say it.
    """
    shared = {name: getattr(spec.regularization, name) for name in Regularization.model_fields}
    layers = [
        _filled(part, {**shared, "initializer": _initializer(spec, index)}) for index, part in enumerate(spec.layers)
    ]
    training = spec.training.model_copy(update={"log_every": spec.training.log_interval})
    given = {"layers": layers, "training": training, "metrics": chosen_metrics(spec)}
    if isinstance(spec.test, Fraction):  # the rows of a validation set do not depend on the method
        given["split_method"] = spec.split_method or split_method
    if spec.schedule:
        given["schedule"] = _until(spec.schedule, spec.training.epochs * batches_an_epoch(spec))
    return spec.model_copy(update=given)


def _until(schedule: ComponentSpec, updates: int) -> ComponentSpec:
    """The schedule, at its open end, made to last for so many updates."""
    following = getattr(schedule, "then", None)
    if following is not None:
        return schedule.model_copy(update={"then": _until(following, updates - getattr(schedule, "updates", 0))})
    return _filled(schedule, {"updates": max(1, updates)})


def _filled(part: ComponentSpec, defaults: dict[str, Any]) -> ComponentSpec:
    """A component with the given values where it says nothing itself."""
    unset = {name: value for name, value in defaults.items() if getattr(part, name, value) is None}
    return part.model_copy(update=unset)


def _initializer(spec: Spec, index: int) -> ComponentSpec:
    """The initializer that suits what follows a layer."""
    following = (part.component.target.initializer_before for part in spec.layers[index + 1 :])
    fitting = next((name for name in following if name), "glorot")
    return names("initializer")[fitting].model.model_validate({})


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
