"""Groups of runs side by side: sides, metric, baseline, results, pairing, rows, curves and sentences of real runs."""

import shutil
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from nncli.analysis import compared_groups as module
from nncli.analysis.compared_groups import GroupOptions, compared_groups
from nncli.analysis.comparison_sides import GroupRuns
from nncli.analysis.evaluation import by_row
from nncli.analysis.group_curves import group_curve
from nncli.analysis.group_sentences import sentence
from nncli.analysis.group_verdict import Outcome
from nncli.analysis.significance import paired_margin, t_quantile
from nncli.errors import CommandLineError, DivergedError, RunError
from nncli.store.group_files import GroupRecord
from nncli.store.run_reader import Run
from tests.groups import FIXED_DATA, make_group, set_scores


def compare(*paths, **options):
    """Compare groups, with runs found by their paths."""
    return compared_groups(paths, GroupOptions(**options), Run)


def label_of(compared):
    """The groups by their labels."""
    return {group.label: group for group in compared.groups}


def scores_of(group, name, runs):
    """A final validation metric of runs."""
    return np.array([Run(group / run).evaluation.splits["validation"][name] for run in runs])


ADAM, SGD = ([f"{number:04}" for number in numbers] for numbers in (range(4), range(4, 8)))


def test_a_single_group_is_compared_by_what_it_varies(optimizer_group):
    """Its axis gives the sides, best first, and a sentence says so."""
    compared = compare(optimizer_group)
    assert compared.by == ["optimizer.type"]
    assert sorted(label_of(compared)) == ["adam", "sgd"]
    assert compared.metric == "validation_accuracy"
    assert "grouped by optimizer.type" in compared.basis[0]
    means = [group.statistics.mean for group in compared.groups]
    assert means == sorted(means, reverse=True)


def test_statistics_by_hand(optimizer_group):
    """Mean, standard deviation with Bessel's correction, smallest and largest."""
    found = label_of(compare(optimizer_group, metric="validation_loss"))["sgd"]
    scores = scores_of(optimizer_group, "loss", SGD)
    deviation = (sum((scores - sum(scores) / 4) ** 2) / 3) ** 0.5
    assert found.statistics == pytest.approx((sum(scores) / 4, deviation, min(scores), max(scores)))
    assert (len(found.finished), found.failed, found.diverged, found.unfinished) == (4, 0, 0, 0)


def test_groups_are_paired_by_seed(optimizer_group):
    """The difference and its interval are those of the runs with equal seeds."""
    compared = compare(optimizer_group, metric="validation_loss")
    [verdict] = compared.verdicts
    first, second = verdict.comparison.first.label, verdict.comparison.second.label
    differences = np.subtract(
        *(scores_of(optimizer_group, "loss", ADAM if each == "adam" else SGD) for each in (first, second))
    )
    assert verdict.comparison.pairs == 4
    assert verdict.comparison.difference == pytest.approx(np.mean(differences))
    assert verdict.comparison.over_runs.margin == pytest.approx(paired_margin(differences))
    assert compared.basis[1].startswith("paired by seed; the seeds vary weights, order, dropout; data and splits are")


def test_several_runs_of_a_seed_are_paired_by_their_mean(optimizer_group, tmp_path):
    """Another key that varies within a group is no noise: the pairs are the seeds."""
    rates = make_group(tmp_path / "runs", "rates", [0.01, 0.1], key="optimizer.learning_rate")
    sgd = [optimizer_group / name for name in SGD]
    [verdict] = compare(rates, *sgd, by=("optimizer.type",), metric="validation_loss").verdicts
    adam = scores_of(rates, "loss", ADAM) / 2 + scores_of(rates, "loss", SGD) / 2
    differences = adam - scores_of(optimizer_group, "loss", SGD)
    assert verdict.comparison.pairs == 4
    assert abs(verdict.comparison.difference) == pytest.approx(abs(np.mean(differences)))
    assert verdict.comparison.over_runs.margin == pytest.approx(paired_margin(differences))


def test_groups_without_common_seeds_are_not_paired(optimizer_group, tmp_path):
    """They are independent, and a sentence says so."""
    other = make_group(tmp_path / "runs", "other", [], seeds=range(10, 13))
    adam = [optimizer_group / name for name in ADAM]
    compared = compare(other, *adam, by=("seed",), metric="validation_loss")
    assert len(compared.groups) == 7
    compared = compare(optimizer_group, other, metric="validation_loss")
    assert compared.verdicts[0].comparison.pairs is None
    assert compared.basis[0].startswith("not paired by seed; the seeds vary weights, order, dropout; data and splits")


