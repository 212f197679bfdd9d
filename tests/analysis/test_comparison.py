"""Comparison of runs: differences, best values, overfitting, and statistically significant differences."""

import json
import math
import re
from pathlib import Path

import pytest

from nncli.analysis.comparison import compare
from nncli.analysis.evaluation import by_row
from nncli.analysis.run_verdict import ONE_SEED_EACH
from nncli.analysis.significance import mcnemar, mean_margin, paired_margin, proportion_margin
from nncli.errors import CommandLineError, RunError
from nncli.experiment.metric_columns import Role, find_column
from nncli.nn.metrics.metric import Task
from nncli.registry import components, names
from nncli.runner import reload
from nncli.store.run_reader import Run
from tests.examples import BINARY, LATE_TEST, SINE, put_record

D8, D3 = "{type: dense, units: 8}", "{type: dense, units: 3}"


@pytest.fixture
def train(workdir, run_cli):
    """Train the small config under a name, with some overrides."""

    def trained(name, *overrides, runs="runs"):
        result = run_cli("train", "config.yaml", "--quiet", "--name", name, "--runs-dir", runs, *overrides)
        assert result.code == 0, result.err
        return Path(runs) / name

    return trained


def write(path, **values):
    """Give a finished run other final metrics: ``validation__accuracy=0.9``."""
    file = path / "evaluation.json"
    evaluation = json.loads(file.read_text(encoding="utf-8"))
    for name, value in values.items():
        split, metric = name.split("__")
        evaluation["splits"][split][metric] = value
    put_record(file, evaluation)


def interrupt(path):
    """Remove what marks a run as finished."""
    for name in ("evaluation.json", "weights.npz"):
        (path / name).unlink()


def compared(*paths, sort=None, everything=False, different_data=False, top=None, columns=()):
    return compare([Run(path) for path in paths], sort, everything, different_data, top, columns)


def best(comparison):
    return {row.name: row.best for row in comparison.rows}


def test_differences_are_the_overridden_keys(train):
    """Keys whose values are equal in all configs are left out."""
    first, second = train("a"), train("b", "layers[0].units=9", "optimizer.decay=0.5", "seed=0")
    assert compared(first, second).differences == {"optimizer.decay": [0.0, 0.5], "layers[0].units": [8, 9]}


def test_equal_configs_have_no_differences(train):
    """If all keys are shown, no key has two values."""
    first, second = train("a"), train("b")
    assert compared(first, second).differences == {}
    shown = compared(first, second, everything=True).differences
    assert {"seed", "data.samples", "layers[0].units", "optimizer.type", "training.epochs"} <= set(shown)
    assert all(one == other for one, other in shown.values())


def test_inherited_penalty_is_listed_once(train):
    """A difference in ``regularization`` is not listed again for every layer."""
    first, second = train("a"), train("b", "regularization.l2=0.25")
    assert compared(first, second).differences == {"regularization.l2": [0.0, 0.25]}


def test_penalty_of_a_layer_is_listed_at_the_layer(train):
    """A value that one layer sets is a difference of that layer."""
    first, second = train("a"), train("b", "layers[2].l2=0.25")
    assert compared(first, second).differences == {"layers[2].l2": [None, 0.25]}


def test_explicit_default_is_no_difference(train):
    """The resolved configs are compared."""
    first, second = train("a"), train("b", "optimizer.beta_1=0.9", "layers[0].initializer=he", "rng=derived")
    assert compared(first, second).differences == {}


def test_two_types_of_optimizer_differ_in_the_keys_of_both(train):
    """A key that one optimizer does not have is empty for it."""
    first, second = train("a"), train("b", "optimizer={type: sgd, learning_rate: 0.05}")
    differences = compared(first, second).differences
    assert differences["optimizer.type"] == ["adam", "sgd"]
    assert differences["optimizer.momentum"] == [None, 0.0]
    assert differences["optimizer.beta_1"] == [0.9, None]
    assert "optimizer.learning_rate" not in differences


