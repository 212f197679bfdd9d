"""IDX files, the format of MNIST."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nncli.data.scaling_name import ScalingName
from nncli.data.sources.array_source import ArraySource, ClassNames
from nncli.registry import Bounds, register

if TYPE_CHECKING:
    from nncli.data.array_data import ArrayData


@register("idx")
class IdxSource(ArraySource):
    """Images and labels in two IDX files, as of MNIST and Fashion-MNIST, also compressed by gzip.

        y = (x − c) / s

    Bytes stay bytes in memory, and are scaled batch by batch.

    Args:
        images: the file of images (N, …); a relative path starts at the directory of the config.
        labels: the file of their labels (N,).
        scaling: standardize, min_max, symmetric (bytes to −1 … 1) or none, fitted to the training rows; symmetric
            for bytes, standardize for other numbers by default.
        class_names: the names of the classes 0, 1, …; by default each label is its own name.

    Source: LeCun, Cortes and Burges, the MNIST database of handwritten digits.
    """

    def __init__(
        self,
        images: Annotated[Path, Bounds("train-images-idx3-ubyte.gz")],
        labels: Annotated[Path, Bounds("train-labels-idx1-ubyte.gz")],
        scaling: ScalingName | None = None,
        class_names: ClassNames | None = None,
    ) -> None:
        self.images, self.labels, self.scaling, self.class_names = images, labels, scaling, class_names

    def read(self) -> "ArrayData":
        """Read both files."""
        from nncli.data.array_pairs import idx_pair

        return idx_pair(self.images, self.labels, self.class_names, self.training)
