"""Verdicts as sentences: which numbers they name, and what is said of all verdicts together."""

import numpy as np
import pytest

from nncli.analysis.group_comparison import compare_groups
from nncli.analysis.group_results import GroupResult
from nncli.analysis.group_sentences import adjustment_sentence, notes, p_text, pairing_sentence, sentence
from nncli.analysis.group_verdict import decide
from nncli.config.model import Fold, Seeds
from tests.analysis.fake_groups import fake_group, fake_run

LOSS = {"metric": "validation_loss"}
LOW, HIGH = [0.31, 0.32, 0.3, 0.33, 0.29, 0.34], [0.51, 0.5, 0.52, 0.49, 0.48, 0.53]


def verdict(first, second, family=1):
    """The verdict on two groups."""
    return decide([compare_groups(first, second, (None, None))], 0.0, family)[0]


def test_better_names_pairs_and_both_p_values():
    """The number of pairs won, and the p-value of the sign flips of a single comparison."""
    groups = fake_group("a", [*LOW[:5], 0.54], **LOSS), fake_group("b", HIGH, **LOSS)
    text = sentence(verdict(*groups))
    assert text.startswith("a is better than b: difference -0.157 (95% interval ")
    assert "better in 5 of 6 pairs, p = 0.047 (by sign flips p = 0.062)" in text
    assert "flips" not in sentence(verdict(*groups, family=2))


def test_independent_groups_name_the_probability():
    """Instead of the pairs."""
    text = sentence(verdict(fake_group("a", LOW, **LOSS), fake_group("b", HIGH, range(10, 16), **LOSS)))
    assert ", P(A > B) = 1.00, p = 0.00049" in text


def test_a_mid_p_explains_why_an_interval_is_not_enough():
    """It is named if the interval excludes 0, and the sign-flip test decides."""
    losses = np.linspace(0.4, 0.47, 8)
    differences = np.array([2, 2, 1, 1, 1, 1, 0, -1]) / 100
    groups = fake_group("a", losses + differences, **LOSS), fake_group("b", losses, **LOSS)
    text = sentence(verdict(*groups))
    assert text.startswith("a and b: not enough runs: about 5 more seeds would show")
    assert text.endswith("(95% interval +0.000465 to +0.017), mid-p = 0.055 by sign flips")


def test_an_adjusted_p_value_explains_why_an_interval_is_not_enough():
    """It is named if the interval excludes 0, and the comparison is one of several."""
    groups = fake_group("a", [0.30, 0.33, 0.31], **LOSS), fake_group("b", [0.35, 0.36, 0.36], **LOSS)
    assert sentence(verdict(*groups, family=10)).endswith(f", adjusted p = {10 * verdict(*groups).p_value:.2g}")
    near = fake_group("a", [0.30, 0.37, 0.31], **LOSS), groups[1]
    for family in (1, 10):
        assert "adjusted" not in sentence(verdict(*near, family=family))


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ([0.3], [0.5], "one seed each: this tells two trainings apart, not two configs; difference -0.2"),
        (LOW, [0.5], "one seed of b: train more of it; difference "),
        (LOW, LOW, "no difference that more runs would show; difference +0 "),
        (
            [0.30, 0.40, 0.35],
            [0.301, 0.399, 0.35000001],
            "not enough runs: no number of runs would show a difference of",
        ),
        ([0.30, 0.40, 0.35], [0.31, 0.46, 0.34], "not enough runs: about 25 more seeds would show a difference of"),
    ],
)
def test_what_is_missing(first, second, text):
    """Seeds of both or of one, and how many runs."""
    assert sentence(verdict(fake_group("a", first, **LOSS), fake_group("b", second, **LOSS))).startswith(
        f"a and b: {text}"
    )


@pytest.mark.parametrize(("value", "text"), [(1.0, "= 1"), (0.0123, "= 0.012"), (1e-4, "= 0.0001"), (9e-5, "< 0.0001")])
def test_small_p_values_are_bounds(value, text):
    """Below one in ten thousand."""
    assert p_text(value) == text


def test_the_gain_of_pairing_is_that_of_a_single_comparison():
    """If it is worth naming."""
    correlated = [each + 0.1 + sign * 0.003 for each, sign in zip(LOW, (1, -1, 1, -1, 1, -1), strict=True)]
    groups = [
        fake_group("a", LOW, **LOSS),
        fake_group("b", correlated, **LOSS),
        fake_group("c", [0.8 - each for each in LOW], **LOSS),
    ]
    one, other = verdict(groups[0], groups[1]), verdict(groups[0], groups[2])
    assert one.comparison.gain > 10
    assert f"; pairing is worth {one.comparison.gain:.1f} times as many runs" in pairing_sentence([one], groups)
    assert other.comparison.gain < 1.1
    assert "worth" not in pairing_sentence([other], groups)
    assert "worth" not in pairing_sentence([one, other], groups)


def test_how_runs_are_paired():
    """All comparisons, some, or none; and what is the same for all seeds."""
    first, second, third = (
        GroupResult(
            label,
            "validation_loss",
            [fake_run(score, seeds=Seeds(weights=seed), **LOSS) for seed, score in enumerate(LOW, start)],
        )
        for label, start in (("a", 0), ("b", 0), ("c", 50))
    )
    paired, independent = verdict(first, second), verdict(first, third)
    groups = [first, second, third]
    same = "the seeds vary weights; data and splits are the same"
    assert pairing_sentence([paired], groups).startswith(f"paired by seed; {same}")
    assert pairing_sentence([paired, independent], groups).startswith(f"1 of 2 comparisons paired by seed; {same}")
    assert pairing_sentence([independent], groups) == f"not paired by seed; {same}"
    single = verdict(fake_group("a", [0.1], **LOSS), fake_group("b", [0.2], **LOSS))
    assert pairing_sentence([single], groups) is None


def test_folds_are_named():
    """With what intervals are corrected for."""
    groups = [
        GroupResult(
            label,
            "validation_loss",
            [
                fake_run(score, rows=f"fold {fold}", validation=Fold(folds=6, fold=fold), **LOSS)
                for fold, score in enumerate(scores)
            ],
        )
        for label, scores in (("a", LOW), ("b", HIGH))
    ]
    text = pairing_sentence([verdict(*groups)], groups)
    assert text.startswith("paired by fold; the seeds are the same; the validation rows are those of each fold, and")


def test_the_family_is_named():
    """From two comparisons on."""
    groups = fake_group("a", LOW, **LOSS), fake_group("b", HIGH, **LOSS)
    assert adjustment_sentence([verdict(*groups)]) is None
    assert adjustment_sentence([]) is None
    assert adjustment_sentence([verdict(*groups, family=2)]) == "p-values are adjusted for 2 comparisons (Holm)"


def test_notes_name_lost_runs_and_small_groups():
    """A group of one run has no mean that they could be missing from."""
    runs = [fake_run(0.1, 0, **LOSS), fake_run(0.2, 1, **LOSS), fake_run(9.0, 2, status="diverged", **LOSS)]
    found = notes([GroupResult("a", "validation_loss", runs, failed=2), fake_group("b", [0.1], **LOSS)], ["damaged"])
    assert found == [
        "a: 3 runs of 5 diverged or failed and are not in the mean",
        "a: no group of two runs is called better; train at least 3",
        "damaged",
    ]
    one = [fake_run(0.1, 0, **LOSS)]
    assert notes([GroupResult("a", "validation_loss", one, failed=1)], [])[0].startswith(
        "a: 1 run of 2 diverged or failed and is"
    )
    assert notes([fake_group("a", LOW[:3], **LOSS)], []) == []
