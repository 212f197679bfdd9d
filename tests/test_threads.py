"""Threads that compute parts of a task side by side."""

import gc
import signal
import threading
import time
from functools import partial

import numpy as np
import pytest

from nncli.threads import Threads, parts


def alive():
    """The number of waiting threads."""
    return sum(thread.name.startswith("nncli") for thread in threading.enumerate())


def note(seen, index):
    """Note in which thread a task runs."""
    seen[index] = threading.get_ident()


@pytest.mark.parametrize("count", [1, 2, 4])
def test_each_task_runs_in_a_thread_of_its_own(count):
    """The first one in the calling thread; all have ended when ``run`` returns, however often it is called."""
    threads = Threads(count)
    for _ in range(50):
        seen = {}
        threads.run([partial(note, seen, index) for index in range(count)])
        assert len(set(seen.values())) == count
        assert seen[0] == threading.get_ident()


def test_tasks_overlap():
    """Two tasks that wait for each other both end."""
    barrier = threading.Barrier(2, timeout=10)
    Threads(2).run([barrier.wait, barrier.wait])


def test_fewer_tasks_than_threads():
    """The other threads wait."""
    done = []
    Threads(3).run([lambda: done.append(1)])
    assert done == [1]


@pytest.mark.timeout(60, method="thread")  # a thread that has ended is waited for without end
@pytest.mark.parametrize("error", [ValueError, SystemExit])
@pytest.mark.parametrize("failing", [0, 1, 2])
def test_exception_of_a_task_is_raised_when_all_have_ended(failing, error):
    """And the threads can be used again."""
    threads, ended = Threads(3), []

    def task(index):
        if index == failing:
            raise error(index)
        time.sleep(0.02)
        ended.append(index)

    for _ in range(3):
        ended.clear()
        with pytest.raises(error, match=str(failing)):
            threads.run([lambda index=index: task(index) for index in range(3)])
        assert sorted(ended) == sorted({0, 1, 2} - {failing})
    ended.clear()
    threads.run([lambda: ended.append("again")] * 3)
    assert ended == ["again"] * 3


def test_exception_is_that_of_the_first_task_that_failed():
    """In the order of the tasks, not of their ends."""

    def task(index):
        time.sleep(0.05 * (3 - index))
        raise ValueError(index)

    for first in (0, 1):
        tasks = [partial(task, index) for index in range(3)]
        with pytest.raises(ValueError, match=str(first)):
            Threads(3).run([*first * [bool], *tasks[first:]])


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer that sends a signal")
def test_interrupt_is_raised_when_all_tasks_have_ended():
    """Also one that comes while the calling thread waits; the next tasks are waited for as well."""
    threads, ended = Threads(3), []

    def task():
        time.sleep(0.2)
        ended.append(threading.get_ident())

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            threads.run([lambda: None, task, task])
    finally:
        signal.signal(signal.SIGALRM, before)
    assert len(ended) == 2
    threads.run([lambda: None, task, task])
    assert len(ended) == 4


def test_threads_end_with_their_owner():
    """None is left when nobody refers to them."""
    gc.collect()  # networks of other tests
    time.sleep(0.1)
    before = alive()
    threads = Threads(4)
    assert alive() == before + 3
    del threads
    gc.collect()
    for _ in range(100):
        if alive() == before:
            break
        time.sleep(0.01)
    assert alive() == before


def test_non_finite_results_make_no_warning_in_a_thread():
    """They are looked for afterwards."""
    values = np.array([1e300])
    Threads(2).run([lambda: None, lambda: np.multiply(values, values)])


@pytest.mark.parametrize(("count", "threads", "multiple"), [(10, 3, 1), (10, 3, 4), (3, 4, 1), (7, 2, 16), (64, 4, 16)])
def test_parts_are_all_of_a_range(count, threads, multiple):
    """In order, without gaps, at most one per thread, and none is empty; their sizes differ by one multiple."""
    found = parts(count, threads, multiple)
    assert [index for part in found for index in range(count)[part]] == list(range(count))
    assert len(found) <= threads
    assert all(part.start < part.stop and part.start % multiple == 0 for part in found)
    sizes = [part.stop - part.start for part in found]
    assert max(sizes) - min(sizes) <= multiple


def test_parts_by_hand():
    """The last one is smaller if the size is not a multiple."""
    assert parts(10, 2) == [slice(0, 5), slice(5, 10)]
    assert parts(10, 2, multiple=4) == [slice(0, 4), slice(4, 10)]