def test_different_layers_are_compared_by_type(train):
    """With one more layer the list of types differs, and layers of the same type are compared in their order."""
    first = train("a")
    second = train("b", f"layers=[{D8}, relu, {{type: dropout, rate: 0.1}}, {{type: dense, units: 3}}, softmax]")
    assert compared(first, second).differences == {
        "layers": ["dense · relu · dense · softmax", "dense · relu · dropout · dense · softmax"],
        "layers.dropout[0].rate": [None, 0.1],
    }
    third = train("c", f"layers=[{D8}, relu, {{type: dense, units: 5}}, relu, {D3}, softmax]")
    differences = compared(first, third).differences
    assert differences["layers.dense[1].units"] == [3, 5]
    assert differences["layers.dense[2].units"] == [None, 3]


def test_best_value_of_each_metric_is_marked(train):
    """Lower losses and higher accuracies are better; all of several equal values are the best."""
    first, second, third = (train(name) for name in "abc")
    write(first, training__accuracy=0.5, validation__loss=1.0, validation__accuracy=0.7, training__data_loss=0.1)
    write(second, training__accuracy=0.6, validation__loss=0.5, validation__accuracy=0.7, training__data_loss=0.2)
    write(third, training__accuracy=0.4, validation__loss=0.75, validation__accuracy=0.6, training__data_loss=0.1)
    comparison = compared(first, second, third)
    assert best(comparison) == {
        "data_loss": [0, 2],
        "accuracy": [1],
        "validation_loss": [1],
        "validation_accuracy": [0, 1],
    }
    assert {row.name: row.higher for row in comparison.rows} == {
        "data_loss": False,
        "accuracy": True,
        "validation_loss": False,
        "validation_accuracy": True,
    }


def test_loss_with_penalties_has_no_best_value(train):
    """``loss`` and ``regularization_loss`` depend on λ: they are shown if a run has penalties, and never compared."""
    first, second = train("a"), train("b", "regularization.l2=0.25")
    rows = {row.name: row for row in compared(first, second).rows}
    assert rows["regularization_loss"].values[0] == 0 < rows["regularization_loss"].values[1]
    for name in ("loss", "regularization_loss"):
        assert (rows[name].higher, rows[name].best) == (None, [])


def test_metric_that_one_run_lacks_has_no_best_value(train):
    """Its value is None for that run."""
    first, second = train("a", "test={type: spiral, samples: 20}"), train("b")
    row = next(row for row in compared(second, first).rows if row.name == "test_accuracy")
    assert row.values[0] is None
    assert row.best == []


def test_gap_margin_uses_the_rows_of_each_split(train):
    """The training set has 60 rows, and the validation set 15."""
    path = train("a", "validation.samples=5")
    write(path, training__accuracy=0.9, validation__accuracy=0.6)
    gap = compared(path, train("b", "validation.samples=5")).entries[0].gap
    assert (gap.split, gap.training.value, gap.held_out.value) == ("validation", 0.9, 0.6)
    assert gap.margin == proportion_margin(0.9, 60, 0.6, 15)


@pytest.mark.slow
def test_validation_set_takes_precedence_over_the_test_set(train):
    """The gap uses the test set if there is no validation set; the verdict uses the first split that two runs have."""
    test = "test={type: spiral, samples: 20}"
    both, only, none = train("a", test), train("b", test, "validation=null"), train("c", "validation=null")
    comparison = compared(both, only, none)
    assert [entry.gap and entry.gap.split for entry in comparison.entries] == ["validation", "test", None]
    assert "test_accuracy" in comparison.verdict()
    assert "validation_accuracy" in compared(both, only, train("d")).verdict()
    assert compared(both, none).verdict() is None


VERTICAL = (
    "data={type: vertical, samples: 5, classes: 2}",
    "validation={type: vertical, samples: 1000, classes: 2}",
    "layers=[{type: dense, units: 2}, softmax]",
    "training.epochs=300",
)