def test_rows_are_paired_by_the_means_over_runs(optimizer_group):
    """The second interval is that of the differences of rows, each a mean over the seeds."""
    [verdict] = compare(optimizer_group).verdicts
    means = [
        np.mean([by_row(Run(optimizer_group / run), "validation", "accuracy") for run in runs], axis=0)
        for runs in (ADAM, SGD)
    ]
    sampled = verdict.comparison.over_rows
    assert sampled.rows == 60
    assert sampled.estimate.margin == pytest.approx(paired_margin(means[0] - means[1]))
    assert sampled.estimate.degrees == 59


def test_other_scores_than_those_of_the_weights_are_not_paired_by_row(optimizer_group, tmp_path):
    """The rows are then taken as independent, with the wider Agresti-Caffo interval."""
    group = tmp_path / "group"
    shutil.copytree(optimizer_group, group)
    set_scores(group, [0.91, 0.92, 0.9, 0.93, 0.81, 0.8, 0.82, 0.79])
    [verdict] = compare(group).verdicts
    assert verdict.comparison.over_rows.deviation is None
    assert verdict.comparison.difference == pytest.approx(0.11)
    assert verdict.outcome is Outcome.FEW_ROWS
    assert "not enough validation rows: more instead of 60" in sentence(verdict)


def test_a_clear_verdict_in_one_sentence(optimizer_group, tmp_path):
    """Better, with the difference, its interval, the pairs and the p-value; the sign of a loss is negative."""
    group = tmp_path / "group"
    shutil.copytree(optimizer_group, group)
    set_scores(group, [0.31, 0.32, 0.3, 0.33, 0.51, 0.5, 0.52, 0.49], "loss")
    [verdict] = compare(group, metric="validation_loss").verdicts
    differences = np.array([-0.2, -0.18, -0.22, -0.16])
    margin = t_quantile(3) * np.std(differences, ddof=1) / 2
    assert sentence(verdict) == (
        f"adam is better than sgd: difference -0.19 (95% interval {-0.19 - margin:+.3g} to {-0.19 + margin:+.3g}),"
        " better in 4 of 4 pairs, p = 0.0078"
    )
    [verdict] = compare(group, metric="validation_loss", baseline="adam").verdicts
    assert sentence(verdict).startswith("sgd is worse than adam: difference +0.19 ")
    [verdict] = compare(group, metric="validation_loss", rope=0.3).verdicts
    assert sentence(verdict).startswith("adam and sgd are equal in practice: difference -0.19 ")


def test_missing_seeds_are_counted_in_a_sentence(optimizer_group, tmp_path):
    """Not enough runs, and about how many more."""
    group = tmp_path / "group"
    shutil.copytree(optimizer_group, group)
    set_scores(group, [0.31, 0.36, 0.3, 0.33, 0.35, 0.34, 0.32, 0.37], "loss")
    [verdict] = compare(group, metric="validation_loss").verdicts
    assert verdict.outcome is Outcome.FEW_RUNS
    text = f"adam and sgd: not enough runs: about {verdict.more_runs} more seeds would show a difference of this size; "
    assert sentence(verdict).startswith(text)


def test_one_seed_each_tells_two_trainings_apart(optimizer_group):
    """Two runs have no interval over runs, but the exact test on their rows."""
    [verdict] = compare(optimizer_group / "0000", optimizer_group / "0004", by=("optimizer.type",)).verdicts
    assert verdict.outcome is Outcome.ONE_SEED
    assert "one seed each: this tells two trainings apart, not two configs; difference 0." in sentence(verdict)
    assert "(exact McNemar test on the same 60 rows, p " in sentence(verdict)
    assert all(group.statistics.deviation is None for group in [verdict.comparison.first, verdict.comparison.second])


