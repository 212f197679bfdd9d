"""Interleaved measurements: one after another, round by round."""

import time

PAUSE = 0.2  # seconds, in which idle threads of libraries fall asleep; those of OpenBLAS take 0.1


def interleave(measures, rounds):
    """The results of ``measures``, functions by name, in each round: A B C A B C …"""
    return [{name: _after_a_pause(measure) for name, measure in measures.items()} for _ in range(rounds)]


def _after_a_pause(measure):
    time.sleep(PAUSE)
    return measure()
