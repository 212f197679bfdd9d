"""The panel of a group: what it shows at each width, and the plain lines elsewhere."""

import io

import pytest
from rich.console import Console

from nncli.cli.render.group_panel import HINT, GroupPanel, PlainGroupView
from nncli.sweep.overview import Overview
from nncli.sweep.progress import Progress
from tests.sweep.groups import group_in


def lines_of(panel, width, height=30):
    """The lines that a terminal of this size shows."""
    console = Console(width=width, height=height, file=io.StringIO(), force_terminal=True, color_system=None)
    console.print(panel)
    return console.file.getvalue().splitlines()


@pytest.fixture
def overview(tmp_path):
    """Four trials have ended, and one is trained."""
    found = Overview(group_in(tmp_path))
    for number, value in enumerate([0.9, 0.5, 0.7]):
        found.take(Progress(number, "finished", (f"optimizer.type=adam{number}", "seed=0"), 1.0, value))
    found.take(Progress(3, "failed", message="no data"))
    found.take(Progress(4, "running", part=0.25))
    return found


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_every_line_fits(overview, width):
    """The border is as wide as the terminal."""
    lines = lines_of(GroupPanel(overview), width)
    assert {len(line) for line in lines} == {width}
    assert (lines[0][0], lines[-1][-1]) == ("╭", "╯")


def test_panel_shows_counts_best_and_curve(overview):
    """And what is trained, with the hint how to stop; the end shows neither."""
    panel = GroupPanel(overview)
    text = "\n".join(lines_of(panel, 100))
    assert "group · 6 trials" in text
    assert "trials 4/6" in text
    assert " left" in text
    assert "1 running · 3 finished · 1 failed" in text
    assert "0004 25%" in text
    assert "best trial validation_loss 0.5000  0001  optimizer.type=adam1" in text
    assert "trial 3" in text
    assert HINT in text
    panel.is_running = False
    after = "\n".join(lines_of(panel, 100))
    assert HINT not in after
    assert " left" not in after
    assert "0004 25%" not in after


def test_a_low_terminal_has_no_curve(overview):
    """Only the lines that say most."""
    assert len(lines_of(GroupPanel(overview), 80, height=11)) < len(lines_of(GroupPanel(overview), 80))


def test_nothing_is_known_at_first(tmp_path):
    """Neither a best trial nor the time left."""
    text = "\n".join(lines_of(GroupPanel(Overview(group_in(tmp_path))), 80))
    assert "trials 0/6" in text
    assert "best" not in text


def test_plain_lines_are_few_and_each_reason_is_told_once(tmp_path, capsys):
    """Of hundreds of trials about twenty lines, and the last one has all."""
    overview = Overview(group_in(tmp_path, seeds=list(range(200))))
    view = PlainGroupView(overview)
    for number in range(398):
        view.show(Progress(number, "running"))
        view.show(Progress(number, "finished", ("optimizer.type=sgd",), 1.0, 400.0 - number))
    for number in (398, 399):
        view.show(Progress(number, "failed", message="no data\nat all"))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) <= 23
    assert lines[0] == "trials 1/400  best trial validation_loss 400.0 (optimizer.type=sgd)"
    assert lines[-1] == "trials 400/400  2 failed  best trial validation_loss 3.000 (optimizer.type=sgd)"
    assert [line for line in lines if "no data" in line] == ["0398 failed: no data"]


def test_trials_of_before_are_not_told_again(tmp_path, capsys):
    """They count, but print nothing."""
    view = PlainGroupView(Overview(group_in(tmp_path)))
    view.show(Progress(0, "finished", (), 1.0, 1.0, is_new=False))
    assert capsys.readouterr().err == ""
    view.show(Progress(1, "finished", (), 1.0, 1.0))
    assert capsys.readouterr().err.startswith("trials 2/6")
