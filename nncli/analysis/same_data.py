"""Whether runs have the same data, so that their metrics can be compared."""

from collections.abc import Sequence
from itertools import combinations

from nncli.config.model import Config, Fold, Fraction
from nncli.config.yaml_output import to_yaml_value
from nncli.errors import RunError
from nncli.experiment.metric_columns import SPLITS
from nncli.store.run_reader import Run


def require_same_data(runs: Sequence[Run]) -> None:
    """Require equal data in each split, except test sets that are both sampled after training, which differ.

    Raises:
        RunError: the data of two runs differs.
    """
    for first, second in combinations(runs, 2):
        fingerprints = first.fingerprints, second.fingerprints
        is_sampled_late = all(run.config.test_sampled_after_training for run in (first, second))
        shared = [split for split in SPLITS if all(split in each for each in fingerprints)]
        compared = [split for split in shared if not (is_sampled_late and split == "test")]
        different = [split for split in compared if fingerprints[0][split] != fingerprints[1][split]]
        if different:
            raise RunError(
                f"{first.path} and {second.path} cannot be compared: their data differs ({', '.join(different)});"
                f" {_fix(second.config)}, or pass --different-data"
            )


def _fix(config: Config) -> str:
    """How to write a config whose data does not depend on its seed."""
    sampled = [name for name in ("data", "validation", "test") if getattr(config, name) is not None]
    fractions = [name for name in sampled if isinstance(getattr(config, name), Fraction | Fold)]
    if not fractions:
        return f"give {', '.join(sampled[:-1])}{' and ' * (len(sampled) > 1)}{sampled[-1]} a fixed seed"
    data = config.data.model_dump()
    lines = [f"{name}: {to_yaml_value({**data, 'seed': seed})}" for seed, name in enumerate(["data", *fractions])]
    return f"a fraction depends on the seed of the config: write {' and '.join(lines)} in both"
