"""Summaries of array files and directories of images: shapes, values, classes, and warnings."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from nncli.analysis.data_overview import equal_to_earlier
from nncli.config.diagnostics import counted
from nncli.data.array_data import REALS, feature_names
from nncli.data.array_files import npz_names, open_npy, read_npz
from nncli.data.array_pairs import COMMON_NAMES
from nncli.data.array_preprocessing import BYTES
from nncli.data.file_kind import file_kind
from nncli.data.idx import read_idx
from nncli.data.images import ImageList, list_images, read_image
from nncli.data.lazy_rows import RawRows, row_hashes
from nncli.data.source import SourceError
from nncli.data.sources.array_source import ArraySource
from nncli.data.table_warnings import equal_rows
from nncli.data.transforms.moments import mean
from nncli.experiment.data_plan import DataPlan
from nncli.nn.parameters import Array

TEXTS = "US"  # kinds of dtypes
MAX_NAMED = 20
MAX_CLASS_FRACTION = 0.5  # of the rows; integers with more different values are not labels


class ArrayOverview(NamedTuple):
    """The summary of an array.

    Args:
        name: its name.
        shape: its shape.
        dtype: its dtype.
        rows_with_missing: the number of rows with a value that is NaN.
        smallest: the smallest finite value; None for text.
        mean: the mean of all finite values.
        largest: the largest finite value.
        classes: the number of rows of each label; None if the array has no labels.
    """

    name: str
    shape: list[int]
    dtype: str
    rows_with_missing: int = 0
    smallest: float | None = None
    mean: float | None = None
    largest: float | None = None
    classes: dict[str, int] | None = None


class ArraysOverview(NamedTuple):
    """The summary of an array file, of a config with arrays, or of a directory of images.

    Args:
        path: the file or directory.
        rows: the number of rows of the largest array.
        arrays: the arrays.
        classes: the number of rows of each class; None if there is not exactly one array of labels.
        splits: the number of rows of each split of a config; None for a file.
        warnings: what may be wrong.
    """

    path: Path
    rows: int
    arrays: list[ArrayOverview]
    classes: dict[str, int] | None
    splits: dict[str, int] | None
    warnings: list[str]


class ArraySummary(NamedTuple):
    """The summary of an array, and the hashes of its rows.

    Args:
        overview: the summary.
        hashes: a hash of each row (N,), equal for equal rows; none for text and labels.
        warnings: what may be wrong.
    """

    overview: ArrayOverview
    hashes: Array
    warnings: list[str]

    @classmethod
    def of(cls, name: str, values: Array) -> Self:
        """Read an array in blocks of about one mebibyte, so that a memory-mapped array may exceed the memory."""
        values = np.atleast_1d(values)
        classes = _classes(values)
        overview = ArrayOverview(name, list(values.shape), str(values.dtype), classes=classes)
        if values.dtype.kind in TEXTS or not values.size:
            return cls(overview, np.empty(0, np.int64), [])
        measures, hashes = RunningStatistics(), []
        for block in RawRows(values).blocks():
            measures.add(block)
            hashes.append(row_hashes(block) if values.ndim > 1 else np.empty(0, np.int64))
        warnings = list(_warnings(name, values, measures))
        return cls(measures.completed(overview), np.concatenate(hashes), warnings)


class RunningStatistics:
    """Statistics of all values, accumulated over blocks in constant memory."""

    def __init__(self) -> None:
        self.count = self.rows_with_missing = self.infinite = 0
        self.mean = 0.0
        self.smallest: Array = np.array(np.inf)  # of each column
        self.largest: Array = np.array(-np.inf)

    def add(self, block: Array) -> None:
        """Add rows (B, D)."""
        known = np.isfinite(block)
        if not known.all():
            is_missing = np.isnan(block)
            self.rows_with_missing += int(np.count_nonzero(is_missing.any(axis=1)))
            self.infinite += int(np.count_nonzero(~known & ~is_missing))
        values = block[known].astype(np.float64)
        if not len(values):
            return
        self.count += len(values)
        self.mean += (mean(values) - self.mean) * (len(values) / self.count)
        reals = block.astype(np.float64)
        self.smallest = np.minimum(self.smallest, np.where(known, reals, np.inf).min(axis=0))
        self.largest = np.maximum(self.largest, np.where(known, reals, -np.inf).max(axis=0))

    def completed(self, overview: ArrayOverview) -> ArrayOverview:
        """The overview with the statistics."""
        found = overview._replace(rows_with_missing=self.rows_with_missing)
        if not self.count:
            return found
        smallest, largest = float(self.smallest.min()), float(self.largest.max())
        return found._replace(smallest=smallest, mean=self.mean, largest=largest)


def overview_of_arrays(path: Path) -> ArraysOverview:
    """Summarize an NPY, NPZ or IDX file, or a directory of images.

    Raises:
        SourceError: it is missing or damaged.
    """
    if path.is_dir():
        return _overview_of_images(path)
    kind = file_kind(path)
    if kind == "image":
        raise SourceError(f"{path}: an image; name a directory with a subdirectory for each class")
    if kind == "npz":
        measured = [ArraySummary.of(name, read_npz(path, [name])[name]) for name in sorted(npz_names(path))]
        measured.sort(key=lambda each: -each.overview.shape[0])  # messages name the larger array first
    else:
        measured = [ArraySummary.of(path.name, open_npy(path) if kind == "npy" else read_idx(path))]
    shapes = {each.overview.name: each.overview.shape for each in measured}
    return _overview(path, measured, [*_unequal_pairs(shapes), *_shared_rows(measured)])


def overview_of_plan(source: ArraySource, plan: DataPlan) -> ArraysOverview:
    """Summarize the arrays of a config, and compare its splits."""
    data, splits = source.data, plan.splits or {}
    measured = [ArraySummary.of("inputs", data.inputs.values), ArraySummary.of("targets", data.targets)]
    overview = _overview(Path(data.inputs.name.partition(": ")[0]), measured, plan.warnings)
    schema, sizes = data.schema, {name: len(each) for name, each in splits.items()}
    names = schema.class_names
    classes = None if names is None else dict(zip(names, schema.class_counts, strict=True))
    labels = measured[1].overview._replace(classes=classes)
    return overview._replace(arrays=[measured[0].overview, labels], classes=classes, splits=sizes)


def _overview(path: Path, measured: list[ArraySummary], further: Iterable[str]) -> ArraysOverview:
    arrays = [each.overview for each in measured]
    labels = [each.classes for each in arrays if each.classes is not None]
    own = [text for each in measured for text in each.warnings]
    repeated = [text for each in measured for text in _repeated(each, is_alone=len(measured) == 1)]
    warnings = [*own, *repeated, *further]
    return ArraysOverview(path, arrays[0].shape[0], arrays, labels[0] if len(labels) == 1 else None, None, warnings)


def _repeated(measured: ArraySummary, is_alone: bool) -> Iterator[str]:
    prefix = "" if is_alone else f"{measured.overview.name}: "
    return (prefix + text for text in equal_to_earlier(measured.hashes))


def _classes(values: Array) -> dict[str, int] | None:
    """The number of rows of each label of an array (N,) or (N, 1); None if it has no labels."""
    if values.dtype.kind in REALS or values.size != len(values):
        return None
    labels, counts = np.unique(values, return_counts=True)
    if len(labels) > MAX_CLASS_FRACTION * len(values):
        return None
    return dict(zip(map(str, labels.tolist()), counts.tolist(), strict=True))


def _warnings(name: str, values: Array, measures: RunningStatistics) -> Iterator[str]:
    """Values that are not finite, and columns that do not vary."""
    if measures.rows_with_missing:
        yield f"{name}: {counted(measures.rows_with_missing, 'row')} with missing values (NaN); remove or replace them"
    if measures.infinite:
        yield f"{name}: {counted(measures.infinite, 'value')} infinite; remove or replace these rows"
    if values.ndim == 2 and values.dtype != BYTES and len(values) > 1:
        constant = np.flatnonzero(measures.smallest == measures.largest).tolist()
        if constant:
            names = feature_names(values.shape[1:])
            more = f" and {len(constant) - MAX_NAMED:,} more" if len(constant) > MAX_NAMED else ""
            yield f"{name}: always the same value: {', '.join(names[i] for i in constant[:MAX_NAMED])}{more}"


def _unequal_pairs(shapes: Mapping[str, list[int]]) -> Iterator[str]:
    """Inputs and targets with different numbers of rows."""
    for inputs, targets in COMMON_NAMES:
        if inputs in shapes and targets in shapes and shapes[inputs][:1] != shapes[targets][:1]:
            yield f"{inputs} has {counted(shapes[inputs][0], 'row')}, but {targets} {shapes[targets][0]:,}"


def _shared_rows(measured: list[ArraySummary]) -> Iterator[str]:
    """Equal rows of two arrays with the same row shape and dtype."""
    forms: dict[tuple[str, tuple[int, ...]], dict[str, Array]] = {}
    for each in measured:
        if len(each.hashes):
            form = each.overview.dtype, tuple(each.overview.shape[1:])
            forms.setdefault(form, {})[each.overview.name] = each.hashes
    for hashes in forms.values():
        yield from equal_rows(hashes)


def _overview_of_images(directory: Path) -> ArraysOverview:
    """Summarize images, one after another."""
    listed, measures = list_images(directory), RunningStatistics()
    sizes, hashes, are_gray = Counter[tuple[int, ...]](), [], True
    for path in listed.paths:
        pixels = read_image(path, None, grayscale=False)
        sizes[pixels.shape[:2]] += 1
        are_gray = are_gray and bool((pixels == pixels[..., :1]).all())
        measures.add(pixels.reshape(1, -1).T)
        hashes.append(hash((pixels.shape, pixels.tobytes())))
    shape = [len(listed.paths), *sizes.most_common(1)[0][0], *([] if are_gray else [3])]
    arrays = [measures.completed(ArrayOverview("images", shape, str(BYTES)))]
    warnings = [*_of_images(sizes, are_gray), *equal_to_earlier(np.array(hashes, np.int64))]
    return ArraysOverview(directory, len(listed.paths), arrays, _counts(listed), None, warnings)


def _of_images(sizes: Mapping[tuple[int, ...], int], are_gray: bool) -> Iterator[str]:
    if len(sizes) > 1:
        height, width = max(sizes, key=lambda size: sizes[size])
        number = (
            f"{len(sizes):,} different sizes, {sizes[height, width]:,} images of {height} × {width} (height × width)"
        )
        yield f"{number}; write size: [{height}, {width}]"
    if are_gray:
        yield "all images are gray; write grayscale: true"


def _counts(listed: ImageList) -> dict[str, int]:
    return dict(zip(listed.classes, np.bincount(listed.labels).tolist(), strict=True))
