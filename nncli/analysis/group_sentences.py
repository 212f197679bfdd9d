"""Verdicts on groups of runs as sentences."""

from collections.abc import Sequence

from nncli.analysis import scores
from nncli.analysis.group_comparison import GroupComparison
from nncli.analysis.group_results import GroupResult, varied
from nncli.analysis.group_verdict import MIN_RUNS, Outcome, Verdict
from nncli.analysis.run_verdict import ONE_SEED_EACH
from nncli.analysis.scores import SMALLEST_P
from nncli.config.diagnostics import counted
from nncli.config.model import SEED_KEYS
from nncli.experiment.metric_columns import find_column

MIN_GAIN = 1.1  # of pairing that is mentioned


def sentence(verdict: Verdict) -> str:
    """A verdict as one sentence with its numbers."""
    comparison = verdict.comparison
    first, second = comparison.first.label, comparison.second.label
    if verdict.outcome is Outcome.NOT_COMPARED:
        return f"{first} and {second} are not compared: {comparison.reason}"
    numbers = _numbers(comparison)
    if verdict.outcome is Outcome.ONE_SEED:
        single = [group.label for group in (comparison.first, comparison.second) if group.is_one_training]
        text = ONE_SEED_EACH if len(single) == 2 else f"one seed of {single[0]}: train more of it"
        return f"{first} and {second}: {text}; {numbers}"
    if verdict.outcome in {Outcome.BETTER, Outcome.WORSE}:
        return f"{first} is {verdict.outcome} than {second}: {numbers}, {_evidence(verdict)}"
    if verdict.outcome is Outcome.EQUAL:
        return f"{first} and {second} are equal in practice: {numbers}"
    if verdict.outcome is Outcome.SMALL:
        return (
            f"{first} and {second} differ, but neither is better in three of four runs: {numbers}, {_evidence(verdict)}"
        )
    return f"{first} and {second}: {_what_is_missing(verdict)}; {numbers}{_adjusted(verdict)}"


def _numbers(comparison: GroupComparison) -> str:
    """The difference with its 95% interval."""
    number = number_format(comparison.metric)
    if comparison.trainings:
        return comparison.trainings.description
    text = f"difference {comparison.difference:+{number}}"
    estimate = comparison.deciding
    if estimate is None and comparison.over_rows:
        low, high = comparison.over_rows.estimate.interval
        return f"{text} (95% interval of the sampled rows {low:+{number}} to {high:+{number}})"
    if estimate is None:
        return text
    low, high = estimate.interval
    of_rows = " of the sampled rows" if comparison.decided_by_rows else ""
    return f"{text} (95% interval{of_rows} {low:+{number}} to {high:+{number}})"


def _evidence(verdict: Verdict) -> str:
    """How often the first group is better, and the p-value of the deciding interval."""
    comparison = verdict.comparison
    if comparison.fraction_won is None:
        often = f"P(A > B) = {comparison.probability:.2f}"
    else:
        often = f"better in {comparison.fraction_won * (comparison.pairs or 0):g} of {comparison.pairs} pairs"
    flipped = comparison.sign_flip if verdict.family == 1 else None
    text = f"{often}, p {p_text(verdict.p_value or 0.0)}"
    return text if flipped is None else f"{text} (by sign flips p {p_text(flipped.p_value)})"


def _adjusted(verdict: Verdict) -> str:
    """The p-value of a difference that is not significant although its interval excludes 0."""
    estimate, p_value = verdict.comparison.deciding, verdict.p_value or 0.0
    if estimate is None or abs(estimate.difference) <= estimate.margin:
        return ""
    flipped = verdict.comparison.sign_flip
    if flipped and p_value == flipped.mid_p:
        return f", mid-p {p_text(p_value)} by sign flips"
    return "" if verdict.family == 1 else f", adjusted p {p_text(p_value)}"


