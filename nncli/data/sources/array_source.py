"""Base class of sources of arrays: rows of numbers from files, scaled batch by batch."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias

import numpy as np

from nncli.data.dataset import DataSchema, Dataset, Random
from nncli.data.scaling_name import ScalingName
from nncli.data.source import OtherKindError, Source
from nncli.registry import Bounds

if TYPE_CHECKING:
    from nncli.data.array_data import ArrayData, RowFormat
    from nncli.data.array_preprocessing import ArrayPreprocessing

ClassNames: TypeAlias = Annotated[list[str], Bounds(["cat", "dog"], min_length=2)]


class ArraySource(Source):
    """Rows of numbers that keep the dtype of the file, and are scaled batch by batch.

    ``data`` has the arrays after ``open``; ``training`` is the row format of the training set, if this is another set.
    """

    is_read: ClassVar[bool] = True
    scaling: ScalingName | None = None
    data: "ArrayData"
    training: "RowFormat | None" = None

    @property
    def is_read_by_batch(self) -> bool:
        """True: rows are scaled batch by batch."""
        return True

    @property
    def resident_bytes(self) -> int:
        """The size of the inputs, unless they are mapped from a file."""
        inputs = self.data.inputs.values
        return 0 if isinstance(inputs.base, np.memmap) else inputs.nbytes

    def read(self) -> "ArrayData":
        """Read the arrays.

        Raises:
            SourceError: a file is missing or damaged, or the arrays have different numbers of rows.
        """
        raise NotImplementedError(f"{type(self).__name__} has no read")

    def follow(self, data: Source) -> None:
        """Use the row format and the classes of another source of arrays, which must be opened."""
        if not isinstance(data, ArraySource):
            raise OtherKindError
        self.training = data.data.row_format

    def open(self) -> DataSchema:
        """Read the arrays, and measure the schema."""
        self.data = self.read()
        return self.data.schema

    def draw(self, rng: Random) -> Dataset:
        """All rows, unscaled; ``rng`` is not used."""
        return self.data.dataset

    def fit_preprocessing(self, training: Dataset, used: Collection[str] = ()) -> "ArrayPreprocessing":
        """The scaling, fitted to training rows."""
        from nncli.data.array_preprocessing import ArrayPreprocessing

        return ArrayPreprocessing.fit(training, self.scaling)

    def restore_preprocessing(self, state: Any) -> "ArrayPreprocessing":
        """Restore the scaling from its state."""
        from nncli.data.array_preprocessing import ArrayPreprocessing

        return ArrayPreprocessing.restore(state)
