"""``nncli help``: the help page of nncli, or of a command."""

from typing import cast

import click

from nncli.cli.options import completed_by, examples


@click.command(epilog=examples("nncli help train"))
@click.argument(
    "name", metavar="[COMMAND]", required=False, shell_complete=completed_by("command"), help="Name of a command."
)
@click.pass_context
def help(context: click.Context, name: str | None) -> None:  # noqa: A001 (the name of the command)
    """Print the help page of nncli, or of a command.

    It is the page that --help prints.
    """
    root = context.find_root()
    if name is None:
        print(root.get_help())
        return
    _, command, _ = cast("click.Group", root.command).resolve_command(root, [name])
    if command:
        command.make_context(name, ["--help"], parent=root)
