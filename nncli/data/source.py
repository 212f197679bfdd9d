"""Data sources: where the rows of a data set come from."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import NDArray

from nncli.data.dataset import DataSchema, Dataset, Random
from nncli.errors import ConfigError
from nncli.registry import kind

if TYPE_CHECKING:
    from nncli.data.fitted_preprocessing import FittedPreprocessing


class SourceError(ConfigError):
    """A data source cannot be opened.

    Args:
        message: the reason, with a fix.
        key: the parameter of the source that causes the error; None if no single one does.
    """

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


class OtherKindError(SourceError):
    """A validation or test set has another kind of rows than the training set, so that it cannot be scaled like it."""

    def __init__(self) -> None:
        super().__init__("rows of another kind than those of data; use a part of data, or a source of the same type")


@kind("dataset")
class Source:
    """A source of rows: ``open`` returns its schema, then ``draw`` samples or reads the rows.

    ``is_read`` is true if the rows are read from files. Such a source has a preprocessing, and its runs predict other
    files of the same format.
    """

    is_read: ClassVar[bool] = False

    @property
    def is_random(self) -> bool:
        """Whether the rows are sampled from random numbers; a source that never samples has no ``seed``."""
        return hasattr(self, "seed")

    @property
    def is_read_by_batch(self) -> bool:
        """Whether only the inputs of the current batch are in memory."""
        return False

    @property
    def resident_bytes(self) -> int:
        """The size of the inputs that stay in memory as they were read; called after ``open``."""
        return 0

    def follow(self, data: "Source") -> None:
        """Use the row format of the section ``data`` for a validation or test set; called before ``open``.

        Args:
            data: the opened source of the section ``data``.

        Raises:
            SourceError: the rows of ``data`` are of another kind.
        """
        if self.is_read or data.is_read:
            raise OtherKindError

    def open(self) -> DataSchema:
        """Measure the schema; a source that reads a file reads it here.

        Raises:
            SourceError: the source cannot be opened.
        """
        raise NotImplementedError(f"{type(self).__name__} has no open")

    def draw(self, rng: Random) -> Dataset:
        """Return the rows, which are sampled from ``rng`` if the source is random; called after ``open``."""
        raise NotImplementedError(f"{type(self).__name__} has no draw")

    def class_weights(self, labels: NDArray[Any]) -> NDArray[Any] | None:
        """The weight (C,) of each class in the training loss, given the labels (N,) of the training rows.

        None if all classes count the same; called after ``open``.
        """
        return None

    def fit_preprocessing(self, training: Dataset, used: Collection[str] = ()) -> "FittedPreprocessing":
        """The preprocessing of a file source, fitted to training rows alone.

        Args:
            training: the training rows, as ``draw`` returned them.
            used: the columns that are not inputs, as splits use them.

        Raises:
            SourceError: a training row cannot be encoded.
        """
        raise NotImplementedError(f"{type(self).__name__} has no fit_preprocessing")

    def restore_preprocessing(self, state: Any) -> "FittedPreprocessing":
        """Restore the preprocessing from its state; the source need not be opened.

        Raises:
            ValueError: the state is damaged; the message names the key.
        """
        raise NotImplementedError(f"{type(self).__name__} has no restore_preprocessing")

    def shared_rows(self, other: "Source") -> int:
        """The number of rows that this source shares with one of the same type but other parameters.

        It is called only if both sample from the same random numbers, if any, to find data leakage between splits. A
        single row that all sources of a type contain, such as the origin, does not count.
        """
        return 0
