"""Rows of array files and images for predictions, block by block."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nncli.config.diagnostics import shown
from nncli.data.array_data import NUMBERS, NamedArray, require_finite, require_row_format
from nncli.data.array_files import npz_names, open_npy, read_npz
from nncli.data.array_pairs import COMMON_NAMES
from nncli.data.array_preprocessing import BYTES, ArrayPreprocessing
from nncli.data.file_kind import file_kind
from nncli.data.idx import read_idx
from nncli.data.images import FIX, SUFFIXES, read_image
from nncli.data.source import SourceError
from nncli.errors import CommandLineError
from nncli.inference.row_block import RowBlock
from nncli.nn.parameters import Array

BLOCK_ROWS = 4096
BLOCK_IMAGES = 64
RGB = 3


class ArrayRows:
    """The rows of an NPY, NPZ or IDX file, in the shape of the training rows or flattened.

    Args:
        path: the file.
        preprocessing: the preprocessing of the run.
        names: the names of inputs and targets in the NPZ file of the training data; None if there are none.
    """

    ids: Sequence[str] = ()

    def __init__(self, path: Path, preprocessing: ArrayPreprocessing, names: Sequence[str] | None = None) -> None:
        array = _array(path, names)
        values, shape = array.values, preprocessing.shape
        if values.dtype.kind not in NUMBERS:
            raise array.error(f"an array of {values.dtype}, expected numbers")
        if values.shape == shape:
            raise array.error(f"shape {shape}, which is a single row; save array[None]")
        self._array = array._replace(values=in_shape(values, preprocessing))
        require_row_format(self._array, shape, preprocessing.dtype)

    def blocks(self) -> Iterator[RowBlock]:
        """The rows in blocks of BLOCK_ROWS.

        Raises:
            SourceError: a value is not finite.
        """
        for start in range(0, len(self._array.values), BLOCK_ROWS):
            block = self._array._replace(values=self._array.values[start : start + BLOCK_ROWS])
            require_finite(block, start)
            yield RowBlock(block.values, {}, start)


class ImageRows:
    """Images as rows, resized to the size of the training images.

    Args:
        paths: PNG and JPEG files.
        preprocessing: the preprocessing of the run.
        invert: whether light and dark are exchanged.

    Raises:
        CommandLineError: the run was not trained on images.
    """

    ids: Sequence[str] = ("file",)

    def __init__(self, paths: Sequence[Path], preprocessing: ArrayPreprocessing, invert: bool = False) -> None:
        shape = preprocessing.shape
        if preprocessing.dtype != BYTES or len(shape) not in {2, 3} or shape[2:] not in {(), (1,), (RGB,)}:
            trained = f"rows of shape {shape} and dtype {preprocessing.dtype}"
            raise CommandLineError(f"{paths[0]}: an image, but the run was trained on {trained}; save it as NPY file")
        self._paths, self._invert = paths, invert
        self._shape, self._grayscale = shape, shape[2:] != (RGB,)

    def blocks(self) -> Iterator[RowBlock]:
        """The images in blocks of BLOCK_IMAGES.

        Raises:
            SourceError: an image is damaged.
        """
        for start in range(0, len(self._paths), BLOCK_IMAGES):
            paths = self._paths[start : start + BLOCK_IMAGES]
            pixels = np.stack([self._read(path) for path in paths])
            yield RowBlock(pixels, {"file": [str(path) for path in paths]}, start)

    def _read(self, path: Path) -> Array:
        pixels = read_image(path, (self._shape[0], self._shape[1]), self._grayscale, self._invert)
        return pixels.reshape(self._shape)


def open_rows(
    files: Sequence[Path], preprocessing: ArrayPreprocessing, names: Sequence[str] | None, invert: bool
) -> ArrayRows | ImageRows:
    """Open an array file, images, or directories of images.

    Raises:
        CommandLineError: of several files one is not an image, or ``invert`` is set for another file than an image.
        SourceError: a file is missing or damaged, or its rows have another format than the training rows.
    """
    paths = [path for file in files for path in (_images(file) if file.is_dir() else [file])]
    others = [path for path in paths if not _is_image(path)]
    if not others:
        return ImageRows(paths, preprocessing, invert)
    if len(others) < len(paths):
        raise SourceError(f"{others[0]}: not a PNG or JPEG image, or its start is damaged, unlike other files; {FIX}")
    if len(paths) > 1:
        raise CommandLineError(f"{others[0]}: several files have to be images; predict other files one by one")
    if invert:
        raise CommandLineError(f"{others[0]}: --invert is for images")
    return ArrayRows(others[0], preprocessing, names)


def _images(directory: Path) -> list[Path]:
    """The images in a directory and below, by name.

    Raises:
        SourceError: there are none.
    """
    found = sorted(path for path in directory.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise SourceError(f"{directory}: has no PNG or JPEG images")
    return found


def in_shape(rows: Array, preprocessing: ArrayPreprocessing) -> Array:
    """Reshape flattened rows to the shape of the training rows; other rows are returned unchanged."""
    return rows.reshape(len(rows), *preprocessing.shape) if rows.shape[1:] == (preprocessing.size,) else rows


def _is_image(path: Path) -> bool:
    return file_kind(path) == "image"


def _array(path: Path, names: Sequence[str] | None) -> NamedArray:
    """The inputs in a file.

    Raises:
        SourceError: the file is damaged, or has no inputs.
    """
    if file_kind(path) == "npz":
        name = _inputs_name(path, names)
        return NamedArray(read_npz(path, [name])[name], f"{path}: {shown(name)}", "path")
    return single_array(path)


def single_array(path: Path) -> NamedArray:
    """The array of an NPY or IDX file.

    Raises:
        SourceError: the file is damaged, or has another format.
    """
    kind = file_kind(path)
    if kind == "npy":
        return NamedArray(open_npy(path), str(path), "path")
    if kind in {"idx", "gzip"}:
        return NamedArray(read_idx(path), str(path), "path")
    raise SourceError(f"{path}: not an NPY, NPZ, IDX, PNG or JPEG file")


def _inputs_name(path: Path, names: Sequence[str] | None) -> str:
    """The name of the inputs in an NPZ file: that of the training data, a common one, or that of its only array.

    Raises:
        SourceError: no array has such a name, or the choice is ambiguous.
    """
    known = npz_names(path)
    candidates: list[Any] = [*(names or ())[:1], *dict.fromkeys(first for first, _ in COMMON_NAMES)]
    found = [name for name in candidates if name in known] or (list(known) if len(known) == 1 else [])
    if not found or (len(found) > 1 and not (names and found[0] == names[0])):
        listed = ", ".join(map(shown, sorted(known)[:20]))
        raise SourceError(f"{path}: its arrays are {listed}; save the inputs alone, or name them inputs")
    return str(found[0])
