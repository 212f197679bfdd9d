"""``nncli completion``: the script that lets a shell complete commands."""

import click

from nncli.cli.main import COMPLETE_ENV
from nncli.cli.options import examples


@click.command(epilog=examples('eval "$(nncli completion bash)"'))
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), help="Shell that reads the script.")
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    The tab key then completes commands, options, configs, runs, metrics, and overrides with the keys and values of the
    config.

    \b
    To load it in each new shell, append the line to its file:
      bash  ~/.bashrc                   eval "$(nncli completion bash)"
      zsh   ~/.zshrc                    eval "$(nncli completion zsh)"
      fish  ~/.config/fish/config.fish  nncli completion fish | source
    """  # noqa: D301 (click keeps the lines after a backspace)
    from nncli.cli.shells import SHELLS

    group = context.find_root().command
    print(SHELLS[shell](group, {}, "nncli", COMPLETE_ENV).source(), end="")
