"""Arrays of NumPy: NPY and NPZ files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nncli.data.scaling_name import ScalingName
from nncli.data.sources.array_source import ArraySource, ClassNames
from nncli.registry import Bounds, register

if TYPE_CHECKING:
    from nncli.data.array_data import ArrayData


@register("arrays")
class ArraysSource(ArraySource):
    """Arrays of inputs (N, …) and of targets, in an NPZ file or in two NPY files.

        y = (x − c) / s

    Integer, boolean or text targets are class labels, one per row; real numbers (N,) or (N, M) are regression targets.
    An NPY file of inputs is memory-mapped: only the rows that are used are read.

    Args:
        path: an NPZ file with inputs and targets, or an NPY file of inputs; a relative path starts at the directory of
            the config.
        targets: an NPY file of targets.
        names: the names of inputs and targets in an NPZ file; by default those of the only common pair, such as inputs
            and targets, X and y, or x_train and y_train.
        scaling: standardize, min_max, symmetric (bytes to −1 … 1) or none, fitted to the training rows: each column
            separately, or all values alike if rows have several dimensions; default: symmetric for bytes, standardize
            for other numbers.
        class_names: the names of the classes 0, 1, …; by default each label is its own name.

    Source: NumPy Enhancement Proposal 1, the format of NPY and NPZ files.
    """

    def __init__(
        self,
        path: Annotated[Path, Bounds("data.npz")],
        targets: Path | None = None,
        names: Annotated[list[str], Bounds(["x_train", "y_train"], min_length=2, max_length=2)] | None = None,
        scaling: ScalingName | None = None,
        class_names: ClassNames | None = None,
    ) -> None:
        self.path, self.targets, self.names = path, targets, names
        self.scaling, self.class_names = scaling, class_names

    def read(self) -> "ArrayData":
        """Read the arrays."""
        from nncli.data.array_pairs import array_pair

        return array_pair(self.path, self.targets, self.names, self.class_names, self.training)