def test_repeated_trainings_count_as_one(tmp_path):
    """Seeds that nothing uses give the same run again and again: their spread of 0 makes nothing better."""
    groups = [
        make_group(tmp_path / "runs", f"rate-{rate}", [], overrides=(*FIXED_DATA, f"optimizer.learning_rate={rate}"))
        for rate in (0.05, 0.001)
    ]
    for group in groups:
        for name in ADAM[1:]:
            shutil.copytree(group / ADAM[0], group / name, dirs_exist_ok=True)
    for metric in ("validation_loss", "validation_accuracy"):
        compared = compare(*groups, metric=metric)
        [verdict] = compared.verdicts
        assert verdict.outcome is Outcome.ONE_SEED
        assert "one seed each: this tells two trainings apart, not two configs; difference" in sentence(verdict)
        assert compared.notes[0].endswith(
            "4 runs are the same training, so they count as one: their seeds are equal, or nothing uses them"
        )
    assert "exact McNemar test on the same 60 rows" in sentence(verdict)
    clear = make_group(tmp_path / "runs", "clear", [], overrides=(*FIXED_DATA, "optimizer.learning_rate=0.1"))
    [verdict] = compare(groups[0], clear, metric="validation_loss").verdicts
    assert "one seed of rate-0.05: train more of it" in sentence(verdict)


def test_what_else_differs_in_a_group_is_said(tmp_path):
    """A mean over several configs is no mean over seeds; seeds, and keys that follow from others, are not named."""
    rates = make_group(tmp_path / "runs", "rates", [0.01, 0.1], key="optimizer.learning_rate", seeds=[0, 1])
    optimizers = make_group(tmp_path / "runs", "optimizers", ["adam", "sgd"], seeds=[0, 1])
    text = "runs of one group also differ in {}: means are over several configs"
    assert text.format("optimizer.learning_rate") in compare(rates, optimizers, by=("optimizer.type",)).basis
    keys = [", ".join(each) for each in permutations(["optimizer.learning_rate", "optimizer.type"])]  # best group first
    assert any(text.format(each) in compare(rates, optimizers).basis for each in keys)
    assert not any("also differ" in each for each in compare(rates).basis)


def test_groups_without_a_finished_run_are_reported(tmp_path):
    """With how their runs ended, and not as an unknown metric."""
    diverging = (*FIXED_DATA, "optimizer={type: sgd, learning_rate: 1e30}")
    with pytest.raises(DivergedError):
        make_group(tmp_path / "runs", "group", [], seeds=[0], overrides=diverging)
    with pytest.raises(RunError, match=r"no run is finished, so there is nothing to compare: 1 diverged$"):
        compare(tmp_path / "runs" / "group", metric="validation_accuracy")


def test_failed_and_unfinished_runs_are_apart(optimizer_group, tmp_path):
    """They are counted on the side of their point, and are not in the mean; a damaged trial is a failed one."""
    group = make_group(tmp_path / "runs", "group", ["adam", "sgd"], failed=[1, 6])
    (group / "0002" / "run.json").write_text("{}", encoding="utf-8")
    (group / "0005" / "evaluation.json").unlink()
    (group / "0005" / "weights.npz").unlink()
    compared = compare(group)
    found = label_of(compared)
    assert [(each.failed, each.unfinished, len(each.finished)) for each in (found["adam"], found["sgd"])] == [
        (2, 0, 2),
        (1, 1, 2),
    ]
    assert any(
        note.startswith("adam: 2 runs of 4 diverged or failed and are not in the mean") for note in compared.notes
    )
    assert any("no group of two runs is called better" in note for note in compared.notes)
    assert any("0002/run.json: damaged" in note for note in compared.notes)


def test_failed_points_are_counted(tmp_path):
    """A point without any run is no side, so a note says how many trials are missing; without runs it is an error."""
    group = make_group(tmp_path / "runs", "group", ["adam", "sgd"], seeds=[0, 1], failed=[2, 3])
    compared = compare(group)
    assert [each.label for each in compared.groups] == ["adam"]
    assert "2 failed trials not in the table, as no trial with the same values has a run" in compared.notes
    empty = make_group(tmp_path / "runs", "empty", ["adam", "sgd"], seeds=[0, 1], failed=range(4))
    with pytest.raises(RunError, match=r"^no trial has a run, so there is nothing to compare: 4 failed trials$"):
        compare(empty)


