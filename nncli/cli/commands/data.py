"""``nncli data``: summarize a data file, and list what may be wrong."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nncli.cli.options import examples, json_option
from nncli.cli.output import print_json
from nncli.errors import CommandLineError

if TYPE_CHECKING:
    from nncli.analysis.array_overview import ArraysOverview
    from nncli.analysis.data_overview import DataOverview

ARRAYS = {"npy", "npz", "idx", "image"}  # kinds of files


@click.command(epilog=examples("nncli data iris.csv", "nncli data iris.csv --target species", "nncli data iris.yaml"))
@click.argument(
    "subject",
    type=click.Path(path_type=Path),
    metavar="FILE|CONFIG",
    help="Table; NPY, NPZ or IDX file; directory of images; or config with one.",
)
@click.option("--target", help="Column of a table to predict; a config names its own.")
@json_option
def data(subject: Path, target: str | None, as_json: bool) -> None:
    """Summarize a data file, and list what may be wrong.

    The summary of a table has the type and the values of each column; that of arrays and images has shape, dtype and
    values. Both have the rows of each class.
    """
    from nncli.analysis.data_overview import DataOverview
    from nncli.cli.reading import reading_shown
    from nncli.cli.render.data import show_arrays, show_data

    with reading_shown(is_silent=as_json):
        overview = _overview(subject, target)
    if as_json:
        print_json(_document(overview))
    elif isinstance(overview, DataOverview):
        show_data(overview)
    else:
        show_arrays(overview)


def _overview(subject: Path, target: str | None) -> "DataOverview | ArraysOverview":
    from nncli.analysis.data_overview import overview_of_file

    if subject.suffix in {".yaml", ".yml"}:
        if target is not None:
            raise CommandLineError(f"{subject}: names the target itself; --target is for a table")
        return _overview_of_config(subject)
    if not _has_arrays(subject):
        return overview_of_file(subject, target)
    from nncli.analysis.array_overview import overview_of_arrays

    if target is not None:
        raise CommandLineError(f"{subject}: is not a table; remove --target")
    return overview_of_arrays(subject)


def _overview_of_config(path: Path) -> "DataOverview | ArraysOverview":
    from nncli.data.sources.array_source import ArraySource
    from nncli.data.sources.table import TableSource
    from nncli.experiment.loading import load

    loaded = load(path)
    source = loaded.plan.sources["data"]
    if isinstance(source, ArraySource):
        from nncli.analysis.array_overview import overview_of_plan

        return overview_of_plan(source, loaded.plan)
    if isinstance(source, TableSource):
        from nncli.analysis.data_overview import overview_of_source

        return overview_of_source(source)
    raise CommandLineError(f"{path}: its data is {loaded.config.data.type}, which is not read from a file")


def _has_arrays(path: Path) -> bool:
    """Whether a file has arrays or an image, or is a directory, and so is not a table."""
    if not path.is_file():
        return path.is_dir()
    from nncli.data.file_kind import file_kind

    return file_kind(path) in ARRAYS


def _document(overview: "DataOverview | ArraysOverview") -> dict[str, Any]:
    """The overview as JSON values."""
    from nncli.analysis.data_overview import DataOverview

    document = {**overview._asdict(), "path": str(overview.path)}
    if not isinstance(overview, DataOverview):
        return {**document, "columns": [], "arrays": [array._asdict() for array in overview.arrays]}
    columns = [
        {**column._asdict(), "summary": None if column.summary is None else asdict(column.summary)}
        for column in overview.columns
    ]
    return {**document, "columns": columns}
