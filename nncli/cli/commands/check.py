"""``nncli check``: validate configs."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from nncli.cli.options import completed_by, examples, json_option, runs_dir_option
from nncli.cli.output import print_json
from nncli.errors import CommandLineError

if TYPE_CHECKING:
    from nncli.errors import NncliError


@click.command(epilog=examples("nncli check config.yaml", "nncli check configs/*.yaml"))
@click.argument(
    "configs",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
    metavar="CONFIG...",
    shell_complete=completed_by("config"),
    help="YAML files or runs.",
)
@runs_dir_option
@json_option
def check(configs: tuple[Path, ...], runs_dir: Path | None, as_json: bool) -> None:
    """Validate configs and sweep files without training.

    Prints all errors of all files at once, each with file, line and column.
    """
    from nncli.cli.reading import reading_shown
    from nncli.cli.render.progress import note
    from nncli.errors import ConfigError, NncliError

    _reject_overrides(configs)
    errors: dict[Path, NncliError | None] = {}
    warnings: dict[Path, list[str]] = {}
    for path in dict.fromkeys(configs):
        try:
            with reading_shown(is_silent=as_json):
                warnings[path] = _warnings(path, runs_dir)
        except NncliError as error:
            errors[path] = error
        else:
            errors[path] = None
            if not as_json:
                print(f"{path}: ok")
                for text in warnings[path]:
                    note(f"{path}: warning: {text}")
    found = list(filter(None, errors.values()))
    try:
        if as_json:
            print_json({"configs": [_document(path, error, warnings.get(path, [])) for path, error in errors.items()]})
    finally:  # the exit code is right even if the output cannot be written
        if found:
            message = "\n".join(map(str, found))
            every = found[0] if len({type(error) for error in found}) == 1 else ConfigError(message)
            every.args = (message,)
            raise every


def _warnings(path: Path, runs: Path | None) -> list[str]:
    """Validate a config, the config of a run, or a sweep file; return the warnings about its data.

    Raises:
        NncliError: it is not valid.
    """
    from nncli.runner.run_config import load_any
    from nncli.sweep.definition import is_sweep_file

    if path.is_file() and is_sweep_file(path):
        from nncli.sweep.plan import record_from_file
        from nncli.sweep.sweep_config import SweepOptions

        record_from_file(path, SweepOptions())
        return []
    return load_any(path, runs=runs).plan.warnings


def _reject_overrides(configs: tuple[Path, ...]) -> None:
    """Refuse overrides among the configs.

    Raises:
        CommandLineError: there is one.
    """
    for given in configs:
        if "=" in given.name and not given.exists():
            config = next((str(each) for each in configs if each.is_file()), "CONFIG")
            command = f"nncli show {quote(config)} {quote(str(given))}"
            raise CommandLineError(f"{given}: check takes no overrides; to check a config with one: {command}")


def _document(path: Path, error: "NncliError | None", warnings: list[str]) -> dict[str, Any]:
    """The result of one config as JSON values; an error that has no location in a config is one of the file."""
    from nncli.config.diagnostics import as_documents
    from nncli.errors import ConfigError

    found = as_documents(error.diagnostics) if isinstance(error, ConfigError) else []
    if error and not found:
        found = [{"file": str(path), "line": None, "column": None, "key": "", "message": str(error)}]
    return {"config": str(path), "valid": error is None, "diagnostics": found, "warnings": warnings}
