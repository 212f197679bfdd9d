"""``nncli schema``: the JSON Schema of a config, for editors."""

from pathlib import Path

import click

from nncli.cli.docstrings import require_docstrings
from nncli.cli.options import examples
from nncli.cli.paths import SCHEMA_COPY


@click.command(epilog=examples("nncli schema --write"))
@click.option("--write", is_flag=True, help=f"Write {SCHEMA_COPY} into the current directory instead.")
def schema(write: bool) -> None:
    """Print the JSON Schema of a config.

    Editors complete, explain and check a config with it. A config of nncli init refers to the schema of the installed
    nncli; a copy can be kept with the configs, where it is found after a move too.
    """
    require_docstrings()
    from nncli.experiment.json_schema import schema_text

    text = schema_text()
    if not write:
        print(text, end="")
        return
    from nncli.store.atomic_write import write_atomic

    write_atomic(Path(SCHEMA_COPY), text.encode())
    line = f"# yaml-language-server: $schema={SCHEMA_COPY}"
    print(f"{SCHEMA_COPY}: written; the first line of a config beside it: {line}")
