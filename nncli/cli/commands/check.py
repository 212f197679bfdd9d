"""``nncli check``: validate configs."""

from pathlib import Path

import click

from nncli.cli.completion import complete_config
from nncli.cli.options import examples, runs_dir_option


@click.command(epilog=examples("nncli check config.yaml", "nncli check configs/*.yaml"))
@click.argument(
    "configs",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
    metavar="CONFIG...",
    shell_complete=complete_config,
    help="YAML files or runs.",
)
@runs_dir_option
def check(configs: tuple[Path, ...], runs_dir: Path | None) -> None:
    """Validate configs without training.

    Prints all errors of all files at once, each with file, line and column.
    """
    from nncli.errors import ConfigError, NncliError
    from nncli.runner.run_config import load_any

    errors: list[NncliError] = []
    for path in configs:
        try:
            load_any(path, runs=runs_dir)
        except NncliError as error:
            errors.append(error)
        else:
            print(f"{path}: ok")
    if errors:
        kinds = {type(error) for error in errors}
        kind = kinds.pop() if len(kinds) == 1 else ConfigError
        raise kind("\n".join(map(str, errors)))
