"""The page in a browser: what it draws, logs and requests, by keyboard and by mouse; skipped without Chromium."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from nncli.inference.predictor import Predictor
from nncli.report.page.blocks import Chart, Mark, Report, Section, Series
from nncli.report.page.content import report_of
from nncli.report.page.html import html
from nncli.store.run_reader import Run
from tests.report.page.browser import BROWSER, opened
from tests.report.page.test_html import HOSTILE
from tests.report.page.test_html import report as hostile_report

AXE = os.environ.get("AXE_CORE")
SIZES = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
MOMENT = "document.querySelector('.moment-text').textContent"
BUTTON = "document.querySelector('.play').textContent"
TICKS = "[...document.querySelectorAll('#curves article:first-child .axes text')].map((text) => text.textContent)"

ROWS = "document.querySelectorAll('#curves details tbody tr')"
PIXELS = """(() => {
    const picture = made.picture(), context = picture.getContext("2d"), found = [];
    for (let row = 0; row < made.view.height; row += 1) {
        for (let column = 0; column < made.view.width; column += 1) {
            const x = column * ENLARGED + 2, y = (made.view.height - row) * ENLARGED - 3;
            found.push([...context.getImageData(x, y, 1, 1).data].slice(0, 3));
        }
    }
    return found;
})()"""  # the color in the middle of each cell

pytestmark = [pytest.mark.slow, pytest.mark.skipif(BROWSER is None, reason="needs Chromium")]


@pytest.fixture
def page_of(runs, tmp_path):
    """A function that opens the report of some runs in the browser."""

    def open_page(*names):
        path = tmp_path / "report.html"
        path.write_bytes(html(report_of([Run(runs / name) for name in names])))
        return opened(path, tmp_path / "profile")

    return open_page


@pytest.mark.parametrize("names", [("classes",), ("fit",), ("table",), ("classes", "other")], ids=" ".join)
def test_page_logs_nothing_requests_nothing_and_fits(page_of, names):
    """At both widths and in both schemes: no message, no request but the file, nothing wider than the window."""
    with page_of(*names) as page:
        for width, scheme in SIZES:
            page.load(width, scheme)
            page.wait_for("document.querySelectorAll('svg.chart .line, svg.chart .bars').length > 0")
            assert page.messages == []
            assert [url.partition(":")[0] for url in page.requests] == ["file"]
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


@pytest.mark.skipif(AXE is None, reason="AXE_CORE names no axe.min.js")
@pytest.mark.parametrize("names", [("classes", "other"), ("table",)], ids=" ".join)
def test_axe_finds_no_violation(page_of, names):
    """Landmarks, labels and contrast, with the data of all plots shown as tables."""
    axe = Path(AXE).read_text(encoding="utf-8")
    found = "axe.run().then((found) => found.violations.map((each) => [each.id, each.nodes.map((node) => node.html)]))"
    with page_of(*names) as page:
        for width, scheme in SIZES:
            page.load(width, scheme)
            page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            page.evaluate(f"{axe}; 0")
            assert page.evaluate(found) == []


def test_player_by_keyboard(page_of):
    """Home, End and the arrow keys on the slider, and space, which plays and pauses."""
    with page_of("classes") as page:
        assert page.evaluate(MOMENT).startswith("epoch 30 · training loss")
        page.evaluate("document.querySelector('.bar-of-player input').focus()")
        page.press("Home")
        assert page.evaluate(MOMENT).startswith("epoch 0 ·")
        page.press("ArrowRight")
        assert page.evaluate(MOMENT).startswith("epoch 10 ·")
        page.press("ArrowLeft")
        page.press("End")
        assert page.evaluate(MOMENT).startswith("epoch 30 ·")
        page.press("Home")
        page.press(" ")
        assert page.evaluate(BUTTON) == "Pause"
        page.press(" ")
        assert page.evaluate(BUTTON) == "Play"
        page.press(" ")
        page.wait_for(f"{MOMENT}.startsWith('epoch 30') && {BUTTON} === 'Play'")


def test_player_by_mouse(page_of):
    """A click on the button plays to the end; the slider is dragged."""
    with page_of("fit") as page:
        page.drag(".play", 0.5, 0.5)
        page.wait_for(f"{MOMENT}.startsWith('epoch 0') || {MOMENT}.startsWith('epoch 10')")
        page.wait_for(f"{MOMENT}.startsWith('epoch 40') && {BUTTON} === 'Play'")
        page.drag(".bar-of-player input", 0.99, 0.0)
        assert page.evaluate(MOMENT).startswith("epoch 0 ·")


def test_chart_is_zoomed_and_scaled(page_of):
    """A range is dragged, and everything is shown again; the keys do the same, and read the values."""
    with page_of("classes") as page:
        page.wait_for(f"{TICKS}.length > 0")
        everything = page.evaluate(TICKS)
        page.drag("#curves svg.chart", 0.4, 0.7)
        assert page.evaluate(TICKS) != everything
        page.press("0")
        assert page.evaluate(TICKS) == everything
        page.press("ArrowRight")
        assert re.match(
            r"epoch \d+: training 0?\.?\d+", page.evaluate("document.querySelector('#curves .readout').textContent")
        )
        scale = "document.querySelector('#curves button[aria-pressed]')"
        before = page.evaluate(f"{scale}.getAttribute('aria-pressed')")
        page.drag("#curves button[aria-pressed]", 0.5, 0.5)
        assert page.evaluate(f"{scale}.getAttribute('aria-pressed')") != before


def test_curve_is_drawn_where_its_values_are(page_of, runs):
    """The table of a chart has the values of metrics.csv; the line has a point for each of them."""
    with page_of("classes") as page:
        page.evaluate("document.querySelector('#curves details').open = true")
        page.wait_for(f"{ROWS}.length > 0")
        cells = f"[...{ROWS}].map((row) => [...row.children].map((cell) => cell.textContent))"
        shown = [[float(text) for text in row] for row in page.evaluate(cells)]
        drawn = page.evaluate("document.querySelector('#curves .line').getAttribute('d').split(/[ML]/).length - 1")
    metrics = Run(runs / "classes").metrics
    expected = np.column_stack([metrics.column(name) for name in ("epoch", "data_loss", "validation_loss")])
    np.testing.assert_allclose(shown, expected, rtol=1e-3)
    assert drawn == len(metrics)


def test_marks_are_drawn(tmp_path):
    """A vertical line with its label, and nothing else beside the parts of the chart."""
    chart = Chart("a", "b", "x", "y", [Series("s", [0, 1, 2], [1, 2, 3])], [Mark(1, "kept weights")])
    path = tmp_path / "report.html"
    path.write_bytes(html(Report("a", "b", [Section("curves", "c", [chart])], "0")))
    with opened(path, tmp_path / "profile") as page:
        page.wait_for("document.querySelector('svg.chart .mark text')?.textContent === 'kept weights'")
        assert page.evaluate("[...document.querySelector('svg.chart').childNodes].every((node) => node.nodeType === 1)")


@pytest.mark.parametrize("frame", [0, 3])
def test_boundary_is_what_the_network_predicts(page_of, runs, frame):
    """Class and probability of each cell, read back from the page, and the color of its middle on the canvas."""
    with page_of("classes") as page:
        page.evaluate(
            f"globalThis.made = new PlaneView(report.sections[1].blocks[0].view, 'a'); made.frame = {frame}; 0"
        )
        view = page.evaluate("(({frames, points, ...rest}) => rest)(made.view)")
        cells = np.array(page.evaluate("[...made.cells[made.frame]]"))
        shown = page.evaluate("[...made.cells[made.frame]].map((byte) => [made.band(byte), made.value(byte)])")
        pixels = page.evaluate(PIXELS)
        colors = page.evaluate("made.view.names.map((_, index) => channels(colorOf(index)))")
    places = [
        low + (np.arange(count) + 0.5) * (high - low) / count
        for (low, high), count in ((view["x"], view["width"]), (view["y"], view["height"]))
    ]
    inputs = np.column_stack([np.tile(places[0], view["height"]), np.repeat(places[1], view["width"])])
    run = Run(runs / "classes")
    outputs = Predictor(run, list(run.snapshots)[frame]).predict(inputs)
    assert [band for band, _ in shown] == outputs.argmax(axis=1).tolist()
    step = (1 - 1 / 3) / (view["levels"] - 1)
    np.testing.assert_allclose([value for _, value in shown], outputs.max(axis=1), atol=step / 2 + 1e-6)
    assert len(set(cells)) > 1
    certain = np.flatnonzero(outputs.max(axis=1) > 0.9)
    nearest = [
        min(range(3), key=lambda each: sum((a - b) ** 2 for a, b in zip(colors[each], pixels[index], strict=True)))
        for index in certain.tolist()
    ]
    agreeing = np.mean(np.array(nearest) == outputs.argmax(axis=1)[certain]) if len(certain) else 1.0
    assert agreeing > 0.99


def test_hostile_names_do_nothing(tmp_path):
    """Titles, cells and headings that are HTML, scripts or control characters are shown as they are."""
    path = tmp_path / "report.html"
    path.write_bytes(html(hostile_report(*HOSTILE)))
    with opened(path, tmp_path / "profile") as page:
        assert page.messages == []
        assert page.evaluate("window.attacked === undefined")
        assert len(page.requests) == 1
        assert page.evaluate("document.querySelectorAll('img, script:not([type])').length") == 1
        assert page.evaluate("document.querySelector('h3').textContent") == HOSTILE[0]


def test_reduced_motion_is_played_slowly(page_of):
    """A frame stays for more than half a second."""
    with page_of("classes") as page:
        page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
        page.drag(".play", 0.5, 0.5)
        started = page.evaluate("performance.now()")
        page.wait_for(f"{MOMENT}.startsWith('epoch 30') && {BUTTON} === 'Play'")
        assert page.evaluate("performance.now()") - started > 1500


def test_page_is_printed(page_of, tmp_path):
    """To a PDF with all of its sections."""
    with page_of("classes") as page:
        page.wait_for("document.querySelectorAll('svg.chart .line').length > 0")
        printed = page.call("Page.printToPDF", printBackground=False)["data"]
        assert page.messages == []
    assert printed.startswith("JVBERi0")  # %PDF- as base64
    assert len(printed) > 50_000
