"""A pool of threads that compute parts of a task."""

import gc
import os
import signal
import threading
import time
import weakref
from functools import partial

import numpy as np
import pytest

from nncli.threads import ThreadPool, balanced_slices


def note(seen, index):
    """Note in which thread a task runs."""
    seen[index] = threading.get_ident()


@pytest.mark.parametrize("count", [1, 2, 4])
def test_each_task_runs_in_a_thread_of_its_own(count):
    """The first one in the calling thread; all have ended when ``run`` returns, however often it is called."""
    pool = ThreadPool(count)
    for _ in range(50):
        seen = {}
        pool.run([partial(note, seen, index) for index in range(count)])
        assert len(set(seen.values())) == count
        assert seen[0] == threading.get_ident()


def test_tasks_overlap():
    """Two tasks that wait for each other both end."""
    barrier = threading.Barrier(2, timeout=10)
    ThreadPool(2).run([barrier.wait, barrier.wait])


def test_fewer_tasks_than_threads():
    """The other workers wait."""
    done = []
    ThreadPool(3).run([lambda: done.append(1)])
    assert done == [1]


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_exception_of_a_task_is_raised_when_all_have_ended(failing):
    """The pool can be used again."""
    pool, ended = ThreadPool(3), []

    def task(index):
        if index == failing:
            raise ValueError(index)
        time.sleep(0.02)
        ended.append(index)

    for _ in range(3):
        ended.clear()
        with pytest.raises(ValueError, match=str(failing)):
            pool.run([lambda index=index: task(index) for index in range(3)])
        assert sorted(ended) == sorted({0, 1, 2} - {failing})
    pool.run([lambda: ended.append("again")])
    assert ended[-1] == "again"


def workers():
    """The threads of all pools."""
    return {thread for thread in threading.enumerate() if thread.name == "nncli-worker"}


def wait_for(condition):
    """Wait a second at most until a condition holds."""
    for _ in range(100):
        gc.collect()
        if condition():
            return
        time.sleep(0.01)


def test_threads_begin_with_the_first_tasks_and_end_with_their_owner():
    """None is left when nobody refers to them."""
    before, pool = workers(), ThreadPool(4)
    assert workers() <= before
    pool.run([time.time] * 2)
    assert len(workers() - before) == 3
    del pool
    wait_for(lambda: workers() <= before)
    assert workers() <= before


class Owner:
    """An object whose method its own threads compute, as those of a network do."""

    def __init__(self):
        self.threads = ThreadPool(2)

    def compute(self):
        """Divide nothing between two threads."""
        self.threads.run([self.nothing, self.nothing])

    def nothing(self):
        """Refer to this object."""


def test_a_thread_keeps_nothing_of_its_last_task():
    """Else a network and its data would never be freed."""
    before, owner = workers(), Owner()
    owner.compute()
    reference = weakref.ref(owner)
    del owner
    wait_for(lambda: workers() <= before)
    assert reference() is None
    assert workers() <= before


def test_an_interrupted_wait_does_not_disturb_the_next_tasks():
    """They begin when the thread has ended the task of before, and are waited for to their own end."""
    threads, ended = ThreadPool(2), []

    def slow(name):
        time.sleep(0.2)
        ended.append(name)

    def interrupt(signum, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            threads.run([lambda: None, partial(slow, "first")])
    finally:
        signal.signal(signal.SIGALRM, before)
    assert ended == []
    for name in ("second", "third"):
        threads.run([lambda: None, partial(slow, name)])
        assert ended[-1] == name
    assert ended == ["first", "second", "third"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_threads_of_its_own():
    """Those of its parent do not exist in it."""
    threads = ThreadPool(2)
    threads.run([time.time, time.time])
    process = os.fork()
    if not process:
        signal.alarm(10)
        threads.run([time.time, time.time])
        os._exit(0)
    assert os.waitpid(process, 0)[1] == 0


def test_non_finite_results_make_no_warning_in_a_thread():
    """They are detected later, in the results."""
    values = np.array([1e300])
    ThreadPool(2).run([lambda: None, lambda: np.multiply(values, values)])


@pytest.mark.parametrize(("count", "most", "multiple"), [(10, 3, 1), (10, 3, 4), (3, 4, 1), (7, 2, 16), (64, 4, 16)])
def test_balanced_slices_cover_the_range(count, most, multiple):
    """In order, without gaps, at most as many as asked for, and none is empty; their sizes differ by one multiple."""
    found = balanced_slices(count, most, multiple)
    assert [index for part in found for index in range(count)[part]] == list(range(count))
    assert len(found) <= most
    assert all(part.start < part.stop and part.start % multiple == 0 for part in found)
    sizes = [part.stop - part.start for part in found]
    assert max(sizes) - min(sizes) <= multiple


def test_balanced_slices_by_hand():
    """The last one is smaller if the size is not a multiple."""
    assert balanced_slices(10, 2) == [slice(0, 5), slice(5, 10)]
    assert balanced_slices(10, 2, multiple=4) == [slice(0, 4), slice(4, 10)]


def test_exception_is_that_of_the_first_task_that_failed():
    """In the order of the tasks, not of their ends."""

    def task(index):
        time.sleep(0.05 * (3 - index))
        raise ValueError(index)

    for first in (0, 1):
        tasks = [partial(task, index) for index in range(3)]
        with pytest.raises(ValueError, match=str(first)):
            ThreadPool(3).run([*first * [bool], *tasks[first:]])
