"""Which rows runs share: their metrics are compared on the splits whose rows are the same."""

from collections.abc import Sequence

from nncli.config.model import Config, Fold, Fraction
from nncli.config.yaml_output import to_yaml_value
from nncli.errors import RunError
from nncli.experiment.metric_columns import SPLITS
from nncli.store.run_reader import Run


def different_splits(runs: Sequence[Run]) -> dict[str, tuple[Run, Run]]:
    """The splits that are not compared, since their rows differ between two runs; with the first two such runs.

    A split that a run does not have does not differ. Test sets that are all sampled after training may differ: they are
    compared as independent samples.

    Raises:
        RunError: rows differ, and there is no split whose rows two of the runs share.
    """
    fingerprints = [run.fingerprints for run in runs]
    different: dict[str, tuple[Run, Run]] = {}
    is_shared = False
    for split in SPLITS:
        having = [(run, each[split]) for run, each in zip(runs, fingerprints, strict=True) if split in each]
        is_shared |= len(having) > 1 and len({rows for _, rows in having}) == 1
        pair = _different(having, may_be_late=split == "test")
        different |= {split: pair} if pair else {}
    if different and not is_shared:
        first, second = next(iter(different.values()))
        raise RunError(
            f"{first.path} and {second.path} cannot be compared: their data differs ({', '.join(different)});"
            f" {_fix(second.config)}, or pass --different-data"
        )
    return different


def _different(having: Sequence[tuple[Run, str]], may_be_late: bool) -> tuple[Run, Run] | None:
    """Two runs with different rows, at least one of which has rows that were not sampled after training."""
    fixed = (each for each in having if not (may_be_late and each[0].config.test_sampled_after_training))
    if (first := next(fixed, None)) is None:
        return None
    other = next((index for index, (_, rows) in enumerate(having) if rows != first[1]), None)
    if other is None:
        return None
    low, high = sorted((having.index(first), other))
    return having[low][0], having[high][0]


def _fix(config: Config) -> str:
    """How to write a config whose data does not depend on its seed."""
    sampled = [name for name in ("data", "validation", "test") if getattr(config, name) is not None]
    fractions = [name for name in sampled if isinstance(getattr(config, name), Fraction | Fold)]
    if not fractions:
        return f"give {', '.join(sampled[:-1])}{' and ' * (len(sampled) > 1)}{sampled[-1]} a fixed seed"
    data = config.data.model_dump()
    lines = [f"{name}: {to_yaml_value({**data, 'seed': seed})}" for seed, name in enumerate(["data", *fractions])]
    return f"a fraction depends on the seed of the config: write {' and '.join(lines)} in both"
