"""Images in a directory."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nncli.data.scaling_name import ScalingName
from nncli.data.sources.array_source import ArraySource
from nncli.registry import Bounds, Count, register

if TYPE_CHECKING:
    from nncli.data.array_data import ArrayData


@register("images")
class ImagesSource(ArraySource):
    """PNG and JPEG images in a directory with a subdirectory for each class; needs the extra ``images``.

        y = (x − c) / s

    They stay bytes in memory, and are scaled batch by batch.

    Args:
        path: the directory; a relative path starts at the directory of the config.
        size: height and width to which images are resized; by default they all have the same size.
        grayscale: whether images are converted to gray values; else to red, green and blue.
        scaling: standardize, min_max, symmetric (bytes to −1 … 1) or none, fitted to the training rows for all values
            alike; symmetric by default.

    Source: ISO/IEC 15948, on PNG; ITU-T T.81, on JPEG.
    """

    def __init__(
        self,
        path: Annotated[Path, Bounds("images")],
        size: Annotated[list[Count], Bounds([28, 28], min_length=2, max_length=2)] | None = None,
        grayscale: bool = False,
        scaling: ScalingName | None = None,
    ) -> None:
        self.path, self.size, self.grayscale, self.scaling = path, size, grayscale, scaling

    def read(self) -> "ArrayData":
        """Decode all images."""
        from nncli.data.array_pairs import image_directory

        height_and_width = (self.size[0], self.size[1]) if self.size else None
        return image_directory(self.path, height_and_width, self.grayscale, self.training)
