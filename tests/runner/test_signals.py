"""Signals as stop requests."""

import os
import signal

import pytest

from nncli.runner.signals import stop_on_signals


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_first_signal_is_a_stop_request(signum):
    """It is recorded instead of acted upon, and the handlers are restored at the end."""
    before = signal.getsignal(signum)
    with stop_on_signals() as stop:
        assert not stop()
        os.kill(os.getpid(), signum)
        assert stop()
        assert stop.signum == signum
    assert signal.getsignal(signum) == before


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_second_signal_acts_immediately(first):
    """After the first, of whatever kind, Ctrl-C ends a computation at once."""
    with stop_on_signals() as stop:
        os.kill(os.getpid(), first)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert stop.signum == first


def test_ignored_signal_stays_ignored():
    """Under nohup and in the background of a shell an ignored signal requests nothing."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stop_on_signals() as stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert not stop()
    finally:
        signal.signal(signal.SIGINT, before)
