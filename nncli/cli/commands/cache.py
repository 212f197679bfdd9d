"""``nncli cache``: list or delete the cached rows of large data files."""

from typing import TYPE_CHECKING

import click

from nncli.cli.options import cache_dir_option, examples, json_option
from nncli.cli.output import print_json

if TYPE_CHECKING:
    from nncli.data.cache import EntryFile


@click.command(epilog=examples("nncli cache", "nncli cache --clear"))
@click.option("--clear", "is_cleared", is_flag=True, help="Delete all entries.")
@cache_dir_option
@json_option
def cache(is_cleared: bool, as_json: bool) -> None:
    """List or delete the cached rows of large data files.

    A file of 64 MiB or more is parsed once; later trainings read its rows from the cache, without loading all of them
    into memory. The key of an entry is a hash of the content of the file and of the settings for reading it. Entries
    can be deleted at any time.
    """
    from nncli.data.cache import clear, directory, files

    found = clear() if is_cleared else files()
    size = sum(each.size for each in found)
    if as_json:
        entries = [{"path": str(each.path), "bytes": each.size, "complete": each.is_complete} for each in found]
        print_json({"directory": str(directory()), "entries": entries, "bytes": size, "cleared": is_cleared})
        return
    from nncli.cli.render.console import Output

    out = Output()
    for each in [] if is_cleared else found:
        out.print_text(_line(each))
    entries_and_size = f"{len(found):,} {'entry' if len(found) == 1 else 'entries'}, {size / 2**20:,.1f} MiB"
    out.print_text(f"{directory()}: {'deleted ' if is_cleared else ''}{entries_and_size}")


def _line(entry: "EntryFile") -> str:
    """The size and the name of an entry."""
    return f"{entry.size / 2**20:10,.1f} MiB  {entry.path.name}{'' if entry.is_complete else ' (being written)'}"
