"""Reports of runs: their content is that of the runs."""

import json
import shutil

import numpy as np
import pytest

from nncli.analysis.evaluation import assess
from nncli.errors import CommandLineError, RunError
from nncli.report.page import blocks
from nncli.report.page.blocks import Chart, Commands, Matrix, Player, Table, Text
from nncli.report.page.content import report_of
from nncli.report.page.html import html
from nncli.store.run_reader import Run
from tests.conftest import ROOT

OLD = ROOT / "tests" / "compatibility" / "runs_0_4_1"


def of_kind(report, kind):
    return [block for section in report.sections for block in section.blocks if isinstance(block, kind)]


def titled(report, title):
    found = [block for section in report.sections for block in section.blocks if block.title == title]
    assert len(found) == 1, [block.title for section in report.sections for block in section.blocks]
    return found[0]


def test_curves_are_those_of_metrics_csv(runs):
    """Each value of each column, exactly."""
    run = Run(runs / "classes")
    chart = titled(report_of([run]), "loss")
    by_name = {series.name: series for series in chart.series}
    for name, column in {"training": "data_loss", "validation": "validation_loss"}.items():
        assert by_name[name].x.tolist() == run.metrics.column("epoch").tolist()
        assert by_name[name].y.tolist() == run.metrics.column(column).tolist()


def test_matrix_and_scores_are_those_of_evaluate(runs):
    """The confusion matrix of the validation set, and precision, recall and F1 of each class."""
    run = Run(runs / "classes")
    report, evaluated = report_of([run]), assess(run)["splits"]["validation"]
    assert of_kind(report, Matrix)[0].counts.tolist() == evaluated["confusion"]
    scores = titled(report, "Scores of the classes").rows
    assert [row[1:] for row in scores[:3]] == [
        [each[key] for key in ("precision", "recall", "f1", "rows")] for each in evaluated["classes"]
    ]


def test_metrics_are_those_of_the_evaluation(runs):
    """Every metric of every split, and those of a constant prediction."""
    run = Run(runs / "classes")
    table = titled(report_of([run]), "Metrics")
    assert [column.name for column in table.columns] == ["metric", "training", "validation"]
    rows = {row[0]: row[1:] for row in table.rows}
    splits = run.evaluation.splits
    assert rows["accuracy ↑"] == [splits["training"]["accuracy"], splits["validation"]["accuracy"]]
    assert rows["loss ↓"] == [splits["training"]["loss"], splits["validation"]["loss"]]
    assert rows["constant prediction: accuracy"] == [pytest.approx(1 / 3), pytest.approx(1 / 3)]


def test_settings_are_those_that_differ_from_the_defaults(runs):
    """The settings of the config that differ from the defaults, and no others."""
    rows = {row[0]: row[1:] for row in titled(report_of([Run(runs / "classes")]), "Settings").rows}
    assert rows["optimizer.learning_rate"] == ["0.05", "0.001"]
    assert rows["layers[0].units"] == ["8", None]
    assert rows["data"] == ["spiral", None]
    assert rows["training.epochs"] == ["30", None]
    assert not {"optimizer.beta_1", "layers[0].l2", "dtype", "seed"} & set(rows)


def test_each_target_is_shown(runs):
    """Of a regression of several targets; the setting is the list."""
    report = report_of([Run(runs / "targets")])
    rows = {row[0]: row[1:] for row in titled(report, "Settings").rows}
    assert rows["data.target"] == ["[size, noise]", None]
    assert titled(report, "Predictions of size")
    assert titled(report, "Residuals of noise")


def test_commands_reproduce_the_run(runs):
    """They name the run by its path."""
    commands = of_kind(report_of([Run(runs / "classes")]), Commands)[0]
    assert commands.lines[0] == f"nncli train {runs / 'classes'}"


def test_summary_names_network_data_and_result(runs):
    """In sentences that can be read aloud."""
    text = " ".join(of_kind(report_of([Run(runs / "classes")]), Text)[0].sentences)
    assert "classes is a network of 2 → 8 → 3 units with 51 parameters, trained with adam on spiral data" in text
    assert "60 training and 60 validation rows" in text
    assert "accuracy on the validation set is" in text


def test_sections_are_those_that_have_something(runs):
    """No columns of sampled data, no images; the weights are part of the health."""
    found = {section.name: section.blocks for section in report_of([Run(runs / "classes")]).sections}
    assert list(found) == ["summary", "network", "curves", "results", "health", "settings", "reproduction"]
    assert "layers.0.weights (2 × 8)" in [block.title for block in found["health"]]