def test_groups_of_other_rows_are_not_compared(optimizer_group, tmp_path):
    """Other validation rows are said in a line; with different_data they are compared as independent."""
    other = make_group(tmp_path / "runs", "other", [], seeds=range(3), overrides=(*FIXED_DATA, "validation.seed=2"))
    [verdict] = compare(optimizer_group, other).verdicts
    assert verdict.outcome is Outcome.NOT_COMPARED
    assert sentence(verdict).endswith(" are not compared: their validation rows differ")
    [verdict] = compare(optimizer_group, other, different_data=True).verdicts
    assert (verdict.comparison.pairs, verdict.comparison.reason) == (None, None)
    assert verdict.comparison.over_rows.deviation is None


def test_training_rows_may_differ(optimizer_group, tmp_path):
    """Validation metrics are compared where the validation rows are the same."""
    overrides = ("data.seed=5", "validation.seed=1", "training.epochs=20")
    other = make_group(tmp_path / "runs", "other", [], seeds=range(3), overrides=overrides)
    sgd = [optimizer_group / name for name in SGD]
    [verdict] = compare(other, *sgd, by=("optimizer.type",)).verdicts
    assert verdict.comparison.reason is None
    [verdict] = compare(other, *sgd, by=("optimizer.type",), metric="accuracy").verdicts
    assert "their training rows differ" in sentence(verdict)


def test_seeds_of_data_are_named_and_not_paired_by_row(tmp_path):
    """If seeds vary the rows, runs are paired by them, and the spread of the scores contains the sampling of rows."""
    group = make_group(tmp_path / "runs", "group", ["adam", "sgd"], overrides=("training.epochs=20",))
    compared = compare(group)
    assert compared.basis[1].startswith("paired by seed; the seeds vary data, split, weights, order, dropout")
    assert compared.verdicts[0].comparison.over_rows is None
    assert compared.verdicts[0].comparison.spread.ratio == 0
    assert compared.verdicts[0].comparison.pairs == 4


def test_random_splits_of_the_same_rows_are_corrected(tmp_path):
    """If seeds split one data set, training rows overlap: the variance has Nadeau and Bengio's factor."""
    overrides = ("data.seed=0", "validation={fraction: 0.25}", "training.epochs=20")
    group = make_group(tmp_path / "runs", "group", ["adam", "sgd"], overrides=overrides)
    estimate = compare(group, metric="validation_loss").verdicts[0].comparison
    assert estimate.spread.ratio == pytest.approx(15 / 45)
    assert estimate.over_runs.error == pytest.approx(estimate.spread.deviation * (1 / 4 + 1 / 3) ** 0.5)
    assert estimate.sign_flip is None


def test_curves_are_means_over_runs(optimizer_group):
    """At the epochs that all runs logged."""
    group = label_of(compare(optimizer_group))["adam"]
    curve = group_curve(group, "validation_loss")
    tables = [Run(optimizer_group / name).metrics.column("validation_loss") for name in ADAM]
    assert curve.mean == pytest.approx(np.mean(tables, axis=0))
    assert curve.deviation == pytest.approx(np.std(tables, axis=0, ddof=1))
    assert curve.epochs.tolist() == Run(optimizer_group / "0000").metrics.column("epoch").tolist()
    assert group_curve(group, "nothing") is None


def test_labels_have_what_differs(optimizer_group, tmp_path):
    """A text alone, a number with its key, a component with its type and the keys that differ within the type."""
    assert set(label_of(compare(optimizer_group, by=("optimizer",)))) == {"adam", "sgd"}
    found = label_of(compare(optimizer_group, by=("seed", "optimizer.type")))
    assert "seed=3 sgd" in found
    rates = make_group(tmp_path / "runs", "rates", [0.01, 0.1], key="optimizer.learning_rate", seeds=[0])
    assert set(label_of(compare(rates, optimizer_group / "0004", by=("optimizer",)))) == {
        "adam learning_rate=0.01",
        "adam learning_rate=0.1",
        "sgd",
    }
    assert set(label_of(compare(rates))) == {"learning_rate=0.01", "learning_rate=0.1"}


