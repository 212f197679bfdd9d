"""Tables: rows of a CSV or TSV file."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from nncli.data.dataset import DataSchema, Dataset, Random
from nncli.data.source import Source
from nncli.data.table_settings import TableSettings
from nncli.registry import Bounds, ComponentOf, register

if TYPE_CHECKING:
    from nncli.data.table_file import TableFile

Names = Annotated[list[str], Bounds(min_length=1)]


@register("table")
class TableSource(Source):
    """Rows of a CSV or TSV file with a header, also compressed by gzip.

    Each column but the target, and those that are named for another use, is an input. The type of a column is decided
    by all of its values, unless ``columns`` says it.

    Args:
        path: the file; a relative path starts at the directory of the config.
        target: the column to predict; several ones for a regression with several outputs.
        columns: the type of single columns, and how they are encoded.
        ignore: columns that are not used.
        id: a column that names the rows; it is no input.
        missing_values: texts that stand for a missing value, besides an empty field.
        encoding: the encoding of the text; UTF-8 by default.
        delimiter: the character between fields; by default the one of comma, semicolon, tab and bar that fits all rows.
        header: the names of the columns of a file without a header.

    Source: RFC 4180, on CSV files.
    """

    is_read = True

    def __init__(
        self,
        path: Annotated[Path, Bounds("data.csv")],
        target: Annotated[str, Bounds("target")] | Names,
        columns: dict[str, Annotated[Any, ComponentOf("column")]] | None = None,
        ignore: list[str] | None = None,
        id: str | None = None,  # noqa: A002 (the key of the config)
        missing_values: list[str] | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        header: Names | None = None,
    ) -> None:
        targets = [target] if isinstance(target, str) else target
        form = (missing_values, encoding, delimiter, header)
        self.settings = TableSettings(path, targets, columns or {}, ignore or [], id, *form)

    @cached_property
    def file(self) -> "TableFile":
        """The file, whose reader is imported with the first table."""
        from nncli.data.table_file import TableFile

        return TableFile(self.settings)

    def follow(self, data: Source) -> None:
        """Parse columns and classes as another table, which was opened."""
        if isinstance(data, TableSource):
            self.file.follow(data.file)

    def open(self) -> DataSchema:
        """Read the file, decide the types of its columns, and measure the schema."""
        return self.file.open()

    def draw(self, rng: Random) -> Dataset:
        """All rows of the file; ``rng`` is not used. The inputs are a table, which preprocessing encodes."""
        return self.file.dataset()
