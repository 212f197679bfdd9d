"""A display that is redrawn in place: pace, cursor, and terminals that change their width."""

import io
import re
import threading
import time

import pytest
from rich.console import Console
from rich.text import Text

from nncli.cli.render import live
from nncli.cli.render.live import Frames, drawn

UP = "\x1b[1A"


@pytest.fixture
def console():
    """A terminal of 40 columns that is written to a string."""
    return Console(file=io.StringIO(), force_terminal=True, width=40, height=20)


@pytest.mark.parametrize(("width", "added"), [(40, 0), (60, 0), (39, 2), (20, 2), (10, 6)])
def test_lines_broken_by_a_narrower_terminal_are_erased(console, width, added):
    """A terminal breaks two lines of 40 columns into as many as they need; a wider one breaks none."""
    frames = Frames(console, Text("a" * 40 + "\n" + "b" * 40))
    frames()
    console.width = width
    frames()
    assert console.file.getvalue().count(UP) == added


def test_cursor_is_below_the_frame(console):
    """On an empty line, where an echoed Ctrl-C breaks no line of the frame."""
    console.print(Frames(console, Text("line"))(), end="")
    assert console.file.getvalue() == "line\n\n"


def test_last_frame_is_drawn_at_the_end(capfd, monkeypatch):
    """Also if no other frame was due, and also after an error."""
    monkeypatch.setattr(live, "SHORTEST", 60.0)
    with pytest.raises(KeyError), drawn(Text("panel")):
        raise KeyError
    assert re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", capfd.readouterr().err).split() == ["panel"]


def test_frames_that_are_slow_to_draw_are_drawn_less_often(monkeypatch):
    """Drawing takes a small part of the time, unless the frames are a second apart."""
    costs, waited = iter([0.0, 0.006, 0.018, 9.0]), []

    class Over:
        def wait(self, seconds):
            waited.append(seconds)
            return len(waited) == 5

    class Drawing:
        def update(self, frame, refresh):
            assert (frame, refresh) == ("frame", True)
            clock.append(clock[-1] + next(costs))

    clock = [0.0]
    monkeypatch.setattr(live, "thread_time", lambda: clock[-1])
    live.draw(Drawing(), lambda: "frame", Over())
    assert waited == pytest.approx([0.125, 0.125, 0.2, 0.6, 1.0])


def test_another_thread_draws_while_the_block_runs():
    """The block need not do anything."""
    threads = []

    class Panel:
        def __rich__(self):
            threads.append(threading.current_thread())
            return Text("panel")

    with drawn(Panel()):
        deadline = time.monotonic() + 10
        while not threads and time.monotonic() < deadline:
            time.sleep(0.01)
    assert threads[0] is not threading.main_thread()
    assert threads[-1] is threading.main_thread()
