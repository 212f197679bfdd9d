"""notes.json: the note and the tags of a run or a group, which a user may change at any time, also while it trains."""

import re
from collections.abc import Sequence
from pathlib import Path

from nncli.config.diagnostics import shown
from nncli.errors import CommandLineError
from nncli.store import atomic_write, safe_read
from nncli.store.record_files import read_record
from nncli.store.records import FORMAT, Record, to_json

NOTES = "notes.json"  # no part of the identity of a run, and of no check
LONGEST_NOTE = 10_000  # characters
TAG = re.compile(r"[^\s,=]{1,64}")


class Notes(Record):
    """The content of notes.json.

    Args:
        format: the format version of this file.
        note: a text; None if there is none.
        tags: words by which runs are found, in the order in which they were added.
    """

    format: int = FORMAT
    note: str | None = None
    tags: list[str] = []  # noqa: RUF012 (a default)


def read_notes(path: Path) -> Notes:
    """The notes of a run or a group; empty ones if it has no notes.json.

    Raises:
        RunError: the file is damaged.
        StorageError: it cannot be read.
        UnsupportedVersionError: a newer version of nncli wrote it.
    """
    if not safe_read.exists(path / NOTES):
        return Notes()
    return read_record(path, NOTES, Notes, fix="; remove the file to write new notes")


def write_notes(path: Path, notes: Notes) -> None:
    """Write the notes of a run or a group; without a note and tags, remove the file.

    Raises:
        StorageError: the file cannot be written.
    """
    if notes.note is None and not notes.tags:
        atomic_write.remove(path / NOTES, durable=True)
    else:
        atomic_write.write_atomic(path / NOTES, to_json(notes.model_dump()))


def changed_notes(
    notes: Notes, note: str | None = None, added: Sequence[str] = (), removed: Sequence[str] = ()
) -> Notes:
    """Notes with another note, further tags, and without some.

    Args:
        notes: the notes so far.
        note: the new note; an empty one removes it, and None keeps it.
        added: tags to add.
        removed: tags to remove.

    Raises:
        CommandLineError: the note is too long, a tag is not valid, or there is no such tag to remove.
    """
    check_notes(note, added)
    missing = next((tag for tag in removed if tag not in notes.tags), None)
    if missing is not None:
        known = f"its tags are {', '.join(notes.tags)}" if notes.tags else "it has no tags"
        raise CommandLineError(f"no tag {shown(missing)} to remove; {known}")
    tags = [tag for tag in dict.fromkeys([*notes.tags, *added]) if tag not in removed]
    return Notes(note=notes.note if note is None else note or None, tags=tags)


def check_notes(note: str | None, tags: Sequence[str]) -> None:
    """Check a note and tags before anything is written.

    Raises:
        CommandLineError: the note is too long, or a tag is not valid.
    """
    if note and len(note) > LONGEST_NOTE:
        raise CommandLineError(f"a note of {len(note):,} characters, expected at most {LONGEST_NOTE:,}")
    for text in (note or "", *tags):
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise CommandLineError(f"{shown(text)} is not valid UTF-8")
    for tag in tags:
        if not TAG.fullmatch(tag) or not tag.isprintable():
            raise CommandLineError(
                f"invalid tag {shown(tag)}: expected a word of at most 64 printable characters without ',' and '='"
            )
