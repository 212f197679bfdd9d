"""Rows of files with their targets, for the evaluation of a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nncli.config.diagnostics import counted, shown
from nncli.data.array_data import ArrayData, NamedArray, RowFormat
from nncli.data.array_files import npz_names, read_npz
from nncli.data.array_pairs import COMMON_NAMES
from nncli.data.array_preprocessing import ArrayPreprocessing
from nncli.data.delimited.problems import Problems
from nncli.data.file_kind import file_kind
from nncli.data.images import list_images, read_images
from nncli.data.source import SourceError
from nncli.errors import CommandLineError
from nncli.inference.array_rows import RGB, in_shape, single_array
from nncli.inference.predictor import Predictor
from nncli.inference.table_rows import TableRows
from nncli.inference.table_targets import TableTargets
from nncli.nn.parameters import Array
from nncli.store.run_reader import Run


class LabeledTable(NamedTuple):
    """Rows of a table with their targets.

    Args:
        predictor: the network of the run.
        rows: the rows, with the texts of the target columns.
        targets: parses the targets.
    """

    predictor: Predictor
    rows: TableRows
    targets: TableTargets

    def predicted(self) -> tuple[Array, Array]:
        """The outputs of the network (N, M), and class labels (N,) or values (N, M).

        Raises:
            TableError: a row has no target; the first ones are listed with their lines.
        """
        problems = Problems(self.rows.file.name)
        outputs, targets = [], []
        for block in self.rows.blocks():
            outputs.append(self.predictor.predict_rows(block.rows))
            values, found = self.targets.read(block.texts)
            targets.append(values)
            for name, cells in found.items():
                problems.add_cells(name, cells, block.lines.__getitem__)
        if problems.count:
            raise problems.error()
        return np.concatenate(outputs), np.concatenate(targets)


class LabeledArrays(NamedTuple):
    """Rows of arrays or images with their targets.

    Args:
        predictor: the network of the run.
        data: the rows and the targets.
    """

    predictor: Predictor
    data: ArrayData

    def predicted(self) -> tuple[Array, Array]:
        """The outputs of the network (N, M), computed block by block, and class labels (N,) or values (N, M)."""
        rows = self.data.dataset.inputs
        outputs = [self.predictor.predict_rows(block) for block in rows.blocks()]  # type: ignore[attr-defined]
        return np.concatenate(outputs), self.data.targets


def labeled_arrays(run: Run, predictor: Predictor, files: Sequence[Path]) -> LabeledArrays:
    """The rows of an NPZ file, of a directory of images, or of two files with inputs and targets.

    Raises:
        CommandLineError: there are more than two files, or the file of the targets is missing.
        SourceError: a file is missing or damaged, or its rows or targets have another format than the training data.
    """
    preprocessing, names = predictor.preprocessing, predictor.class_names
    assert isinstance(preprocessing, ArrayPreprocessing)
    data = vars(run.record.spec.data)
    inputs, targets = _pair(files, preprocessing, data.get("names"))
    inputs = inputs._replace(values=in_shape(inputs.values, preprocessing))
    is_numbered = data.get("class_names") and not _are_names(targets.values, names)
    labels = [str(label) for label in range(len(names or ()))] if is_numbered else names
    form = RowFormat(preprocessing.shape, preprocessing.dtype, labels, names)
    arrays = ArrayData(inputs, targets, training=form)
    expected = len(predictor.targets)
    if names is None and arrays.targets.shape[1] != expected:
        found = counted(arrays.targets.shape[1], "column")
        raise targets.error(f"{found}, but the targets of the training data have {expected}")
    return LabeledArrays(predictor, arrays)


def _are_names(targets: Array, class_names: Sequence[str] | None) -> bool:
    """Whether all targets are texts that are class names."""
    return set(np.unique(targets).tolist()) <= set(class_names or ())


def _pair(
    files: Sequence[Path], preprocessing: ArrayPreprocessing, names: Sequence[str] | None
) -> tuple[NamedArray, NamedArray]:
    """Inputs and targets."""
    if len(files) > 2:
        raise CommandLineError(f"{len(files)} files; name one with inputs and targets, or one of each")
    if len(files) == 2:
        inputs, targets = map(_single, files)
        return inputs, targets
    (path,) = files
    if path.is_dir():
        return _images(path, preprocessing)
    kind = file_kind(path)
    if kind == "npz":
        return _arrays(path, names)
    if kind == "image":
        raise CommandLineError(f"{path}: an image has no class; name a directory with a subdirectory for each class")
    inputs = single_array(path)
    raise CommandLineError(f"{inputs.name}: has no targets; name their file, too: --data {path} --data TARGETS")


def _single(path: Path) -> NamedArray:
    if path.is_dir() or file_kind(path) in {"npz", "image"}:
        raise CommandLineError(f"{path}: inputs and targets of two files have to be NPY or IDX files")
    return single_array(path)


def _images(directory: Path, preprocessing: ArrayPreprocessing) -> tuple[NamedArray, NamedArray]:
    """The images of a directory, resized to the size of the training images, and the names of their classes."""
    shape, listed = preprocessing.shape, list_images(directory)
    if len(shape) not in {2, 3}:
        raise CommandLineError(f"{directory}: images, but the run was trained on rows of shape {shape}")
    pixels = read_images(listed.paths, (shape[0], shape[1]), grayscale=shape[2:] != (RGB,))
    labels = np.array(listed.classes)[listed.labels]
    name = str(directory)
    return NamedArray(pixels.reshape(len(pixels), *shape), name, "path"), NamedArray(labels, name, "path")


def _arrays(path: Path, names: Sequence[str] | None) -> tuple[NamedArray, NamedArray]:
    """The arrays of an NPZ file that have the names of the training data, else a common pair of names."""
    known = npz_names(path)
    pairs = [pair for pair in COMMON_NAMES if known.issuperset(pair)]
    if names and known.issuperset(names):
        pairs = [(names[0], names[1])]
    if len(pairs) != 1:
        listed = ", ".join(map(shown, sorted(known)[:20]))
        raise SourceError(f"{path}: its arrays are {listed}; save two of them alone, named inputs and targets")
    arrays = read_npz(path, pairs[0])
    inputs, targets = (NamedArray(arrays[name], f"{path}: {shown(name)}", "path") for name in pairs[0])
    return inputs, targets