@pytest.mark.slow
def test_few_rows_learned_perfectly_are_not_overfitting(train):
    """Ten rows can all be correct if the best classifier has accuracy 0.95: none of eight runs overfits."""
    paths = [train(f"s{seed}", *VERTICAL, f"seed={seed}") for seed in range(8)]
    for entry in compared(*paths, different_data=True).entries:
        assert entry.gap.training.value == 1.0
        assert 0.92 < entry.gap.held_out.value < 0.96
        assert entry.description.startswith("shows no significant overfitting: ")


@pytest.mark.slow
def test_classifiers_are_compared_row_by_row(train):
    """The exact McNemar test is applied to the validation predictions, in whichever order the runs are given."""
    good, poor = train("a", "training.epochs=300", "layers[0].units=64"), train("b", "training.epochs=1")
    right = [by_row(Run(path), "validation", "accuracy") for path in (good, poor)]
    p = mcnemar(int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum()))
    p_text = "< 0.0001" if p < 1e-4 else f"= {p:.3g}"
    for order in ((good, poor), (poor, good)):
        assert compared(*order).verdict() == (
            "a is significantly better than b: "
            f"validation_accuracy {right[0].mean():.3f} vs {right[1].mean():.3f}, difference "
            f"{right[0].mean() - right[1].mean():.3f} (exact McNemar test on the same 60 rows, p {p_text})"
            f"; {ONE_SEED_EACH}"
        )
    assert compared(good, train("c", "training.epochs=300", "layers[0].units=64")).verdict().endswith("rows, p = 1)")


def test_regressions_are_compared_row_by_row(train):
    """The paired t-test is applied to the absolute errors on the validation rows."""
    paths = [train("a", *SINE, "training.epochs=300"), train("b", *SINE)]
    errors = [by_row(Run(path), "validation", "mean_absolute_error") for path in paths]
    limit = paired_margin(errors[0] - errors[1])
    size = errors[1].mean() - errors[0].mean()
    assert size > limit
    assert compared(*paths).verdict() == (
        "a is significantly better than b: "
        f"validation_mean_absolute_error {errors[0].mean():.3g} vs {errors[1].mean():.3g}, "
        f"difference {size:.3g} (95% margin {limit:.3g}, paired over the same 29 rows); {ONE_SEED_EACH}"
    )


@pytest.mark.slow
def test_late_test_sets_are_paired_if_they_are_equal(train):
    """Test sets sampled after training differ in every row if training used another number of random values."""
    alone = (*LATE_TEST, "validation=null")
    first, second = train("a", *alone), train("b", *alone, "optimizer.learning_rate=0.01")
    assert "exact McNemar test on the same 30 rows" in compared(first, second).verdict()
    assert (
        compared(first, train("c", *alone, "training.epochs=31"))
        .verdict()
        .endswith(f", on different test rows); {ONE_SEED_EACH}")
    )