def test_labels_are_short_where_they_differ(tmp_path):
    """Sampled numbers have four digits, and layers their types and units; equal names have all digits."""
    rates = [0.044587775606721345, 0.001400903769571757]
    sampled = make_group(tmp_path / "runs", "sampled", rates, key="optimizer.learning_rate", seeds=[0])
    assert set(label_of(compare(sampled))) == {"learning_rate=0.04459", "learning_rate=0.001401"}
    close = make_group(
        tmp_path / "runs", "close", [0.0445877756, 0.0445877757], key="optimizer.learning_rate", seeds=[0]
    )
    assert set(label_of(compare(close))) == {"learning_rate=0.0445877756", "learning_rate=0.0445877757"}
    layers = ["[{dense: 4}, relu, {dense: 3}, softmax]", "[{dense: 3}, softmax]"]
    group = make_group(tmp_path / "runs", "group", layers, key="layers", seeds=[0])
    assert set(label_of(compare(group))) == {"dense 4 · relu · dense 3 · softmax", "dense 3 · softmax"}
    rates = ["[{dense: 4}, {dropout: 0.1}, {dense: 3}, softmax]", "[{dense: 4}, {dropout: 0.2}, {dense: 3}, softmax]"]
    group = make_group(tmp_path / "runs", "dropout", rates, key="layers", seeds=[0])
    assert all(each.startswith("layers=[{type: dense, units: 4, ") for each in label_of(compare(group)))


def test_groups_and_runs_are_sides(optimizer_group, tmp_path):
    """Several groups or runs without keys are one side each; a baseline that is not among them is added."""
    other = make_group(tmp_path / "runs", "other", [], seeds=range(3))
    assert set(label_of(compare(optimizer_group, other))) == {"optimizers", "other"}
    compared = compared_groups([optimizer_group], GroupOptions(baseline="x"), lambda _: other)
    assert (compared.baseline, len(compared.groups)) == ("other", 3)
    assert [each.comparison.second.label for each in compared.verdicts] == ["other", "other"]
    named = compared_groups([optimizer_group, other], GroupOptions(baseline="runs/other"), lambda _: other)
    assert (named.baseline, len(named.groups)) == ("other", 2)


def test_chosen_keys_are_not_explained(optimizer_group):
    """Only those that were not given are."""
    assert "grouped by" in compare(optimizer_group).basis[0]
    assert not any("grouped by" in text for text in compare(optimizer_group, by=("optimizer.type",)).basis)


@pytest.mark.parametrize(
    ("metrics", "chosen"),
    [
        (["validation_loss"] * 2, "validation_loss"),
        (["validation_loss", "validation_accuracy"], None),
        (["validation_loss", None], None),
        (["loss"], None),
        (["learning_rate"], None),
    ],
)
def test_the_metric_is_that_of_all_groups(metrics, chosen):
    """If it can be compared."""
    records = [GroupRecord(config="", config_path="", metric=metric) for metric in metrics]
    assert module._metric_of([GroupRuns(Path(), record, []) for record in records]) == chosen


def test_a_baseline_with_the_name_of_a_side_is_called_by_its_path(tmp_path):
    """As a group of the same name in another directory."""
    paths = [make_group(tmp_path / name, "group", seeds=[0]) for name in ("one", "two")]
    compared = compared_groups(paths[:1], GroupOptions(baseline="two/group"), lambda _: paths[1])
    assert (compared.baseline, sorted(label_of(compared))) == (str(paths[1]), sorted(["group", str(paths[1])]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": ("optimizer.tpye",)}, "no run has a key 'optimizer.tpye' in its config; did you mean 'optimizer.type'"),
        ({"metric": "validation_acuracy"}, "no finished run has a metric 'validation_acuracy'; did you mean"),
        ({"metric": "loss"}, "loss cannot be compared: it depends on the strength of the penalties; use data_loss"),
    ],
)
def test_wrong_options_are_reported(optimizer_group, options, message):
    """With what is wrong and what may be meant."""
    with pytest.raises(CommandLineError, match=message):
        compare(optimizer_group, **options)


def test_an_unknown_baseline_is_reported(optimizer_group):
    """It is neither a side nor a run."""

    def find(_):
        raise RunError("run not found")

    with pytest.raises(CommandLineError, match="--baseline adm: neither a side of the comparison nor a run; did you"):
        compared_groups([optimizer_group], GroupOptions(baseline="adm"), find)


def test_a_group_given_twice_or_without_runs_is_reported(optimizer_group, tmp_path):
    """Both are errors on the command line."""
    with pytest.raises(CommandLineError, match="given twice"):
        compare(optimizer_group, optimizer_group)
    with pytest.raises(CommandLineError, match="the group has no runs yet"):
        compare(make_group(tmp_path / "runs", "empty", [], seeds=[]))
