"""What a page shows, read back from its bytes, beside what the run predicts and evaluates."""

import json
import re

import numpy as np
import pytest

import nncli
from nncli.report.page.columns import REPEATS, SEED
from nncli.report.page.content import report_of
from nncli.report.page.html import html
from nncli.report.trained_run import TrainedRun
from nncli.store.run_reader import Run
from tests.report.page.browser import BROWSER, opened
from tests.report.page.conftest import ROWS

CELLS = """((title) => {
    const titles = [...document.querySelectorAll("article > h3")];
    const shown = titles.find((each) => each.textContent === title).parentNode;
    return [...shown.querySelectorAll("tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent));
})"""  # the texts of a table by the title of its block


def block(runs, name, title):
    """A block of the data in a page, by its title."""
    page = html(report_of([Run(runs / name)])).decode()
    data = json.loads(re.search('<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])
    found = [each for section in data["sections"] for each in section["blocks"] if each["title"] == title]
    assert len(found) == 1
    return found[0]


@pytest.fixture
def predicted(runs):
    """The outputs (N, 3) and the classes (N,) of the validation rows of ``classes``."""
    data = TrainedRun(Run(runs / "classes")).experiment.data["validation"]
    return nncli.load(runs / "classes").predict(np.asarray(data.inputs)), np.asarray(data.targets)


def points(series):
    return np.column_stack([series["x"], series["y"]])


def test_roc_points_are_rates_at_thresholds(runs, predicted):
    """Each point is the pair of rates at a threshold; the area is the share of pairs in the right order."""
    outputs, classes = predicted
    for label, series in enumerate(block(runs, "classes", "ROC")["series"]):
        scores, positive = outputs[:, label], classes == label
        chosen = [scores >= threshold for threshold in [np.inf, *np.unique(scores)]]
        rates = np.array([[each[~positive].mean(), each[positive].mean()] for each in chosen])
        found = points(series)
        assert np.abs(found[:, None] - rates[None]).max(axis=2).min(axis=1).max() < 1e-9
        assert (found[0].tolist(), found[-1].tolist()) == ([0, 0], [1, 1])
        pairs = scores[positive][:, None] - scores[~positive][None]
        area = (np.diff(found[:, 0]) * (found[1:, 1] + found[:-1, 1]) / 2).sum()
        assert area == pytest.approx((pairs > 0).mean() + (pairs == 0).mean() / 2, abs=1e-9)


def test_precision_and_recall_are_those_at_thresholds(runs, predicted):
    """Each point with a recall above 0 is that of a threshold."""
    outputs, classes = predicted
    for label, series in enumerate(block(runs, "classes", "Precision and recall")["series"]):
        scores, positive = outputs[:, label], classes == label
        chosen = [scores >= threshold for threshold in np.unique(scores)]
        pairs = np.array([[each[positive].mean(), positive[each].mean()] for each in chosen])
        found = points(series)
        found = found[found[:, 0] > 0]
        assert len(found) > 5
        assert np.abs(found[:, None] - pairs[None]).max(axis=2).min(axis=1).max() < 1e-9


def test_calibration_bins_are_means_of_their_rows(runs, predicted):
    """Mean confidence and accuracy of the rows of each tenth; the error is in the message."""
    outputs, classes = predicted
    confidence, right = outputs.max(axis=1).astype(np.float64), outputs.argmax(axis=1) == classes
    bins = np.ceil(confidence * 10)
    expected = np.array([[confidence[bins == each].mean(), right[bins == each].mean()] for each in np.unique(bins)])
    shown = block(runs, "classes", "Calibration")
    np.testing.assert_allclose(points(shown["series"][0]), expected, rtol=1e-6)
    sizes = np.array([(bins == each).mean() for each in np.unique(bins)])
    error = (sizes * np.abs(expected[:, 0] - expected[:, 1])).sum()
    assert shown["message"].startswith(f"Expected calibration error {error:.3f}: ")


def test_residuals_are_targets_minus_predictions(runs):
    """Each validation row is a point, and in a bar."""
    data = TrainedRun(Run(runs / "fit")).experiment.data["validation"]
    targets = np.asarray(data.targets).ravel()
    predictions = nncli.load(runs / "fit").predict(np.asarray(data.inputs)).ravel()
    np.testing.assert_allclose(
        points(block(runs, "fit", "Predictions of y")["series"][0]), np.column_stack([targets, predictions]), rtol=1e-6
    )
    bars = block(runs, "fit", "Residuals of y")["series"][0]
    expected, _ = np.histogram(targets.astype(np.float64) - predictions, bars["x"])
    assert bars["y"] == expected.tolist()


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
def test_cells_of_tables_are_those_of_the_run(runs, tmp_path):
    """Confusion matrix and permutation importance, as texts of the page.

    The importance is computed again from the lines of the file, one column of which is shuffled.
    """
    path = tmp_path / "report.html"
    path.write_bytes(html(report_of([Run(runs / "table")])))
    with opened(path, tmp_path / "profile") as page:
        matrix = page.evaluate(f"{CELLS}('Confusion matrix')")
        importance = page.evaluate(f"{CELLS}('Columns and their importance')")
    run, raw = nncli.load(runs / "table"), TrainedRun(Run(runs / "table")).raw("validation")
    evaluated = run.evaluate(["validation"])["validation"]
    assert [[int(cell) for cell in row[1:]] for row in matrix] == evaluated["confusion"]
    assert [row[0] for row in matrix] == [each["name"] for each in evaluated["classes"]]
    names = ROWS[0].split(",")
    rows = [dict(zip(names, ROWS[raw.line(index) - 1].split(","), strict=True)) for index in range(len(raw))]
    actual = [list(run.classes_).index(row.pop("kind")) for row in rows]

    def loss(rows):
        probabilities = run.predict_proba(rows)[np.arange(len(rows)), actual].astype(np.float64)
        return -np.log(np.clip(probabilities, 1e-7, 1 - 1e-7)).mean()

    generator = np.random.default_rng(SEED)
    orders = [generator.permutation(len(rows)) for _ in range(REPEATS)]
    assert len(importance) == 3
    for name, _, _, _, mean, deviation in importance:
        shuffled = [[{**row, name: rows[at][name]} for row, at in zip(rows, order, strict=True)] for order in orders]
        rises = np.array([loss(each) - loss(rows) for each in shuffled])
        np.testing.assert_allclose([float(mean), float(deviation)], [rises.mean(), rises.std()], rtol=2e-3, atol=2e-5)