def test_runs_of_different_data_are_compared_by_their_margin(train):
    """Equal numbers of rows are not the same rows."""
    first, second = train("a"), train("b", "seed=1")
    scores = [Run(path).evaluation.splits["validation"]["accuracy"] for path in (first, second)]
    limit = proportion_margin(max(scores), 60, min(scores), 60)
    verdict = compared(first, second, different_data=True).verdict()
    assert verdict.endswith(f"(95% margin {limit:.3f}, on different validation rows)")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("weights.npz", "runs/b/weights.npz: damaged: checksum mismatch with evaluation.json"),
        ("run.json", "runs/b: the validation data differs from what the run was trained on"),
    ],
)
def test_run_that_cannot_be_evaluated_is_compared_by_its_margin(train, monkeypatch, name, reason):
    """Its recorded metrics are used, and the verdict says why the rows are not paired."""
    first, second = train("a"), train("b", "training.epochs=1")
    if name == "weights.npz":
        with (second / name).open("r+b") as file:
            file.write(b"damaged")
    else:  # as after an update of what draws the data
        drawn = reload.data_record
        monkeypatch.setattr(reload, "data_record", lambda data: drawn(data).model_copy(update={"sha256": "0" * 64}))
        reason = reason.replace("runs/b: the validation", "runs/a: the training")
    verdict = compared(first, second).verdict()
    assert "validation_accuracy" in verdict
    assert verdict.endswith(f", not paired by row: {reason}); {ONE_SEED_EACH}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        (0.9, 0.3, "a is significantly better than b: validation_accuracy 0.900 vs 0.300, difference 0.600"),
        (0.3, 0.9, "b is significantly better than a: validation_accuracy 0.900 vs 0.300, difference 0.600"),
        (
            0.52,
            0.5,
            "no significant difference between a and b: validation_accuracy 0.520 vs 0.500, difference 0.020",
        ),
        (
            0.5,
            0.5,
            "no significant difference between a and b: validation_accuracy 0.500 vs 0.500, difference 0.000",
        ),
    ],
)
def test_verdict_requires_a_significant_difference(train, first, second, verdict):
    """This also holds for recorded metrics that the weights no longer give."""
    paths = [train("a"), train("b")]
    write(paths[0], validation__accuracy=first)
    write(paths[1], validation__accuracy=second)
    text = compared(*paths).verdict()
    assert text.startswith(f"{verdict} (95% margin 0.1")
    assert "not paired by row: runs/" in text
    assert text.endswith(" was recorded)")


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 1, 2])
def test_verdict_ignores_runs_without_a_final_score(train, place):
    """A run without metrics or an unfinished run does not suppress the verdict on the others."""
    others = [train("a", "training.epochs=300", "layers[0].units=64"), train("b", "training.epochs=1")]
    verdict = compared(*others).verdict()
    assert verdict.startswith("a is significantly better than b: ")
    silent, unfinished = train("c", "metrics=[]"), train("d")
    interrupt(unfinished)
    for third in (silent, unfinished):
        paths = [*others]
        paths.insert(place, third)
        assert compared(*paths).verdict() == verdict
    assert compared(others[0], silent).verdict() is None


def test_verdict_compares_the_best_two_runs(train):
    """The worst of three runs is not mentioned."""
    paths = [train(name) for name in "abc"]
    for path, accuracy in zip(paths, (0.9, 0.1, 0.5), strict=True):
        write(path, validation__accuracy=accuracy)
    assert compared(*paths).verdict().startswith("a is significantly better than c: ")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sort", "order"), [(None, "abc"), ("validation_accuracy", "bca"), ("validation_loss", "cab"), ("accuracy", "abc")]
)
def test_sorting_puts_the_best_first(train, sort, order):
    """The direction is that of the metric; equal values keep their order."""
    paths = [train(name) for name in "abc"]
    for path, accuracy, loss in zip(paths, (0.1, 0.9, 0.5), (0.5, 0.9, 0.1), strict=True):
        write(path, validation__accuracy=accuracy, validation__loss=loss, training__accuracy=0.5)
    assert "".join(entry.label for entry in compared(*paths, sort=sort).entries) == order


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["test_accuracy", "test_loss"])
def test_run_without_the_metric_is_sorted_last(train, metric):
    """It is not the best."""
    first, second = train("a"), train("b", "test={type: spiral, samples: 20}")
    assert [entry.label for entry in compared(first, second, sort=metric).entries] == ["b", "a"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "metric"),
    [
        ((), "validation_accuracy"),
        (("validation=null",), "accuracy"),
        (("validation=null", "test={type: spiral, samples: 20}"), "test_accuracy"),
        (("metrics=[]",), "validation_loss"),
        ((*SINE,), "validation_mean_absolute_error"),
        ((*SINE, "metrics=[r2]"), "validation_r2"),
        ((*BINARY, "metrics=[auc, f1]"), "validation_auc"),
    ],
)
def test_best_runs_are_those_of_the_main_metric(train, changes, metric):
    """It is that of the verdict if there is one, else the first of the config, else the loss; finished runs first."""
    paths = [train("a", *changes), train("b", *changes), train("c", *changes)]
    for path, value in zip(paths, (0.2, 0.3, 0.9), strict=True):
        column = find_column(metric)
        write(path, **{f"{column.split}__{column.name}": value})
    comparison = compared(*paths, top=2)
    assert comparison.metric == metric
    best_first = "cb" if find_column(metric).higher_is_better else "ab"
    assert "".join(entry.label for entry in comparison.entries) == best_first
    assert len(comparison.left_out) == 1


