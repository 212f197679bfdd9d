"""The note and the tags of a run or a group in the terminal."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from nncli.cli.render.console import Output

if TYPE_CHECKING:
    from nncli.store.notes import Notes


def show_notes(path: Path, notes: "Notes") -> None:
    """Print the path with the tags, then the note."""
    tags = f"tags {', '.join(notes.tags)}" if notes.tags else "no tags"
    out = Output()
    out.print_text(Text.assemble((str(path), "bold"), f": {tags}{'' if notes.note else ', no note'}"))
    if notes.note:
        out.print_text(notes.note)
