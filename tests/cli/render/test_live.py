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

HIDDEN, SHOWN = "\x1b[?25l", "\x1b[?25h"
SAVED, RESTORED, ERASED = "\x1b7", "\x1b8", "\x1b[J"
CUT, WRAPPED = "\x1b[?7l", "\x1b[?7h"


@pytest.fixture
def console():
    """A terminal of 8 columns that is written to a string."""
    return Console(file=io.StringIO(), force_terminal=True, width=8, height=4)


def drawing_of(console, frames, **options):
    """What is written for the next frame."""
    written = len(console.file.getvalue())
    frames.draw(**options)
    return console.file.getvalue()[written:]


def test_frames_cover_one_another(console):
    """The cursor is saved at the start of a frame, where no echo scrolls it away; the last frame leaves it below."""
    frames = Frames(console, Text("one\ntwo"))
    lines = f"{CUT}{'one':8}\n{'two':8}\n{WRAPPED}{ERASED}"
    assert drawing_of(console, frames) == f"{HIDDEN}\r{ERASED}{lines}\x1b[2A{SAVED}"
    assert drawing_of(console, frames) == f"{RESTORED}{lines}\x1b[2A{SAVED}"
    assert drawing_of(console, frames, is_last=True) == f"{RESTORED}{lines}{SHOWN}"


@pytest.mark.parametrize("width", [6, 10])
def test_terminal_of_another_width_has_taken_the_cursor_along(console, width):
    """The place that was saved may belong to another line; the broken lines below the cursor are erased."""
    frames = Frames(console, Text("one"))
    frames.draw()
    console.width = width
    assert drawing_of(console, frames) == f"\r{ERASED}{CUT}{'one':{width}}\n{WRAPPED}{ERASED}\x1b[1A{SAVED}"


def test_frame_is_lower_than_the_terminal(console):
    """Else it would scroll; the last one may."""
    frames = Frames(console, Text("\n".join("abcdefg")))
    assert drawing_of(console, frames).count("\n") == 3
    assert drawing_of(console, frames, is_last=True).count("\n") == 7


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

    clock = [0.0]
    monkeypatch.setattr(live, "thread_time", lambda: clock[-1])
    live.draw(lambda: clock.append(clock[-1] + next(costs)), Over())
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
