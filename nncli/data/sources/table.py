"""Tables: rows of a file of delimited text, JSON lines or Parquet."""

from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from numpy.typing import NDArray

from nncli.data.dataset import DataSchema, Dataset, Random
from nncli.data.source import OtherKindError, Source, SourceError
from nncli.data.table_settings import TableSettings
from nncli.registry import Bounds, ComponentOf, Positive, register

if TYPE_CHECKING:
    from nncli.data.preprocessing import Preprocessing
    from nncli.data.table_file import TableFile

Names = Annotated[list[str], Bounds(min_length=1)]
WeightsByName = Annotated[dict[str, Positive], Bounds(min_length=1)]


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
        sample_weight: a column of numbers from 0 on, how much each row counts in the loss; it is no input.
        class_weights: how much the rows of each class count in the training loss, by name, 1 if a class is not named;
            or balanced, so that all classes count the same in total.

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
        sample_weight: str | None = None,
        class_weights: Literal["balanced"] | WeightsByName | None = None,
    ) -> None:
        targets = [target] if isinstance(target, str) else target
        form, weights = (missing_values, encoding, delimiter, header), (sample_weight, class_weights)
        self.settings = TableSettings(path, targets, columns or {}, ignore or [], id, *form, *weights)

    @property
    def is_read_by_batch(self) -> bool:
        """Whether the file is large, so that its rows are in the cache."""
        return self.file.is_large

    @cached_property
    def file(self) -> "TableFile":
        """The file, whose reader is imported with the first table."""
        from nncli.data.table_file import TableFile

        return TableFile(self.settings)

    def follow(self, data: Source) -> None:
        """Parse columns and classes as another table, which was opened.

        Raises:
            SourceError: the other is no table, or this one has class weights of its own.
        """
        if not isinstance(data, TableSource):
            raise OtherKindError
        if self.settings.class_weights not in (None, data.settings.class_weights):
            raise SourceError("only the training loss has class weights; write them under data", "class_weights")
        self.file.follow(data.file)

    def open(self) -> DataSchema:
        """Read the file, decide the types of its columns, and measure the schema."""
        return self.file.open()

    def draw(self, rng: Random) -> Dataset:
        """All rows of the file; ``rng`` is not used. The inputs are a table, which preprocessing encodes."""
        return self.file.dataset()

    def class_weights(self, labels: NDArray[Any]) -> NDArray[Any] | None:
        """The weight of each class, as the config says."""
        return self.file.class_weights(labels)

    def fit_preprocessing(self, training: Dataset, used: Collection[str] = ()) -> "Preprocessing":
        """The columns, fitted to training rows."""
        from nncli.data.preprocessing import Preprocessing

        return Preprocessing.fit(training, self.file.inputs(used))

    def restore_preprocessing(self, state: Any) -> "Preprocessing":
        """The columns that a state is of."""
        from nncli.data.preprocessing import Preprocessing

        return Preprocessing.restore(self.settings.columns, state)
