"""Access to the files of a run directory: each is untrusted input, validated and bounded in size."""

from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Any

from nncli.config.diagnostics import sanitized_line
from nncli.errors import RunError, UnsupportedVersionError
from nncli.experiment.metric_columns import SPARE_COLUMNS, metrics_bytes
from nncli.store import safe_read as files
from nncli.store import size_limits as limits
from nncli.store.group_files import is_group, not_a_run
from nncli.store.records import CONFIG, HEALTH, SNAPSHOTS, RecordType, RunRecord, from_json, identity, parse_record

ORIGINAL = "config.original.yaml"  # the config byte for byte as it was given
PREPROCESSING = "preprocessing.json"  # what was fitted to the training rows
GIVEN = "spec.yaml"  # the same, of runs of nncli before 0.7
# besides run.json
OTHER_FILES = (ORIGINAL, GIVEN, "metrics.csv", "checkpoints", "weights.npz", "evaluation.json", SNAPSHOTS, HEALTH)


class RunFiles:
    """The files of one run directory; nothing is written, and no lock is held.

    Args:
        path: the directory.

    Raises:
        RunError: it does not exist, or is not a run directory.
        StorageError: the operating system refuses to read it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with files.storage_errors(path):
            if not files.exists(path):
                raise RunError(f"{path}: run not found: no such directory")
            if not path.is_dir():
                raise RunError(f"{path}: not a run directory: it is not a directory")
        if not files.exists(path / "run.json"):
            if is_run(path):
                raise RunError(f"{path}: run.json is missing; not a complete run{how_to_train_again(path)}")
            raise RunError(not_a_run(path) if is_group(path) else f"{path}: not a run directory: run.json is missing")

    @property
    def name(self) -> str:
        """The name of the directory."""
        return sanitized_line(self.path.resolve().name)

    @property
    def record(self) -> RunRecord:
        """The content of run.json."""
        return self._record_and_identity[0]

    @property
    def raw_record(self) -> dict[str, Any]:
        """The JSON value of run.json, including keys that only a newer version knows; it is validated like ``record``.

        It is read again at each access, so that the caller may change it.
        """
        return self._read("run.json", RunRecord)[1]

    @property
    def identity(self) -> str:
        """The SHA-256 that identifies the files of this run."""
        return self._record_and_identity[1]

    @cached_property
    def _record_and_identity(self) -> tuple[RunRecord, str]:
        record, content = self._read("run.json", RunRecord)
        return record, identity(content)

    def read(self, name: str) -> bytes:
        """The bytes of one of the run's files.

        Args:
            name: the path of the file in the run directory.

        Raises:
            RunError: it is missing, is not a regular file, or is larger than ``size_limit``.
        """
        return files.read(self.path, name, self.size_limit(name))

    def read_record(self, name: str, model: type[RecordType]) -> RecordType:
        """The content of run.json or evaluation.json.

        Raises:
            RunError: it is damaged.
            UnsupportedVersionError: only a newer version of nncli reads it.
        """
        return self._read(name, model)[0]

    def _read(self, name: str, model: type[RecordType]) -> tuple[RecordType, dict[str, Any]]:
        """The content of a file as a record, and as a JSON value."""
        try:
            content = from_json(self.read(name))
            return parse_record(content, model), content
        except UnsupportedVersionError as error:
            raise UnsupportedVersionError(f"{self.path / name}: {error}") from None
        except ValueError as error:
            fix = how_to_write_again(self.path) if name == "evaluation.json" else how_to_train_again(self.path)
            raise RunError(f"{self.path / name}: damaged: {error}{fix}") from None

    def size_limit(self, name: str) -> int:
        """The largest size in bytes that a file of this run can have."""
        if name in {"run.json", "evaluation.json", PREPROCESSING}:
            return limits.RECORD
        if name in {CONFIG, ORIGINAL, GIVEN}:
            return limits.CONFIG
        limit_of = {
            "metrics.csv": lambda spec, _: metrics_bytes(spec, SPARE_COLUMNS),
            HEALTH: lambda spec, _: limits.health_bytes(spec),
            SNAPSHOTS: limits.snapshots_bytes,
            "weights.npz": limits.weights_bytes,
        }
        return limit_of.get(name, limits.checkpoint_bytes)(self.record.spec, self.record.parameters)


def signature(path: Path) -> tuple[tuple[int, int, int] | None, ...]:
    """A value that changes when a file of the run is written, removed or replaced; no file is opened."""
    return tuple(_file_signature(path / name) for name in ("run.json", CONFIG, *OTHER_FILES))


def how_to_train_again(path: Path) -> str:
    """The command that trains the config of a run without run.json as a new run; empty if it has no config."""
    config = path / CONFIG
    return f"; train it again: nncli train {quote(str(config))}" if config.is_file() else ""


def how_to_write_again(path: Path) -> str:
    """The command that writes weights.npz and evaluation.json again, or else that trains the run again as a new one."""
    name = quote(str(path))
    if any((path / "checkpoints").glob("*.ckpt")):
        return f"; 'nncli train --resume {name}' writes it again"
    return f"; train it again: nncli train {name}"


def _file_signature(path: Path) -> tuple[int, int, int] | None:
    """Inode, size and time of the last write; None if there is no such file."""
    try:
        state = path.lstat()
    except OSError:
        return None
    return state.st_ino, state.st_size, state.st_mtime_ns


def is_run(path: Path) -> bool:
    """Whether a directory is a run, perhaps a damaged one: it has run.json, or at least two other files of a run.

    Raises:
        StorageError: the operating system refuses to say.
    """
    return files.exists(path / "run.json") or sum(files.exists(path / name) for name in OTHER_FILES) > 1
