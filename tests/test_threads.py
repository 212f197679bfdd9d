"""A pool of threads that compute parts of a task."""

import gc
import os
import signal
import sys
import threading
import time
import weakref
from functools import partial
from itertools import chain

import numpy as np
import pytest

from nncli.threads import ProcessLock, SharedIterator, ThreadPool, balanced_slices


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


@pytest.mark.parametrize("first", [0, 1])
def test_exception_is_that_of_the_first_task_that_failed(first):
    """In the order of the tasks, not of their ends: those before wait for those after."""
    ended = [threading.Event() for _ in range(4)]
    ended[3].set()

    def fail(index):
        assert ended[index + 1].wait(timeout=10)
        ended[index].set()
        raise ValueError(index)

    tasks = [partial(fail, index) for index in range(3)]
    with pytest.raises(ValueError, match=str(first)):
        ThreadPool(3).run([*first * [bool], *tasks[first:]])


def test_a_task_that_exits_is_waited_for():
    """Its exception is raised like any other, and its thread computes the next task."""
    pool, raised, done = ThreadPool(2), [], []

    def run():
        try:
            pool.run([time.time, sys.exit])
        except SystemExit as error:
            raised.append(error)
        pool.run([time.time, partial(done.append, 1)])

    caller = threading.Thread(target=run, daemon=True)
    caller.start()
    caller.join(timeout=10)
    assert not caller.is_alive()
    assert (len(raised), done) == (1, [1])


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
    for _ in range(3):
        pool.run([time.time] * 2)
        assert len(workers() - before) == 3
    del pool
    wait_for(lambda: workers() <= before)
    assert workers() <= before


@pytest.mark.parametrize("started", [0, 1, 2])
def test_tasks_are_computed_by_the_threads_that_the_system_starts(started, monkeypatch):
    """All of them, each once; these threads end with their owner, too."""
    before, pool, done, attempts = workers(), ThreadPool(4), [], []
    start = threading.Thread.start

    def start_some(thread):
        attempts.append(thread)
        if len(attempts) > started:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_some)
    for _ in range(2):
        done.clear()
        pool.run([partial(done.append, index) for index in range(4)])
        assert sorted(done) == [0, 1, 2, 3]
    assert len(workers() - before) == started
    del pool
    wait_for(lambda: workers() <= before)
    assert workers() <= before


@pytest.mark.parametrize("started", [0, 1])
def test_exceptions_of_tasks_are_raised_on_few_threads(started, monkeypatch):
    """As on all of them."""
    pool = ThreadPool(4)
    monkeypatch.setattr(pool, "count", 1 + started)

    def fail():
        raise ValueError("failed")

    for failing in range(4):
        with pytest.raises(ValueError, match="failed"):
            pool.run([fail if index == failing else bool for index in range(4)])


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


def test_each_item_is_taken_by_one_thread():
    """In their order, also if many threads take them at once, and an iterable cannot be used by two."""

    def numbers():
        for number in range(1000):
            time.sleep(0)  # a second thread that enters the generator meanwhile would raise ValueError
            yield number

    items, taken = SharedIterator(numbers()), [[] for _ in range(4)]
    ThreadPool(4).run([partial(each.extend, items) for each in taken])
    assert sorted(chain.from_iterable(taken)) == list(range(1000))
    assert all(each == sorted(each) for each in taken)
    assert list(items) == []


def test_a_process_has_one_lock():
    """All of its threads share it."""
    lock = ProcessLock()
    with lock.of_process():
        assert not lock.of_process().acquire(blocking=False)
    assert lock.of_process().acquire(blocking=False)


def test_no_items_are_left_after_an_exception():
    """The threads that take the others end, too."""
    items = SharedIterator(range(10))
    with items:
        assert next(items) == 0
        with pytest.raises(ValueError, match="chunk"), items:
            raise ValueError("chunk")
        assert list(items) == []


@pytest.mark.parametrize(("count", "most"), [(10, 3), (3, 4), (7, 2), (64, 4), (0, 2)])
def test_balanced_slices_cover_the_range(count, most):
    """In order, without gaps, at most as many as asked for, and none is empty; their sizes differ by one."""
    found = balanced_slices(count, most)
    assert [index for part in found for index in range(count)[part]] == list(range(count))
    assert len(found) <= most
    sizes = [part.stop - part.start for part in found]
    assert all(sizes)
    assert not sizes or max(sizes) - min(sizes) <= 1


def test_balanced_slices_by_hand():
    """The last ones are larger if the count is not a multiple."""
    assert balanced_slices(10, 2) == [slice(0, 5), slice(5, 10)]
    assert balanced_slices(7, 3) == [slice(0, 2), slice(2, 4), slice(4, 7)]
