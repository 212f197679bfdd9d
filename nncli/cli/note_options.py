"""The note and the tags that a command which trains gives to its run or its group."""

from pathlib import Path
from typing import NamedTuple


class NoteOptions(NamedTuple):
    """The options ``--note`` and ``--tag``.

    Args:
        text: the note; None to leave it as it is.
        tags: the tags to add.
    """

    text: str | None = None
    tags: tuple[str, ...] = ()

    def check(self) -> None:
        """Check them before training begins.

        Raises:
            CommandLineError: the note is too long, or a tag is not valid.
        """
        if any(self):
            from nncli.store.notes import check_notes

            check_notes(self.text, self.tags)

    def write(self, path: Path) -> None:
        """Add them to those of a run or a group.

        Raises:
            StorageError: notes.json cannot be written.
        """
        if self.text is not None or self.tags:
            from nncli.store.notes import changed_notes, read_notes, write_notes

            write_notes(path, changed_notes(read_notes(path), self.text, self.tags))
