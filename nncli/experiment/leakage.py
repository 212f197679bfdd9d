"""Data leakage between splits, found in the config before any row is drawn."""

from collections.abc import Iterator
from itertools import combinations

from nncli.config.model import Fraction
from nncli.config.validation import PartialConfig
from nncli.experiment.checks import NEW_RUN, Finding, needs
from nncli.registry import ComponentConfig


@needs("data", "validation", "test", "rng", "seed", only=NEW_RUN)
def leaks(sections: PartialConfig) -> Iterator[Finding]:
    """Each held-out data set that has rows or random numbers in common with another one.

    Data sets of different types have no rows in common, nor have the fractions of one data set.
    """
    parts = _with_seeds(sections)
    for one, other in combinations(parts, 2):
        first, second = parts[one], parts[other]
        shared, rows = _shared_rows(second, first), second.build().rows
        found = f"{shared:,} of the {rows:,} {other} rows are also rows of {one}"
        if hasattr(second, "seed") and _is_comparable(second, first):
            numbers = f"{other} is drawn from the same random numbers as {one}"
            yield (other, "seed"), f"{found if shared else numbers}; write another seed"
        elif shared:
            yield (other, "samples"), f"{found}; write {_unshared_samples(parts, other)}"


def _with_seeds(config: PartialConfig) -> dict[str, ComponentConfig]:
    """The data sets of a config, each with the seed at which its random numbers begin.

    Without a seed its numbers come from a stream of which no other data set has the same part. The part of the book's
    stream that is drawn first begins at the config's seed.
    """
    parts = {"data": config.data, "validation": config.validation, "test": config.test}
    sources = {name: part for name, part in parts.items() if isinstance(part, ComponentConfig)}
    first = next((name for name in ("data", "validation") if getattr(parts[name], "seed", 0) is None), None)
    is_after_split = first == "validation" and isinstance(config.test, Fraction)
    if config.rng == "nnfs" and first and not is_after_split:
        sources[first] = sources[first].model_copy({"seed": config.seed})
    return sources


def _is_comparable(one: ComponentConfig, other: ComponentConfig) -> bool:
    """Whether two data sets are of one type, and from the same random numbers if any."""
    seed = getattr(one, "seed", 0)
    return one.type == other.type and seed is not None and seed == getattr(other, "seed", 0)


def _shared_rows(one: ComponentConfig, other: ComponentConfig) -> int:
    return int(one.build().shared_rows(other.build())) if _is_comparable(one, other) else 0


def _unshared_samples(parts: dict[str, ComponentConfig], name: str) -> int:
    """The next smaller number of samples with which a data set shares no rows with the others."""
    part, others = parts[name], [other for each, other in parts.items() if each != name]
    return next(
        samples
        for samples in range(getattr(part, "samples", 1), 0, -1)
        if not any(_shared_rows(part.model_copy({"samples": samples}), other) for other in others)
    )
