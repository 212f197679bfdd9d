"""Images, PNG or JPEG, read by Pillow: single ones, and directories with a subdirectory for each class."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nncli.config.diagnostics import sanitized_line
from nncli.data.binary_files import damage_errors, open_file, require_memory
from nncli.data.source import SourceError
from nncli.errors import MissingExtraError, StorageError

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

FORMATS = ("PNG", "JPEG")
SUFFIXES = {".png", ".jpg", ".jpeg"}  # in any case
FIX = "save it again as PNG or JPEG, or leave it out"
ORIENTATION = 0x0112  # the tag in EXIF data
MOST_REPORTED = 20  # problems of a directory


class ImageList(NamedTuple):
    """The images of a directory.

    Args:
        classes: the names of the subdirectories, sorted: the names of the classes 0, 1, ...
        paths: the paths of the N images, one class after another, sorted by name.
        labels: the class labels (N,).
    """

    classes: list[str]
    paths: list[Path]
    labels: NDArray[Any]


def list_images(directory: Path) -> ImageList:
    """The images in the subdirectories of a directory, each of which is a class; no image is opened.

    Names that begin with a dot are ignored.

    Raises:
        SourceError: there are fewer than two subdirectories, one has no image, or there is anything else; the message
            has up to twenty problems.
        StorageError: the operating system refuses to read a directory.
    """
    try:
        entries = _entries(directory)
        files = {path.name: _images(path) for path in entries if path.is_dir()}
    except (FileNotFoundError, NotADirectoryError):
        raise SourceError(f"{directory}: no such directory") from None
    except OSError as error:
        raise StorageError(f"{error.filename or directory}: {error.strerror or error}") from error
    misplaced = [f"{path}: a file beside the directories of the classes" for path in entries if path.name not in files]
    problems = misplaced + [problem for _, found in files.values() for problem in found]
    if len(files) < 2:
        problems.append(f"{directory}: {len(files)} subdirectories, expected two or more, one for each class")
    if problems:
        raise SourceError(_summary(problems))
    images = [paths for paths, _ in files.values()]
    labels = np.repeat(np.arange(len(images)), [len(paths) for paths in images])
    return ImageList(list(files), [path for paths in images for path in paths], labels)


def _images(directory: Path) -> tuple[list[Path], list[str]]:
    """The images of a class, and what is wrong with its directory."""
    paths, problems = list[Path](), list[str]()
    if not directory.name.isprintable():
        problems.append(f"{directory.parent}: the class {directory.name!a} has a name that is not printable")
    for path in _entries(directory):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            paths.append(path)
        elif path.is_dir():
            problems.append(f"{path}: a directory in that of a class; move its images up")
        else:
            problems.append(f"{path}: not a file with the name of a PNG or JPEG image; remove or convert it")
    if not paths:
        problems.append(f"{directory}: the class has no images; add some, or remove the directory")
    return paths, problems


def _entries(directory: Path) -> list[Path]:
    """The entries of a directory by name, without those that begin with a dot."""
    return sorted(path for path in directory.iterdir() if not path.name.startswith("."))


def _summary(problems: Sequence[str]) -> str:
    """The first problems, one per line, and the number of the others."""
    lines = [sanitized_line(problem) for problem in problems[:MOST_REPORTED]]
    further = len(problems) - len(lines)
    return "\n".join([*lines, f"and {further:,} more problems"] if further else lines)


def read_images(paths: Sequence[Path], size: tuple[int, int] | None, grayscale: bool) -> NDArray[Any]:
    """The pixels of one or more images, uint8 (N, H, W) or (N, H, W, 3); the arguments are those of ``read_image``.

    Raises:
        SourceError: without ``size``, two images have different sizes; or as ``read_image``.
        StorageError, MissingExtraError: as ``read_image``.
    """
    first = read_image(paths[0], size, grayscale)
    require_memory(f"{len(paths):,} images of the size of {paths[0]}", len(paths) * first.nbytes)
    pixels = np.empty((len(paths), *first.shape), np.uint8)
    for index, path in enumerate(paths):
        image = read_image(path, size, grayscale)
        if image.shape != first.shape:
            sizes = [
                f"{name} has {each.shape[0]} × {each.shape[1]}" for name, each in ((paths[0], first), (path, image))
            ]
            raise SourceError(f"images of different sizes: {' and '.join(sizes)} pixels (height × width); set size")
        pixels[index] = image
    return pixels


def read_image(path: Path, size: tuple[int, int] | None, grayscale: bool, invert: bool = False) -> NDArray[Any]:
    """The pixels of an image, uint8: gray values (H, W), or red, green and blue (H, W, 3).

        gray = 0.299 R + 0.587 G + 0.114 B,   inverted = 255 − x

    An image is read as it is displayed: rotated as its EXIF data say, and on white where it is transparent. Of 16
    bits the upper 8 are read, and of several images in a JPEG file the first.

    Args:
        path: a file whose content, whatever its name, is a PNG or JPEG image.
        size: H and W, to which the image is resized, whatever its proportions, with bilinear interpolation over all
            pixels; None for the size of the image.
        grayscale: whether the result is gray.
        invert: whether light and dark are exchanged, as for a photo of something dark on white.

    Raises:
        SourceError: the file is missing, damaged, animated, or has more pixels than Pillow allows.
        StorageError: the operating system refuses to read it.
        MissingExtraError: Pillow is not installed.
    """
    image = _opaque(path, _decoded(path)).convert("L" if grayscale else "RGB")
    if size and size != (image.height, image.width):
        height, width = size
        image = image.resize((width, height), _pillow().Resampling.BILINEAR)
    pixels = np.array(image)
    return 255 - pixels if invert else pixels


def _pillow() -> Any:
    """Pillow's module of images."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("images", "images") from None
    return Image


def _decoded(path: Path) -> "PillowImage":
    """An image, loaded and rotated."""
    pillow = _pillow()
    from PIL import ImageOps

    with open_file(path) as (file, _), damage_errors(str(path), "a damaged image", fix=FIX), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about EXIF data, for example, which concern nobody here
        warnings.simplefilter("error", pillow.DecompressionBombWarning)
        try:
            image = pillow.open(file, formats=FORMATS)
        except pillow.UnidentifiedImageError:
            raise SourceError(f"{path}: not a PNG or JPEG image, or its start is damaged; {FIX}") from None
        except (pillow.DecompressionBombError, pillow.DecompressionBombWarning) as error:
            raise SourceError(f"{path}: too large; {error}") from None
        if image.format == "PNG" and image.n_frames > 1:
            raise SourceError(f"{path}: an animation of {image.n_frames} images, expected one")
        image.load()
        rotated: PillowImage = ImageOps.exif_transpose(image) if _has_orientation(image) else image
        return rotated


def _has_orientation(image: "PillowImage") -> bool:
    """Whether the EXIF data say how to rotate the image; damaged ones say nothing."""
    try:
        return ORIENTATION in image.getexif()
    except Exception:  # it is not documented what Pillow raises for damaged EXIF data
        return False


def _opaque(path: Path, image: "PillowImage") -> "PillowImage":
    """An image of 8 bits, on white where it is transparent."""
    pillow = _pillow()
    if image.mode.startswith("I"):  # 16 bits
        if image.has_transparency_data:
            raise SourceError(f"{path}: 16 bits per pixel and a transparent color; save it with 8 bits")
        image = pillow.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        image = pillow.alpha_composite(pillow.new("RGBA", image.size, "white"), image)
    return image
