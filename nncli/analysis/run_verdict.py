"""The verdict on runs: whether the best one is significantly better than the second best, on the rows they share."""

from collections.abc import Collection, Sequence

from nncli.analysis.compared_run import ComparedRun, is_comparable, values_by_row
from nncli.analysis.config_table import config_table
from nncli.analysis.scores import Difference, paired, unpaired
from nncli.config.diagnostics import sanitized_line
from nncli.errors import NncliError
from nncli.experiment.metric_columns import SPLITS, column, higher_is_better
from nncli.store.run_reader import Run

ONE_SEED_EACH = "one seed each: this tells two trainings apart, not two configs"


def run_verdict(entries: Sequence[ComparedRun], different: Collection[str] = ()) -> str | None:
    """Whether the best finished run is significantly better than the second best on held-out rows.

    It compares them on the validation set, or else on the test set; None if less than two runs have a score there that
    can be compared.

    The test of the best of many runs against the second best needs no correction: if the best is not better than all
    others, a two-sided test at level α calls it significantly better with a probability of at most α, however many runs
    there are. Only its score is too good, as the highest of many; the verdict says so.

    Args:
        entries: the runs.
        different: the splits whose rows differ between the runs.

    Source: Hung and Fithian 2019, Rank verification for exponential families; simulated in the tests.
    """
    final = [entry for entry in entries if entry.is_final]
    shared = [split for split in SPLITS[1:] if split not in different]
    by_split = {split: [entry for entry in final if split in entry.scores] for split in shared}
    split = next((split for split, scored in by_split.items() if len(scored) > 1), None)
    if split is None:
        return None
    scored = by_split[split]
    metric = scored[0].scores[split].metric
    if any(entry.scores[split].metric != metric for entry in scored) or not is_comparable(
        scored, column(split, metric)
    ):
        return None
    first, second, *_ = sorted(scored, key=lambda each: each.scores[split].value, reverse=higher_is_better(metric))
    return _significance(first, second, split) + _of_many(len(scored)) + _of_seeds(first.run, second.run)


def _of_many(runs: int) -> str:
    """The note on a best of more than two runs, which was chosen by the rows on which it is measured."""
    return f"; chosen as the best of {runs:,} by these rows, so expect a worse score on new ones" if runs > 2 else ""


def _of_seeds(first: Run, second: Run) -> str:
    """The note on runs of one seed each whose configs differ in more than seeds."""
    keys = (key.split(".") for key in config_table([first, second]))
    return f"; {ONE_SEED_EACH}" if any(key[0] != "seeds" and key[-1] != "seed" for key in keys) else ""


def _significance(first: ComparedRun, second: ComparedRun, split: str) -> str:
    """Whether the first of two runs is significantly better, in one sentence with its numbers."""
    better, worse = first.scores[split], second.scores[split]
    found = difference(first, second, split)
    verdict = (
        f"{first.label} is significantly better than {second.label}"
        if found.is_significant
        else f"no significant difference between {first.label} and {second.label}"
    )
    return f"{verdict}: {column(split, better.metric)} {better.text} vs {worse.text}, {found.description}"


def difference(first: ComparedRun, second: ComparedRun, split: str) -> Difference:
    """The difference of two runs: row by row if both have the same rows and can still be evaluated on them."""
    scores = first.scores[split], second.scores[split]
    if first.run.fingerprints[split] != second.run.fingerprints[split]:
        return unpaired(*scores, f"on different {split} rows")
    try:
        return paired(scores[0].metric, *(values_by_row(entry, split, scores[0].metric) for entry in (first, second)))
    except NncliError as error:
        reason = str(error).partition("; ")[0]  # without the fix
        return unpaired(*scores, f"not paired by row: {sanitized_line(reason)}")