def test_unfinished_run_is_among_the_best_only_after_finished_ones(train):
    """Unless the user sorts by a metric."""
    paths = [train("a", "training.epochs=1"), train("b", "training.epochs=300"), train("c", "training.epochs=1")]
    interrupt(paths[1])
    assert [entry.label for entry in compared(*paths, top=3).entries][-1] == "b"
    assert compared(*paths, top=3, sort="validation_loss").entries[0].label == "b"


def test_unknown_sort_metric_is_reported_with_the_known_ones(train):
    """The message lists the metrics of the runs."""
    with pytest.raises(CommandLineError, match=r"no run has a metric 'acc'; did you mean 'accuracy'\?"):
        compared(train("a"), train("b"), sort="acc")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "parts"),
    [(["seed=1"], "training, validation"), (["data.samples=21", "validation=null"], "training")],
)
def test_runs_that_share_no_data_are_rejected(train, changes, parts):
    """Metrics on different rows cannot be compared, unless the user asks for it."""
    first, second = train("a"), train("b", *changes)
    with pytest.raises(RunError, match=rf"cannot be compared: their data differs \({parts}\)") as raised:
        compared(first, second)
    assert raised.value.exit_code == 4
    assert len(compared(first, second, different_data=True).entries) == 2


@pytest.mark.slow
def test_advice_for_a_fraction_makes_the_data_equal(train):
    """A fraction depends on the seed of the config: data of its own is suggested, and what is written is accepted."""
    fraction = "validation={fraction: 0.2}"
    with pytest.raises(RunError, match="a fraction depends on the seed") as raised:
        compared(train("a", fraction), train("b", fraction, "seed=1"))
    found = re.findall(r"(\w+): ({.*?})", str(raised.value).partition("write ")[2])
    advice = [f"{name}={value}" for name, value in found]
    assert len(advice) == 2
    assert len(compared(train("c", *advice), train("d", *advice, "seed=1")).entries) == 2


def test_different_data_is_found_between_any_two_runs(train):
    """A first run without a validation set does not hide that two others have different ones."""
    paths = [train("a", "validation=null"), train("b"), train("c", "validation.samples=21")]
    comparison = compared(*paths)
    assert comparison.not_compared == ["validation metrics are not compared: the rows of b and c differ"]
    assert {name for name, marked in best(comparison).items() if marked} == {"data_loss", "accuracy"}
    assert comparison.verdict() is None
    assert comparison.curve(None)[0] == "data_loss"
    assert compared(*paths, different_data=True).not_compared == []


def test_runs_are_compared_on_the_validation_rows_they_share(train):
    """Training rows that differ leave the validation metrics comparable, row by row."""
    comparison = compared(train("a", "training.epochs=300"), train("b", "data.samples=21"))
    assert comparison.not_compared == ["training metrics are not compared: the rows of a and b differ"]
    marked = {name for name, indices in best(comparison).items() if indices}
    assert marked == {"validation_loss", "validation_accuracy"}
    assert "(exact McNemar test on the same 60 rows, p " in comparison.verdict()


def test_missing_split_is_not_different_data(train):
    """Runs are compared on the splits that both have."""
    assert len(compared(train("a"), train("b", "validation=null")).entries) == 2


