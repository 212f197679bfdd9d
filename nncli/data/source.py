"""Data sources: where the rows of a data set come from."""

from nncli.data.dataset import Dataset, Random
from nncli.registry import kind


@kind("dataset")
class Source:
    """Where a data set comes from; its size is known before any row is drawn."""

    @property
    def rows(self) -> int:
        """N, the number of rows that ``draw`` gives."""
        return sum(self.class_counts)

    @property
    def class_counts(self) -> tuple[int, ...]:
        """The number of rows of each class; of all rows where there are no classes."""
        raise NotImplementedError(f"{type(self).__name__} has no class_counts")

    @property
    def columns(self) -> int:
        """D, the number of inputs in a row."""
        raise NotImplementedError(f"{type(self).__name__} has no columns")

    @property
    def classes(self) -> int | None:
        """C, the number of classes; None where a target is not a class but one number or several."""
        raise NotImplementedError(f"{type(self).__name__} has no classes")

    @property
    def target_columns(self) -> int:
        """M, how many numbers the target of a row has; a class is one."""
        return 1

    def shared_rows(self, other: "Source") -> int:
        """How many of the rows another source has too: one of the same type, drawn from the same seed if any.

        A single row that all sources of a type have, such as the origin, is not counted.
        """
        return self.rows if vars(self) == vars(other) else 0

    def draw(self, rng: Random) -> Dataset:
        """The rows, from this stream where the set is a random one."""
        raise NotImplementedError(f"{type(self).__name__} has no draw")
