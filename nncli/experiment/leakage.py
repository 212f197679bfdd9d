"""Data leakage between splits, detected in the config before any row is sampled."""

from collections.abc import Iterator, Mapping
from itertools import combinations

from nncli.config.diagnostics import Finding
from nncli.config.model import Config, Fold, Fraction
from nncli.data.source import Source
from nncli.experiment.checks import NEW_RUN, check
from nncli.experiment.data_plan import DataPlan
from nncli.experiment.sections import HELD_OUT, parts, source_sections
from nncli.registry import ComponentConfig

NOT_RANDOM = -1  # in place of a seed, for a set that uses no random numbers


@check("data", "validation", "test", "rng", "seed", "seeds", only=NEW_RUN)
def check_leakage(config: Config, plan: DataPlan) -> Iterator[Finding]:
    """No held-out data set shares rows or random numbers with another data set.

    Data sets of different types share no rows, nor do the fractions of one data set.
    """
    sections = _with_seeds(config, plan.sources)
    for first, second in combinations(sections, 2):
        section, rows = sections[second], plan.schemas[second].rows
        if not _is_comparable(section, sections[first]):
            continue
        shared = rows if section == sections[first] else plan.sources[second].shared_rows(plan.sources[first])
        name = "training data" if first == "data" else f"{first} data"
        overlap = f"{shared:,} of {rows:,} rows are also in the {name}"
        if shared == rows:
            overlap = f"identical to {'' if rows == plan.schemas[first].rows else 'part of '}the {name}"
        if _seed(section) != NOT_RANDOM:
            found = overlap if shared else f"sampled from the same random numbers as the {name}"
            yield Finding((second, "seed"), f"{found} (data leakage); set a different seed")
        elif shared and hasattr(section, "noise"):
            yield Finding((second, "noise"), f"{overlap} (data leakage); set noise above 0")
        elif shared and not hasattr(section, "samples"):
            yield Finding((second,), f"{overlap} (data leakage); use other data")
        elif shared:
            fix = f"set samples to {_unshared_samples(sections, plan.sources, second)}"
            yield Finding((second, "samples"), f"{overlap} (data leakage); {fix}")


def _with_seeds(config: Config, sources: Mapping[str, Source]) -> dict[str, ComponentConfig]:
    """The data sources of a config, each with the seed of its random numbers.

    A source without a seed has an independent stream, and keeps the seed None; except with the book's single generator,
    where the source that is sampled first starts at the config's seed of data. The seed of a source that uses no random
    numbers, such as one without noise, does not count.
    """
    sections = source_sections(config)
    for name, section in sections.items():
        if hasattr(section, "seed") and not sources[name].is_random:
            sections[name] = section.model_copy({"seed": NOT_RANDOM})
    sampled = ("data", *(name for name in HELD_OUT if name != "test" or not config.test_sampled_after_training))
    first = next((name for name in sampled if getattr(sections.get(name), "seed", 0) is None), None)
    is_after_split = first != "data" and any(isinstance(each, Fraction | Fold) for each in parts(config).values())
    if config.rng == "nnfs" and first and not is_after_split:
        sections[first] = sections[first].model_copy({"seed": config.seed_of("data")})
    return sections


def _is_comparable(one: ComponentConfig, other: ComponentConfig) -> bool:
    """Whether two sources have the same type, and sample from the same random numbers, if any."""
    return one.type == other.type and _seed(one) is not None and _seed(one) == _seed(other)


def _seed(section: ComponentConfig) -> int | None:
    """The seed of the random numbers of a source."""
    seed: int | None = getattr(section, "seed", NOT_RANDOM)
    return seed


def _unshared_samples(sections: Mapping[str, ComponentConfig], sources: Mapping[str, Source], name: str) -> int:
    """The largest smaller number of samples with which a source shares no rows with the other ones."""
    section = sections[name]
    others = [(sections[each], sources[each]) for each in sections if each != name]
    candidates = (section.model_copy({"samples": samples}) for samples in range(_samples(section) - 1, 0, -1))
    return next(_samples(each) for each in candidates if not any(_shares_rows(each, *other) for other in others))


def _samples(section: ComponentConfig) -> int:
    return int(getattr(section, "samples", 1))


def _shares_rows(candidate: ComponentConfig, section: ComponentConfig, source: Source) -> bool:
    if not _is_comparable(candidate, section):
        return False
    return candidate == section or candidate.build().shared_rows(source) > 0