def test_unfinished_run_has_the_metrics_of_its_last_row(train):
    """Its status says that it was not evaluated."""
    first, second = train("a"), train("b")
    last = Run(second).metrics.row(-1)
    interrupt(second)
    entry = compared(first, second).entries[1]
    assert (str(entry.progress), entry.epoch) == ("not evaluated", 30)
    assert entry.metrics == {
        name: value for name, value in last.items() if name != "epoch" and find_column(name).role is not Role.STATE
    }
    assert entry.gap.held_out.value == last["validation_accuracy"]


def test_diverged_run_has_the_metrics_of_its_last_finite_row(train, run_cli):
    """NaN is never a metric in a comparison, nor a point of a curve."""
    first, diverging = train("a"), "optimizer={type: sgd, learning_rate: 1e30}"
    assert run_cli("train", "config.yaml", diverging, "training.log_every=1", "--name", "b").code == 7
    comparison = compared(first, Path("runs/b"))
    entry = comparison.entries[1]
    assert (str(entry.progress), entry.epoch) == ("diverged at epoch 1", 0)
    assert all(math.isfinite(value) for value in entry.metrics.values())
    name, curves = comparison.curve(None)
    assert name == "validation_loss"
    assert curves[1][1] == [0]


def test_run_that_diverged_at_once_has_no_metrics(train, run_cli):
    """Its values are None, and the other run is not called better."""
    huge = ("layers[0].initializer={type: normal, scale: 1e38}", "layers[2].initializer={type: normal, scale: 1e10}")
    assert run_cli("train", "config.yaml", *huge, "--name", "b").code == 7
    comparison = compared(train("a"), Path("runs/b"))
    assert comparison.entries[1].metrics == {}
    assert all(row.best == [] for row in comparison.rows)
    assert comparison.verdict() is None


@pytest.mark.slow
def test_default_curve_is_a_shared_loss(train):
    """It is the validation loss if all runs have it, else the data loss; any other column can be chosen."""
    first, second = train("a"), train("b", "validation=null")
    assert compared(first, train("c")).curve(None)[0] == "validation_loss"
    assert compared(first, second).curve(None)[0] == "data_loss"
    name, curves = compared(first, second).curve("validation_accuracy")
    assert name == "validation_accuracy"
    assert curves[0] == ("a", [0, 10, 20, 30], Run(first).metrics.column("validation_accuracy").tolist())
    assert curves[1] == ("b", [], [])
    with pytest.raises(CommandLineError, match="no run has a column 'lost'; known: accuracy"):
        compared(first, second).curve("lost")


def test_runs_of_equal_names_are_labelled_by_their_paths(train):
    """Other runs are labeled by their names."""
    paths = [train("a"), train("a", runs="more"), train("b")]
    assert [entry.label for entry in compared(*paths).entries] == ["runs/a", "more/a", "b"]


def test_run_given_twice_is_rejected(train):
    """Two different paths to the same run are recognized."""
    first = train("a")
    with pytest.raises(CommandLineError, match="run given twice"):
        compared(first, first / ".." / "a")


def test_unfinished_run_is_never_the_best(train):
    """It has no mark and is not part of the verdict."""
    first, second = train("a"), train("b", "training.epochs=100")
    (second / "evaluation.json").unlink()
    comparison = compared(first, second)
    assert all(row.best in ([0], []) for row in comparison.rows)
    assert comparison.verdict() is None


