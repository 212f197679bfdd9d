"""The parts of a page that are made by hand: each function of the script beside what it has to draw or say."""

import json

import numpy as np
import pytest

from nncli.report.page.blocks import (
    Chart,
    Column,
    Fit,
    Mark,
    Matrix,
    Plane,
    Player,
    Report,
    Section,
    Series,
    Table,
    Text,
    Units,
    base64,
)
from nncli.report.page.html import html
from tests.report.page.browser import BROWSER, opened

pytestmark = [pytest.mark.slow, pytest.mark.skipif(BROWSER is None, reason="needs Chromium")]

LINE = Chart(
    "line",
    "",
    "epoch",
    "y",
    [Series("a", [10, 20, 30], [1, 50, 1000], dash=1)],
    [Mark(30, "kept")],
    is_logarithmic=True,
)
BARS = Chart("bars", "", "x", "rows", [Series("b", [0, 1, 3], [4, 8], "bars")])
POINTS = Chart("points", "", "x", "y", [Series("a", [1, 2], [3, 4]), Series("b", [5], [0])])
TABLE = Table(
    "table",
    "",
    [Column("name"), Column("n", "number"), Column("share", "bar"), Column("value", "code")],
    [["one", 12.34567, 0.5, "x=1"], ["two", None, -0.25, None]],
)
MATRIX = Matrix("matrix", "", ["cat", "dog"], [[8, 2], [0, 5]])
CELLS = np.array([[0, 100], [200, 127]], np.uint8)  # two classes of 128 levels; lowest row first
PLANE = Plane(
    ["wide", "high"],
    [0, 10],
    [0, 4],
    2,
    2,
    ["no", "yes"],
    128,
    0,
    1,
    [base64(CELLS), base64(CELLS[::-1])],
    [[2, 1, 1]],
    "training",
)
VIEWS = base64(np.repeat(np.arange(5, dtype=np.uint8) * 50, 4))  # of five units of 2 × 2 cells
UNITS = Units(
    2, ["wide", "high"], ["no", "yes"], ["relu", "outputs"], [3, 2], [VIEWS, VIEWS],
    [[[1, -2, 3, 4, 5, 6], [1] * 6], [[0] * 6, [0] * 6]], [1, 0],
)  # fmt: skip
LOSSES = Chart("losses", "", "epoch", "loss", [Series("training", [0, 5, 9], [3.0, 2.0, 1.0])])
PLAYER = Player("player", "", [0, 9], 1, PLANE, UNITS, LOSSES)
FIT = Player("fit", "", [0, 9], 1, Fit("x", "y", ["y"], [0, 1], [[[1, 2]], [[3, 4]]], [], None), None, None)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page of these blocks, with ``block`` by title."""
    directory = tmp_path_factory.mktemp("scripts")
    found = [Text("text", ["said"], ["beware"]), LINE, BARS, POINTS, TABLE, MATRIX, PLAYER, FIT]
    (directory / "page.html").write_bytes(html(Report("t", "s", [Section("all", "All", found)], "0")))
    with opened(directory / "page.html", directory / "profile") as opened_page:
        opened_page.wait_for("document.querySelectorAll('svg.chart .line').length > 2")
        opened_page.evaluate(
            "globalThis.block = Object.fromEntries(report.sections[0].blocks.map((each) => [each.title, each])); 0"
        )
        yield opened_page


def article(index, selector, read="each.textContent"):
    """An expression: something of each element that a selector finds in an article."""
    return f"[...document.querySelectorAll('article')[{index}].querySelectorAll('{selector}')].map((each) => {read})"


def attributes(page, index, selector, *names):
    read = f"{json.dumps(names)}.map((name) => each.getAttribute(name))"
    return page.evaluate(article(index, selector, read))


def test_warnings_come_before_sentences(page):
    """Each as a paragraph."""
    assert page.evaluate(article(0, "p")) == ["Warning: beware", "said"]


def test_points_are_where_the_ticks_say(page):
    """On a logarithmic scale, from the left edge to the right one, with the dash of the series."""
    (line,) = attributes(page, 1, ".line", "d", "stroke-dasharray")
    points = np.array([list(map(float, each.split())) for each in line[0].replace("L", "M").split("M")[1:]])
    assert line[0].count("M") == 1
    assert line[1] == "6 4"
    grid = np.array(attributes(page, 1, ".grid", "x1", "x2", "y1", "y2"), float)
    across, up = grid[grid[:, 0] == grid[:, 1]], grid[grid[:, 2] == grid[:, 3]]
    texts = page.evaluate(article(1, ".axes text:not(.name)"))
    values = [float(text) for text in texts]
    x, y = values[: len(across)], values[len(across) :]
    np.testing.assert_allclose(points[:, 0], np.interp([10, 20, 30], x, across[:, 0]), atol=0.1)
    slope, start = np.polyfit(np.log10(y), up[:, 2], 1)
    assert slope < 0
    np.testing.assert_allclose(points[:, 1], start + slope * np.log10([1, 50, 1000]), atol=0.2)
    np.testing.assert_allclose(points[[0, -1], 0], up[0, :2], atol=0.1)
    (mark,) = attributes(page, 1, ".mark line", "x1")
    assert float(mark[0]) == pytest.approx(points[-1, 0], abs=0.1)
    assert page.evaluate(article(1, ".mark text")) == ["kept"]


def test_bars_stand_on_0_between_their_edges(page):
    """As high as their counts, and as wide as their bins, but for a gap of one pixel."""
    bars = np.array(attributes(page, 2, ".bars rect", "x", "y", "width", "height"), float)
    assert bars[1, 3] == pytest.approx(2 * bars[0, 3])
    assert bars[:, 1] + bars[:, 3] == pytest.approx(bars[0, 1] + bars[0, 3])
    assert bars[1, 2] + 1 == pytest.approx(2 * (bars[0, 2] + 1))
    assert bars[1, 0] == pytest.approx(bars[0, 0] + bars[0, 2] + 1)


def test_chart_is_read_and_zoomed_by_keys_and_mouse(page):
    """To the right and to the left, half of the axis, a part that is dragged either way, and everything again."""
    page.evaluate("globalThis.made = new Chart(block.line); document.body.append(made.node); made.draw(); 0")
    press = "made.key({key: '%s', preventDefault() {}}); made.readout.textContent"
    assert page.evaluate(press % "ArrowRight") == "epoch 10: a 1"
    assert page.evaluate(press % "ArrowRight") == "epoch 20: a 50"
    assert page.evaluate(press % "ArrowLeft") == "epoch 10: a 1"
    assert page.evaluate(f"{press % 'ArrowRight'}; {press % '+'}; made.zoom") == [15, 25]
    assert page.evaluate(f"{press % '0'}; made.zoom") == [10, 30]
    at = "{clientX: made.svg.getBoundingClientRect().left + made.x(%d)}"
    found = page.evaluate(f"made.from = 25; made.release({at % 15}); made.zoom")
    assert found == pytest.approx([15, 25])
    assert page.evaluate("made.isLogarithmic")
    assert not page.evaluate("new Chart(block.points).canBeLogarithmic")


def test_data_of_series_with_other_positions_is_a_row_for_each_point(page):
    """The series, x and y; else a column for each series."""
    listed = """((kept) => {
        globalThis.details = (title, columns, rows) => rows();
        const rows = %s;
        globalThis.details = kept;
        return rows;
    })(details)"""
    assert page.evaluate(listed % "new Chart(block.points).details()") == [["a", 1, 3], ["a", 2, 4], ["b", 5, 0]]
    assert page.evaluate(listed % "new Chart(block.line).details()") == [[10, 1], [20, 50], [30, 1000]]
    plane = "(() => { const made = new PlaneView(block.player.view, ''); made.frame = 0; return made.details(''); })()"
    expected = [[2.5, 1, "no", 0.5], [7.5, 1, "no", 0.5 + 0.5 * 100 / 127], [2.5, 3, "yes", 0.5 + 0.5 * 72 / 127]]
    for row, wanted in zip(page.evaluate(listed % plane), expected, strict=False):
        assert (row[:3], row[3]) == (wanted[:3], pytest.approx(wanted[3]))
    weights = page.evaluate(
        listed % "(() => { const made = new UnitsView(block.player.units); return made.details(); })()"
    )
    assert weights[:4] == [
        ["relu", "wide", "0", 1],
        ["relu", "wide", "1", -2],
        ["relu", "wide", "2", 3],
        ["relu", "high", "0", 4],
    ]
    assert weights[6:9] == [["outputs", "0", "0", 1], ["outputs", "0", "1", 1], ["outputs", "1", "0", 1]]


def test_cells_of_a_table_follow_the_kind_of_their_column(page):
    """Numbers have four digits, bars a length and a sign, and a dash stands for no value."""
    assert page.evaluate(article(4, "tbody tr", "[...each.children].map((cell) => cell.textContent)")) == [
        ["one", "12.35", "0.5000", "x=1"],
        ["two", "–", "-0.2500", "–"],
    ]
    assert attributes(page, 4, "rect", "width", "class") == [["100", "positive"], ["50", "negative"]]


def test_matrix_has_actual_classes_down_and_predicted_ones_across(page):
    """A cell says what it counts; its shade is the tenth of its row, and right ones have a frame."""
    assert page.evaluate(article(5, "tr", "[...each.children].map((cell) => cell.textContent)")) == [
        ["actual ↓ predicted →", "cat", "dog"],
        ["cat", "8", "2"],
        ["dog", "0", "5"],
    ]
    assert attributes(page, 5, "td.number", "class", "title") == [
        ["number share-8 right", "8 of 10: cat predicted as cat"],
        ["number share-2", "2 of 10: cat predicted as dog"],
        ["number share-0", "0 of 5: dog predicted as cat"],
        ["number share-10 right", "5 of 5: dog predicted as dog"],
    ]


def test_points_of_a_plane_are_at_their_inputs(page):
    """To the right and upwards, in the shape and the color of their class."""
    assert page.evaluate("""(() => {
        const made = new PlaneView(block.player.view, ""), kept = outline, found = [];
        globalThis.outline = (...all) => { found.push(all.slice(0, 3)); return ""; };
        const context = { stroke() {}, fill() { found.push(this.fillStyle === colorOf(1)); } };
        made.drawPoints(context, (value) => 100 * value, (value) => 1000 * value);
        globalThis.outline = kept;
        return found;
    })()""") == [[1, 200, 1000], True]
    left, right, bottom, top = page.evaluate("""(() => {
        const made = new PlaneView(block.player.view, ""), found = [];
        document.body.append(made.node);
        made.drawPoints = (context, x, y) => found.push(x(0), x(10), y(0), y(4));
        made.draw();
        return found;
    })()""")
    assert left < right
    assert bottom > top


def test_bytes_of_a_regression_go_from_the_lowest_to_the_highest_value(page):
    """Byte 0 is the lowest value, byte 255 the highest."""
    made = "new PlaneView({ ...block.player.view, names: null, low: -1, high: 4 }, '')"
    assert page.evaluate(f"[0, 51, 255].map((byte) => {made}.value(byte))") == pytest.approx([-1, 0, 4])


def test_views_and_weights_of_units_are_those_of_the_frame(page):
    """The nearest epoch; a line from each unit to each of the next layer, dashed if its weight is negative."""
    assert page.evaluate("""(() => {
        const made = new UnitsView(block.player.units), lines = [];
        made.draw = () => {};
        made.show(1);
        const context = new Proxy({}, { get: (_, name) => (...all) => lines.push([name, ...all]), set: () => true });
        made.drawWeights(context, [2, 3, 2], (column) => 100 * column, (column, row) => 1000 * column + 10 * row, 4);
        const of = (name) => lines.filter((each) => each[0] === name);
        return [of("moveTo").slice(0, 6).map((each) => each[2]), of("bezierCurveTo").slice(0, 6).map((each) => each[6]),
            of("setLineDash").slice(0, 3).map((each) => each[1].length), made.frame];
    })()""") == [[2, 2, 2, 12, 12, 12], [1002, 1012, 1022, 1002, 1012, 1022], [0, 2, 0], 0]
    colors, flipped = page.evaluate("""(() => {
        const made = new UnitsView(block.player.units), kept = image, found = [];
        globalThis.image = (width, height, color, flipped) => { found.push([color(0), color(3)], flipped); };
        made.drawView({ drawImage() {}, strokeRect() {} }, 4, 0, 0, 20);
        globalThis.image = kept;
        return found;
    })()""")
    share = 200 / 255 * 2 - 1
    expected = [247 + (213 - 247) * share, 247 + (94 - 247) * share, 247 - 247 * share]
    assert colors == [pytest.approx(expected)] * 2
    assert flipped


def test_player_shows_one_epoch_everywhere(page):
    """The frame of the view and of the units, the losses of that epoch in words, and its line in their chart."""
    page.evaluate("globalThis.made = new Player(block.player); made.show(0); 0")
    state = "[made.caption.textContent, made.losses.now, made.view.frame, made.units.frame]"
    assert page.evaluate(state) == ["epoch 0 · training 3", 0, 0, 1]
    assert page.evaluate(f"made.show(1); {state}") == ["epoch 9 · training 1", 9, 1, 0]
    assert page.evaluate("made = new Player(block.fit); made.show(0); made.view.lines[0].y") == [1, 2]
    assert page.evaluate("made.show(1); made.view.lines[0].y") == [3, 4]


def test_colors_are_mixed_and_images_drawn_from_the_right_row(page):
    """Red, green and blue from a text, between two colors, of three bytes of an image, and upside down."""
    assert page.evaluate("channels('#0072b2')") == [0, 0x72, 0xB2]
    assert page.evaluate("between([[0, 0, 0], [10, 20, 30], [20, 40, 60]], 0.75)") == [15, 30, 45]
    assert page.evaluate("between(SIGNS, 0)") == [0, 114, 178]
    assert page.evaluate("PIXELS.rgb(Uint8Array.from([1, 2, 3, 4, 5, 6]))(1)") == [4, 5, 6]
    red = "image(1, 2, (index) => [index ? 200 : 100, 0, 0], %s).getContext('2d').getImageData(0, 0, 1, 1).data[0]"
    assert [page.evaluate(red % flipped) for flipped in ("false", "true")] == [100, 200]


def test_numbers_are_short(page):
    """At an axis, and in a table; the nearest of rising values is found from both sides."""
    assert page.evaluate("[0, 12.5, 2000, 100000, 0.0001].map(tickText)") == ["0", "12.5", "2000", "1e5", "1e-4"]
    assert page.evaluate("[null, 0, 12.34567, 1234567, 2.5e-7].map(figure)") == [
        "–",
        "0",
        "12.35",
        "1,234,567",
        "2.50e-7",
    ]
    assert page.evaluate("[-5, 14, 16, 99].map((x) => nearest([0, 10, 20], x))") == [0, 1, 2, 2]
