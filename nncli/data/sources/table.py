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

    All columns are inputs, except the target and those under ``ignore``, ``id`` and ``sample_weight``. The type of a
    column is inferred from all of its values, unless ``columns`` states it.

    Args:
        path: the file; a relative path starts at the directory of the config.
        target: the column to predict; a list for a regression with several outputs.
        columns: the types of columns, and how they are encoded.
        ignore: columns that are not used.
        id: a column that identifies the rows; it is not an input.
        missing_values: the texts of missing values, besides an empty field.
        encoding: the encoding of the text; UTF-8 by default.
        delimiter: the character between fields; by default the one of comma, semicolon, tab and bar that gives
            the same number of fields in all rows.
        header: the names of the columns of a file without a header.
        sample_weight: a column with the weight of each row in the loss, 0 or more; it is not an input.
        class_weights: the weight of each class in the training loss, by name (default: 1); or balanced, for weights in
            inverse proportion to the class frequencies.

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

    @property
    def resident_bytes(self) -> int:
        """The size of the values of all columns, unless they are in the cache."""
        return 0 if self.file.is_large else self.file.read.table.nbytes

    @cached_property
    def file(self) -> "TableFile":
        """The file, whose reader is imported with the first table."""
        from nncli.data.table_file import TableFile

        return TableFile(self.settings)

    def follow(self, data: Source) -> None:
        """Use the column types and the classes of another table, which must be opened.

        Raises:
            SourceError: the other source is not a table, or this one has different class weights.
        """
        if not isinstance(data, TableSource):
            raise OtherKindError
        if self.settings.class_weights not in (None, data.settings.class_weights):
            raise SourceError("only the training loss has class weights; write them under data", "class_weights")
        self.file.follow(data.file)

    def open(self) -> DataSchema:
        """Read the file, infer the types of its columns, and return the schema."""
        return self.file.open()

    def draw(self, rng: Random) -> Dataset:
        """All rows of the file; ``rng`` is not used. The inputs are a table, which preprocessing encodes."""
        return self.file.dataset()

    def class_weights(self, labels: NDArray[Any]) -> NDArray[Any] | None:
        """The weight (C,) of each class from the config, given the labels (N,) of the training rows."""
        return self.file.class_weights(labels)

    def fit_preprocessing(self, training: Dataset, used: Collection[str] = ()) -> "Preprocessing":
        """The columns, fitted to training rows."""
        from nncli.data.preprocessing import Preprocessing

        return Preprocessing.fit(training, self.file.inputs(used))

    def restore_preprocessing(self, state: Any) -> "Preprocessing":
        """Restore the fitted columns from their state."""
        from nncli.data.preprocessing import Preprocessing

        return Preprocessing.restore(self.settings.columns, state)
