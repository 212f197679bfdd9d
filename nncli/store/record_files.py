"""Reading a record of a group, or the notes of a run: its size, checksum, format version and values are checked."""

from pathlib import Path

from nncli.errors import RunError, UnsupportedVersionError
from nncli.store import safe_read, size_limits
from nncli.store.records import RecordType, from_json, parse_record


def read_record(directory: Path, name: str, model: type[RecordType], fix: str = "") -> RecordType:
    """The content of a JSON file in the directory of a run or a group.

    Args:
        directory: the directory.
        name: the name of the file.
        model: the model of its content.
        fix: what the message about a damaged file ends with.

    Raises:
        RunError: the file is missing or damaged.
        StorageError: it cannot be read.
        UnsupportedVersionError: a newer version of nncli wrote it.
    """
    try:
        return parse_record(from_json(safe_read.read(directory, name, size_limits.RECORD)), model)
    except UnsupportedVersionError as error:
        raise UnsupportedVersionError(f"{directory / name}: {error}", directory) from None
    except ValueError as error:
        raise RunError(f"{directory / name}: damaged: {error}{fix}", directory) from None
