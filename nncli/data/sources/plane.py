"""The base of the toy data sets with classes: labeled points in the plane."""

from typing import Annotated

from nncli.data.dataset import DataSchema
from nncli.data.source import Source
from nncli.registry import Bounds

Samples = Annotated[int, Bounds(ge=1, le=1_000_000)]
Classes = Annotated[int, Bounds(ge=2, le=255)]  # class labels are stored as uint8


class PlaneSource(Source):
    """Points in the plane, the same number in each class.

    Args:
        samples: points per class.
    """

    samples: int
    classes: int = 2

    def open(self) -> DataSchema:
        """The schema: two coordinates, and the same number of samples in each class."""
        return DataSchema(
            features=["x", "y"],
            targets=["class"],
            class_names=[str(label) for label in range(self.classes)],
            class_counts=[self.samples] * self.classes,
        )
