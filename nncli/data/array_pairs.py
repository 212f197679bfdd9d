"""Reading of inputs and targets from NPZ, NPY and IDX files and from directories of images."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np

from nncli.config.diagnostics import shown
from nncli.data.array_data import ArrayData, NamedArray, RowFormat, errors_of
from nncli.data.array_files import NPY, npz_names, open_npy, read_npz
from nncli.data.idx import read_idx
from nncli.data.images import list_images, read_images
from nncli.data.source import SourceError

COMMON_NAMES = [
    ("inputs", "targets"),
    ("x", "y"),
    ("X", "y"),
    ("x_train", "y_train"),
    ("X_train", "y_train"),
    ("data", "target"),
    ("images", "labels"),
]


def array_pair(
    path: Path,
    targets: Path | None,
    names: Sequence[str] | None,
    class_names: Sequence[str] | None,
    training: RowFormat | None,
) -> ArrayData:
    """Read inputs and targets from an NPZ file or two NPY files; the arguments are those of the source.

    Raises:
        SourceError: a file is missing or damaged, or the choice of arrays is ambiguous.
    """
    if targets:
        if names:
            raise SourceError("targets is an NPY file, and names are of an NPZ file; write one of them", "names")
        if training and training.targets_name == str(targets):
            fix = "write a section of its own: {type: arrays, path: …, targets: …}"
            raise SourceError(f"{targets}: has the targets of the training data; {fix}")
        with errors_of("path"):
            inputs = NamedArray(open_npy(path), str(path), "path")
        with errors_of("targets"):
            return ArrayData(inputs, NamedArray(open_npy(targets), str(targets), "targets"), class_names, training)
    with errors_of("path"):
        chosen = _chosen(path, names)
        arrays = read_npz(path, chosen)
    key = "names" if names else "path"
    first, second = (NamedArray(arrays[name], f"{path}: {shown(name)}", key) for name in chosen)
    return ArrayData(first, second, class_names, training)


def idx_pair(images: Path, labels: Path, class_names: Sequence[str] | None, training: RowFormat | None) -> ArrayData:
    """Read inputs and targets from two IDX files; the arguments are those of the source.

    Raises:
        SourceError: a file is missing or damaged.
    """
    with errors_of("images"):
        inputs = NamedArray(read_idx(images), str(images), "images")
    with errors_of("labels"):
        return ArrayData(inputs, NamedArray(read_idx(labels), str(labels), "labels"), class_names, training)


def image_directory(path: Path, size: tuple[int, int] | None, grayscale: bool, training: RowFormat | None) -> ArrayData:
    """Read the images and labels of a directory; the arguments are those of the source.

    The size defaults to that of the training images.

    Raises:
        SourceError: the directory has other files than images in subdirectories, or an image is damaged.
        MissingExtraError: Pillow is not installed.
    """
    if training and size is None:
        height, width = training.shape[:2]
        size = height, width
    with errors_of("path"):
        listed = list_images(path)
        pixels = NamedArray(read_images(listed.paths, size, grayscale), str(path), "path")
        labels = NamedArray(np.array(listed.classes)[listed.labels], str(path), "path")
        return ArrayData(pixels, labels, training=training)


def _chosen(path: Path, names: Sequence[str] | None) -> tuple[str, str]:
    """The names of inputs and targets in an NPZ file.

    Raises:
        SourceError: there are no such arrays, or the choice is ambiguous.
    """
    if path.suffix.lower() == NPY:
        raise SourceError(f"{path}: an NPY file has only inputs; write targets: FILE.npy beside it", "targets")
    known = npz_names(path)
    if names:
        missing = [name for name in names if name not in known]
        if missing:
            raise SourceError(f"{path}: no array {shown(missing[0])}; its arrays are {_listed(known)}", "names")
        return names[0], names[1]
    pairs = [pair for pair in COMMON_NAMES if known.issuperset(pair)]
    if len(pairs) != 1:
        _fail_unclear(path, known)
    return pairs[0]


def _fail_unclear(path: Path, known: Collection[str]) -> NoReturn:
    raise SourceError(
        f"{path}: its arrays are {_listed(known)}; write names: [INPUTS, TARGETS] to say which ones are meant", "names"
    )


def _listed(names: Collection[str]) -> str:
    return ", ".join(map(shown, sorted(names)[:20])) or "none"
