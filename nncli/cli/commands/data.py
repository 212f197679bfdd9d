"""``nncli data``: the columns of a table, their types, and what is suspicious."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nncli.cli.options import examples, json_option
from nncli.cli.output import print_json
from nncli.errors import CommandLineError

if TYPE_CHECKING:
    from nncli.analysis.data_overview import DataOverview


@click.command(epilog=examples("nncli data iris.csv", "nncli data iris.csv --target species", "nncli data iris.yaml"))
@click.argument("subject", type=click.Path(path_type=Path), metavar="FILE|CONFIG", help="Table, or config with one.")
@click.option("--target", help="Column to predict; that of the config by default.")
@json_option
def data(subject: Path, target: str | None, as_json: bool) -> None:
    """Print the columns of a table with their types and values, its classes, and what is suspicious."""
    from nncli.cli.reading import reading_shown

    with reading_shown(is_silent=as_json):
        overview = _overview(subject, target)
    if as_json:
        print_json(_document(overview))
    else:
        from nncli.cli.render.data import show_data

        show_data(overview)


def _overview(subject: Path, target: str | None) -> "DataOverview":
    from nncli.analysis.data_overview import overview_of_file, overview_of_source

    if subject.suffix not in {".yaml", ".yml"}:
        return overview_of_file(subject, target)
    from nncli.data.sources.table import TableSource
    from nncli.experiment.loading import load

    section = load(subject).config.data
    source = section.build()
    if not isinstance(source, TableSource):
        raise CommandLineError(f"{subject}: its data is {section.type}, not a table")
    return overview_of_source(source)


def _document(overview: "DataOverview") -> dict[str, Any]:
    """The overview as JSON values."""
    columns = [
        {**column._asdict(), "summary": None if column.summary is None else asdict(column.summary)}
        for column in overview.columns
    ]
    return {**overview._asdict(), "path": str(overview.path), "columns": columns}
