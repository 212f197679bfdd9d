"""Fixtures of the tests of the command line."""

import pytest

from nncli.cli.render.console import Output


@pytest.fixture
def terminal_width(monkeypatch):
    """Let tables be printed for a terminal of a width: ``terminal_width(80)``."""

    def set_width(columns):
        monkeypatch.setattr(Output, "room", columns)
        monkeypatch.setenv("COLUMNS", str(columns))

    return set_width
