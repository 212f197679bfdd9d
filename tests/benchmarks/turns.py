"""Taking turns: one after another, round by round, never two at once."""

import time

PAUSE = 0.05  # seconds; threads that have done their part wait a moment for more before they sleep


def in_turns(measures, rounds):
    """For each round what each of ``measures``, functions by name, has given: A B C A B C …"""
    return [{name: _after_a_pause(measure) for name, measure in measures.items()} for _ in range(rounds)]


def _after_a_pause(measure):
    time.sleep(PAUSE)
    return measure()