@pytest.mark.slow
@pytest.mark.parametrize("factor", [2, 1], ids=["better", "equal"])
def test_best_of_two_finished_runs_ignores_a_third(train, factor):
    """An unfinished run that is better or as good does not change the marks."""
    paths = [train(name) for name in "abc"]
    interrupt(paths[2])
    last = Run(paths[2]).metrics.row(-1)
    for path, worse in zip(paths, (4 * factor, factor), strict=False):
        write(path, training__accuracy=last["accuracy"] / worse, training__data_loss=last["data_loss"] * worse)
        write(path, validation__accuracy=last["validation_accuracy"] / worse)
        write(path, validation__loss=last["validation_loss"] * worse)
    comparison = compared(*paths)
    assert set(best(comparison)) == {"data_loss", "accuracy", "validation_loss", "validation_accuracy"}
    assert all(marked == [1] for marked in best(comparison).values())
    assert comparison.verdict().startswith(
        ("b is significantly better than a: ", "no significant difference between b and a: ")
    )


CONFIGURABLE = [
    (entry.name, parameter.name)
    for entry in components("metric")
    for parameter in entry.parameters
    if isinstance(parameter.default, float)
]


@pytest.mark.slow
@pytest.mark.parametrize(("metric", "parameter"), CONFIGURABLE)
def test_metrics_with_different_parameters_have_no_best_value(train, metric, parameter):
    """A metric that two runs compute differently is not compared, and has no verdict."""
    task = BINARY if Task.BINARY in names("metric")[metric].target.tasks else SINE
    paths = []
    for name, value in (("a", 0.25), ("b", 0.75), ("c", 0.25)):
        paths.append(train(name, *task, f"metrics=[{{type: {metric}, {parameter}: {value}}}]"))
    for columns, is_shared in ((paths, False), (paths[:2], False), (paths[::2], True)):
        comparison = compared(*columns)
        shown = [row for row in comparison.rows if row.name.endswith(metric)]
        assert [row.name for row in shown] == [metric, f"validation_{metric}"]
        assert all(bool(row.best) == is_shared for row in shown)
        assert (comparison.verdict() is not None) == (is_shared and metric == "accuracy")
        assert all(row.best for row in comparison.rows if row.name.endswith("loss") and row.higher is not None)


def errors(path, **values):
    """Give a finished regression other errors: ``validation=(mean absolute, root mean squared)``."""
    for split, (absolute, squared) in values.items():
        names = {f"{split}__mean_absolute_error": absolute, f"{split}__root_mean_squared_error": squared}
        write(path, **names)


def test_regression_overfits_by_its_mean_absolute_error(train):
    """The margin is that of two means; the variance of |p − t| follows from both errors."""
    path = train("a", *SINE)
    errors(path, training=(0.1, 0.125), validation=(0.3, 0.5))
    entry = compared(path, train("b", *SINE)).entries[0]
    limit = mean_margin(0.125**2 - 0.1**2, 40, 0.5**2 - 0.3**2, 29)
    assert (entry.gap.size, entry.gap.margin) == (pytest.approx(0.2), pytest.approx(limit))
    assert entry.description == (
        f"overfits strongly: mean_absolute_error 0.1 (training) vs 0.3 (validation), gap +0.2 (95% margin {limit:.3g})"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        (0.1, 0.9, "a is significantly better than b: validation_mean_absolute_error 0.1 vs 0.9, difference 0.8"),
        (0.9, 0.1, "b is significantly better than a: validation_mean_absolute_error 0.1 vs 0.9, difference 0.8"),
        (
            0.5,
            0.51,
            "no significant difference between a and b: validation_mean_absolute_error 0.5 vs 0.51, difference 0.01",
        ),
    ],
)
def test_verdict_on_regressions_compares_errors(train, first, second, verdict):
    """The smaller error is better if the difference is significant."""
    paths = [train("a", *SINE), train("b", *SINE)]
    for path, value in zip(paths, (first, second), strict=True):
        errors(path, validation=(value, value * 1.1))
    assert compared(*paths).verdict().startswith(f"{verdict} (95% margin 0.1")


