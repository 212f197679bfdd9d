"""The pager: only what is longer than the screen goes through it."""

import os
import shutil
import signal
import sys

import click
import pytest

from nncli.cli.pager import Screen, paged

LINES = 5


@pytest.fixture
def shown(monkeypatch, capsys):
    """What the screen and the pager show of a text that is printed in a terminal."""
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((80, LINES)))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)

    def call(text, is_terminal=True):
        pages = []
        monkeypatch.setattr(click, "echo_via_pager", pages.append)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal, raising=False)
        with paged():
            sys.stdout.write(text)
        return capsys.readouterr().out, "".join(pages)

    return call


def test_output_longer_than_the_screen_is_paged(shown):
    """A prompt follows, so that a text of as many lines as the screen has is too long."""
    short, long = "a\n" * (LINES - 1), "a\n" * LINES
    assert shown(short) == (short, "")
    assert shown(long) == ("", long)
    assert shown(long, is_terminal=False) == (long, "")


def test_ctrl_c_is_left_to_the_pager(shown, monkeypatch):
    """It is ignored as long as the pager has the terminal, also if the pager fails."""
    before = signal.getsignal(signal.SIGINT)

    def pager(text):
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        raise OSError("no pager")

    monkeypatch.setattr(click, "echo_via_pager", pager)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with pytest.raises(OSError, match="no pager"), paged():
        sys.stdout.write("a\n" * LINES)
    assert signal.getsignal(signal.SIGINT) is before


def test_styles_stay_on_the_screen(shown, monkeypatch):
    """What has been sanitized once is written unchanged."""
    styled = []
    monkeypatch.setattr(sys.stdout, "write_styled", styled.append, raising=False)
    assert shown("a\n") == ("", "")
    assert styled == ["a\n"]


def test_page_has_no_control_characters_but_those_of_styles():
    """Names are sanitized; what rich writes is not."""
    screen = Screen()
    screen.write("a\x1b[2J")
    screen.write_styled("\x1b[1mb\x1b[0m")
    assert screen.getvalue() == "a�[2J\x1b[1mb\x1b[0m"
