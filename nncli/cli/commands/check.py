"""``nncli check``: whether a config is right."""

from pathlib import Path

import click


@click.command()
@click.argument("configs", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(configs: tuple[Path, ...]) -> None:
    """Validate configs without training.

    All problems of all files are printed at once, each with file, line and column.
    """
    from nncli.errors import ConfigError, NncliError
    from nncli.experiment.loading import load

    wrong: list[NncliError] = []
    for path in configs:
        try:
            load(path)
        except NncliError as error:
            wrong.append(error)
        else:
            print(f"{path}: ok")
    kinds = {type(error) for error in wrong}
    if wrong:
        kind = kinds.pop() if len(kinds) == 1 else ConfigError
        raise kind("\n".join(map(str, wrong)))
