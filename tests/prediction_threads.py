"""Predictions of several threads: one that is slow, and one that predicts while its process is forked."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep

import pytest

from nncli.nn.network import Network


def fork_predicts(predict, inputs):
    """Whether a forked process computes the predictions of its parent, of which a thread is within ``predict``."""
    expected, is_inside, is_over, forward = predict(inputs).tobytes(), Event(), Event(), Network.forward

    def wait(network, rows):
        is_inside.set()
        is_over.wait(timeout=60)
        return forward(network, rows)

    with ThreadPoolExecutor(1) as pool:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Network, "forward", wait)
            other = pool.submit(predict, inputs)
            assert is_inside.wait(timeout=60)
        process = os.fork()
        if not process:
            signal.alarm(10)
            os._exit(predict(inputs).tobytes() != expected)
        status = os.waitpid(process, 0)[1]
        is_over.set()
    return status == 0 and other.result().tobytes() == expected


def slow_down(network):
    """Let the calling thread take 20 ms for each chunk of rows, so that another thread would predict the last ones."""
    first = network.layers[0]
    forward = first.forward
    first.forward = lambda: sleep(0.02) or forward()