def p_text(p_value: float) -> str:
    """A p-value with its sign of comparison."""
    return f"= {p_value:.2g}" if p_value >= SMALLEST_P else f"< {SMALLEST_P:g}"


def _what_is_missing(verdict: Verdict) -> str:
    """How many more runs or rows would show a difference of this size."""
    comparison = verdict.comparison
    if verdict.outcome is Outcome.FEW_ROWS:
        rows = comparison.over_rows.rows if comparison.over_rows else 0
        need = f"about {verdict.required_rows:,}" if verdict.required_rows else "more"
        return f"not enough validation rows: {need} instead of {rows:,} would show a difference of this size"
    if comparison.difference == 0:
        return "no difference that more runs would show"
    if verdict.more_runs is None:
        missing = "data" if comparison.spread and comparison.spread.ratio else "runs"
        return f"not enough {missing}: no number of runs would show a difference of this size"
    return f"not enough runs: about {counted(verdict.more_runs, 'more seed')} would show a difference of this size"


def number_format(metric: str) -> str:
    """How differences of a column of metrics are written."""
    return scores.number_format(find_column(metric).name)


def pairing_sentence(verdicts: Sequence[Verdict], groups: Sequence[GroupResult]) -> str | None:
    """Whether runs are paired, what their seeds vary and what is the same; None if no groups are compared."""
    compared = [each.comparison for each in verdicts if each.comparison.over_runs]
    if not compared:
        return None
    paired = [each for each in compared if each.pairs]
    varying = varied(groups)
    what = "fold" if varying == ["folds"] else "seed and fold" if "folds" in varying else "seed"
    if len(paired) == len(compared):
        text = f"paired by {what}"
    elif paired:
        text = f"{len(paired)} of {len(compared)} comparisons paired by {what}"
    else:
        text = "not paired by seed"
    return f"{text}; {_varying(varying)}{_saved(paired)}"


def adjustment_sentence(verdicts: Sequence[Verdict]) -> str | None:
    """For how many comparisons the p-values are adjusted; None if there is one."""
    family = max((each.family for each in verdicts), default=1)
    return f"p-values are adjusted for {family} comparisons (Holm)" if family > 1 else None


def _varying(varying: Sequence[str]) -> str:
    """What the seeds vary, and whether the data is the same."""
    seeds = [name for name in varying if name in SEED_KEYS]
    text = f"the seeds vary {', '.join(seeds)}" if seeds else "the seeds are the same"
    fixed = [word for name, word in (("data", "data"), ("split", "splits")) if name not in varying]
    if "folds" in varying:
        return (
            f"{text}; the validation rows are those of each fold, and intervals are corrected for shared training rows"
        )
    return f"{text}; {' and '.join(fixed)} are the same" if fixed else text


def _saved(paired: Sequence[GroupComparison]) -> str:
    """What pairing saved, for a single comparison."""
    gain = paired[0].gain if len(paired) == 1 else None
    return f"; pairing is worth {gain:.1f} times as many runs" if gain and gain >= MIN_GAIN else ""


def notes(groups: Sequence[GroupResult], problems: Sequence[str]) -> list[str]:
    """What a reader of the table must know: diverged and failed runs, groups of few runs, and unreadable trials."""
    found = [
        f"{group.label}: {counted(lost, 'run')} of {lost + len(group.finished)} diverged or failed and"
        f" {'is' if lost == 1 else 'are'} not in the mean"
        for group in groups
        if (lost := group.diverged + group.failed) and group.finished
    ]
    found += [
        f"{group.label}: its {len(group.finished)} runs are the same training, so they count as one: their seeds are"
        " equal, or nothing uses them"
        for group in groups
        if len(group.finished) > 1 and group.is_one_training
    ]
    small = [group.label for group in groups if 1 < len(group.finished) < MIN_RUNS]
    if small:
        found.append(f"{', '.join(small)}: no group of two runs is called better; train at least {MIN_RUNS}")
    return [*found, *problems]
