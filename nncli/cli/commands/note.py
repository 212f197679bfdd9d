"""``nncli note``: the note and the tags of a run or a group."""

from pathlib import Path

import click

from nncli.cli.options import completed_by, examples, json_option, runs_dir_option, tag_option
from nncli.cli.output import print_json


@click.command(epilog=examples("nncli note config 'the baseline of chapter 3' --tag paper", "nncli note config"))
@click.argument("run", shell_complete=completed_by("run"), help="Path or name of a run or a group.")
@click.argument("text", required=False, help="The new note; an empty one removes the note.")
@tag_option
@click.option("--remove-tag", "removed", metavar="TAG", multiple=True, help="Remove a tag.")
@runs_dir_option
@json_option
def note(
    run: str, text: str | None, tags: tuple[str, ...], removed: tuple[str, ...], runs_dir: Path | None, as_json: bool
) -> None:
    """Write a note and tags for a run or a group, or print them.

    They are in a file of their own, notes.json, and can be changed at any time, also while the run trains. 'nncli runs'
    shows them, and finds runs by a tag: --where tag=TAG.
    """
    from nncli.cli.options import find_run_or_group
    from nncli.store.notes import changed_notes, read_notes, write_notes

    path = find_run_or_group(run, runs_dir)
    notes = read_notes(path)
    if text is not None or tags or removed:
        notes = changed_notes(notes, text, tags, removed)
        write_notes(path, notes)
    if as_json:
        print_json({"run": str(path), "note": notes.note, "tags": notes.tags})
        return
    from nncli.cli.render.note import show_notes

    show_notes(path, notes)
