"""Shared by the tests of files: functions that fail."""

import pytest


@pytest.fixture
def fail(monkeypatch):
    """Make a function raise from now on: ``fail(os, "fsync", error)``."""

    def broken(owner, name, error):
        def refuse(*_, **__):
            raise error

        monkeypatch.setattr(owner, name, refuse)

    return broken