def test_best_values_of_regressions_are_marked(train):
    """Lower errors are better, and higher R² and accuracy."""
    paths = [train("a", *SINE), train("b", *SINE)]
    for path, value in zip(paths, (0.25, 0.5), strict=True):
        write(path, validation__r2=value, validation__mean_absolute_error=value)
        write(path, validation__root_mean_squared_error=value, validation__regression_accuracy=value)
    comparison = compared(*paths)
    marked = {name: row for name, row in best(comparison).items() if name.startswith("validation_")}
    assert marked.pop("validation_loss")
    assert marked == {
        "validation_r2": [1],
        "validation_mean_absolute_error": [0],
        "validation_root_mean_squared_error": [0],
        "validation_regression_accuracy": [1],
    }
    assert [entry.label for entry in compared(*paths, sort="validation_r2").entries] == ["b", "a"]
    assert [entry.label for entry in compared(*paths, sort="validation_mean_absolute_error").entries] == ["a", "b"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "metrics"),
    [((), "[]"), (BINARY, "[auc, f1]"), (SINE, "[r2]"), (SINE, "[mean_absolute_error]"), (SINE, "[]")],
)
def test_run_without_a_score_is_shown_without_a_verdict(train, task, metrics):
    """Its metrics are in the table, and overfitting is not assessed."""
    comparison = compared(train("a", *task), train("b", *task, f"metrics={metrics}"))
    first, second = comparison.entries
    assert first.gap is not None
    assert second.gap is None
    assert second.description.startswith(
        "cannot be assessed for overfitting, which requires accuracy, or both mean_absolute_error and "
    )
    assert second.metrics["validation_loss"] == first.metrics["validation_loss"]
    assert comparison.verdict() is None


def test_runs_of_different_tasks_have_no_verdict(train):
    """Accuracies and errors cannot be compared; the gap of each run is in its own metric."""
    paths = [train("a"), train("b", *SINE), train("c", *BINARY)]
    with pytest.raises(RunError, match=r"their data differs \(training, validation\)"):
        compared(*paths)
    comparison = compared(*paths, different_data=True)
    assert [entry.gap.training.metric for entry in comparison.entries] == [
        "accuracy",
        "mean_absolute_error",
        "accuracy",
    ]
    assert comparison.verdict() is None
    rows = {row.name: row.values for row in comparison.rows}
    assert [value is None for value in rows["accuracy"]] == [False, True, False]
    assert [value is None for value in rows["r2"]] == [True, False, True]
    assert [value is None for value in rows["auc"]] == [True, True, False]


@pytest.mark.slow
def test_runs_of_the_legacy_rng_are_compared_on_their_test_sets(train):
    """A test set sampled after training counts even if another length of training gives another test set."""
    alone = (*LATE_TEST, "validation=null")
    first, second = train("a", *alone), train("b", *alone, "optimizer.learning_rate=0.01")
    comparison = compared(first, second)
    assert [entry.gap.split for entry in comparison.entries] == ["test", "test"]
    assert "test_accuracy" in best(comparison)
    longer = train("c", *alone, "training.epochs=31")
    assert Run(first).fingerprints["test"] != Run(longer).fingerprints["test"]
    assert "test_accuracy" in best(compared(first, longer))


def test_schedule_is_a_difference_in_each_of_its_keys(train):
    """Compared with a run without one, each of its keys is one row, those of a following schedule included."""
    first = train("a")
    second = train("b", "schedule={type: warmup, updates: 5, then: cosine}", "clipping={type: norm, limit: 1}")
    assert compared(first, second).differences == {
        "schedule.type": [None, "warmup"],
        "schedule.updates": [None, 5],
        "schedule.then.type": [None, "cosine"],
        "schedule.then.updates": [None, 25],
        "schedule.then.lowest": [None, 0.0],
        "clipping.type": [None, "norm"],
        "clipping.limit": [None, 1.0],
    }


def test_regression_and_classification_have_no_verdict(train):
    """The order in which they are given does not matter."""
    paths = [train("a"), train("b", *SINE)]
    for order in (paths, paths[::-1]):
        assert compared(*order, different_data=True).verdict() is None
