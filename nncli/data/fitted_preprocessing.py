"""Base class of preprocessing: from the rows of a source to network inputs, fitted to training rows only."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nncli.data.dataset import DataSchema, Dataset

if TYPE_CHECKING:
    from nncli.data.target_scaling import TargetScaling


class FittedPreprocessing:
    """Turns rows into inputs (N, D), by statistics of the training rows.

    ``columns`` are the fitted columns of a table by name; ``scaling`` is that of real-valued targets, None for class
    labels; ``class_counts`` is the number of training rows of each class, None for regression.
    """

    columns: Mapping[str, Any] = MappingProxyType({})

    scaling: "TargetScaling | None" = None
    class_counts: Sequence[int] | None = None

    def inputs(self, rows: Any, dtype: str) -> Any:
        """The inputs (N, D) of rows of a source; an array, or ``ScaledRows``, which are computed lazily.

        Raises:
            SourceError: a row cannot be encoded.
        """
        raise NotImplementedError(f"{type(self).__name__} has no inputs")

    def encode(self, dataset: Dataset, dtype: str) -> Dataset:
        """The data set with inputs (N, D).

        Raises:
            SourceError: a row cannot be encoded.
        """
        return replace(dataset, inputs=self.inputs(dataset.inputs, dtype), scaling=self.scaling)

    def encoded_schema(self, schema: DataSchema) -> DataSchema:
        """The schema of the encoded data set."""
        return schema

    def state(self) -> dict[str, Any]:
        """The fitted state as JSON values."""
        raise NotImplementedError(f"{type(self).__name__} has no state")