def test_every_plot_has_a_title_and_a_message(runs):
    """What is drawn is also described as text."""
    for names in (["classes"], ["fit"], ["table"], ["classes", "other"]):
        report = report_of([Run(runs / name) for name in names])
        for block in of_kind(report, Chart | Matrix | Player | blocks.Images | Table):
            assert block.title, names
            assert block.message, block.title


def test_two_reports_of_a_run_are_the_same_bytes(runs):
    """Permutations included."""
    for name in ("classes", "fit", "table"):
        assert html(report_of([Run(runs / name)])) == html(report_of([Run(runs / name)]))


def test_several_runs_are_compared(runs):
    """Curves are overlaid in the color of the run, metrics and settings are side by side."""
    report = report_of([Run(runs / "classes"), Run(runs / "other")])
    loss = titled(report, "loss")
    assert {series.name: (series.color, series.dash) for series in loss.series} == {
        "classes, training": (0, 0),
        "classes, validation": (0, 1),
        "other, training": (1, 0),
        "other, validation": (1, 1),
    }
    assert [column.name for column in titled(report, "Metrics").columns] == ["metric", "classes", "other", "best"]
    for name, *values, best in titled(report, "Metrics").rows:
        if values[0] != values[1]:
            is_first = (values[0] > values[1]) == name.endswith("↑")
            assert best == ("classes" if is_first else "other"), name
    assert ["optimizer.learning_rate", "0.05", "0.01"] in titled(report, "Settings").rows
    assert {player.title for player in of_kind(report, Player)} == {
        "classes: Decision boundary",
        "other: Decision boundary",
    }


def test_warnings_of_several_runs_name_their_run(runs, monkeypatch):
    """In the summary of a comparison; that of one run needs no name."""
    monkeypatch.setattr(Run, "warnings", property(lambda _: [{"message": "it learned nothing"}]))
    both, one = report_of([Run(runs / "classes"), Run(runs / "other")]), report_of([Run(runs / "classes")])
    assert of_kind(both, Text)[0].warnings == ["classes: it learned nothing", "other: it learned nothing"]
    assert of_kind(one, Text)[0].warnings == ["it learned nothing"]


def test_runs_on_different_data_are_rejected(runs):
    """As by compare, unless that is allowed."""
    different = [Run(runs / "classes"), Run(runs / "fit")]
    with pytest.raises(RunError, match="data"):
        report_of(different)
    assert report_of(different, different_data=True).title == "Comparison of runs"
    with pytest.raises(CommandLineError, match="given twice"):
        report_of([different[0], different[0]])


def test_missing_data_is_reported_in_its_place(runs, tmp_path):
    """The report of a run whose file is gone has its curves, and the reason why the rest is missing."""
    run = tmp_path / "runs" / "table"
    shutil.copytree(runs / "table", run)
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert record["spec"]["data"]["path"]
    moved = runs.parent / "data.csv"
    moved.rename(tmp_path / "elsewhere.csv")
    try:
        report = report_of([Run(run)])
    finally:
        (tmp_path / "elsewhere.csv").rename(moved)
    assert "data.csv" in titled(report, "What is missing").warnings[0]
    assert titled(report, "loss").series
    assert not of_kind(report, Matrix)


@pytest.mark.parametrize("name", sorted(path.name for path in OLD.iterdir() if path.is_dir()))
def test_runs_of_0_4_1_show_what_there_is(name, tmp_path):
    """They have no snapshots and no records of health; curves, settings and commands are there."""
    run = tmp_path / name
    shutil.copytree(OLD / name, run)
    report = report_of([Run(run)])
    names = [section.name for section in report.sections]
    assert {"summary", "settings", "reproduction"} <= set(names)
    for player in of_kind(report, Player):
        assert len(player.epochs) == 1
    assert b"<main>" in html(report)


def test_summary_names_the_epoch_of_the_checkpoint(tmp_path):
    """Of a run that is not finished: it may be another one than that of the newest metrics."""
    shutil.copytree(OLD / "killed", tmp_path / "killed")
    found = of_kind(report_of([Run(tmp_path / "killed")]), Text)[0].sentences[0]
    assert found.endswith("metrics of epoch 8; predictions and weights are of epoch 3, the newest checkpoint.")


def test_health_is_that_of_health_csv(runs):
    """The norms of the gradients by layer."""
    run = Run(runs / "classes")
    chart = titled(report_of([run]), "Gradients")
    expected = run.health.layers()
    assert [series.name for series in chart.series] == ["layer 0 (dense)", "layer 2 (dense)"]
    for series, layer in zip(chart.series, (0, 2), strict=True):
        np.testing.assert_array_equal(series.y, expected[layer]["gradient_norm"])
