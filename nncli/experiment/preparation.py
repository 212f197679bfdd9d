"""The splits of a config's data, and its preprocessing, which is fitted to the training rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nncli.config.diagnostics import shown
from nncli.config.model import Config, Fraction, Part, Where
from nncli.data.dataset import Dataset
from nncli.data.source import Source, SourceError
from nncli.data.split import Array, split_indices
from nncli.experiment.rng import Purpose, RngStreams
from nncli.experiment.sections import HELD_OUT, from_end, parts

if TYPE_CHECKING:
    from nncli.data.fitted_preprocessing import FittedPreprocessing


def splits(
    config: Config, sources: Mapping[str, Source], streams: RngStreams, class_names: Sequence[str] | None = None
) -> dict[str, Dataset]:
    """The data set of each split that exists before training, in the order training, validation, test.

    Rows that are read from files are not encoded yet. The training set has the class weights of the config.

    Args:
        config: the config.
        sources: the opened source of each section.
        streams: the random number streams.
        class_names: the names of the classes in messages; None for regression.

    Raises:
        SourceError: the rows cannot be split as configured, or all rows of a split have the weight 0.
    """
    drawn = sources["data"].draw(streams.of(Purpose.TRAINING))
    indices = part_indices(config, drawn, streams, class_names)
    data = {name: drawn.rows(rows) for name, rows in indices.items()} or {"training": drawn}
    if "validation" in sources:
        data["validation"] = sources["validation"].draw(streams.of(Purpose.VALIDATION))
    if "test" in sources and not config.test_sampled_after_training:
        data["test"] = sources["test"].draw(streams.of(Purpose.TEST))
    class_weights = sources["data"].class_weights(data["training"].targets)
    data["training"] = replace(data["training"], class_weights=class_weights)
    _require_classes(data["training"], class_names, next(iter(parts(config)), None))
    for name, each in data.items():
        if each.weights is not None and not each.weights.any():
            raise SourceError(f"all rows of the {name} set have the weight 0", name)
    return {name: data[name] for name in ("training", *HELD_OUT) if name in data}


def part_indices(
    config: Config, drawn: Dataset, streams: RngStreams, class_names: Sequence[str] | None = None
) -> dict[str, Array]:
    """The indices of the rows of each split that takes some of the data; none if no split does.

    Args:
        config: the config.
        drawn: all rows of the section ``data``.
        streams: the random number streams, from which these rows have been drawn.
        class_names: the names of the classes in messages; None for regression.

    Raises:
        SourceError: the rows cannot be split as configured.
    """
    sections = parts(config)
    if not sections:
        return {}
    return split_indices(drawn, sections, streams.of(Purpose.SPLIT), from_end(config), class_names)


def _require_classes(training: Dataset, class_names: Sequence[str] | None, section: str | None) -> None:
    """Require that the training rows have at least two classes, if the data has.

    Args:
        training: the training rows.
        class_names: the names of the classes; None for a regression.
        section: the first section that takes rows of the data; the error is reported there.

    Raises:
        SourceError: all training rows have the same class.
    """
    if class_names and len(class_names) > 1 and len(training):
        first = training.targets[0]
        if (training.targets == first).all():
            found = f"all {len(training):,} training rows are of class {shown(class_names[int(first)])}"
            raise SourceError(f"{found}; a classifier needs rows of other classes, too; split differently", section)


def fit_preprocessing(config: Config, source: Source, training: Dataset) -> "FittedPreprocessing":
    """Fit the preprocessing of a file source to its training rows alone.

    Raises:
        SourceError: a training row cannot be encoded.
    """
    return source.fit_preprocessing(training, _columns_of(parts(config)))


def _columns_of(sections: Mapping[str, Part]) -> list[str]:
    """The columns that splits use; they are not inputs."""
    names: list[str] = []
    for section in sections.values():
        if isinstance(section, Where):
            names += section.where
        else:
            last = section.last if isinstance(section, Fraction) else None
            names += [each for each in (section.group, last) if isinstance(each, str)]
    return names
