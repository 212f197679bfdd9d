"""A pool of threads that compute parts of a task."""

import threading
import time
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


def test_workers_end_with_their_pool():
    """No worker is left when nobody refers to the pool."""
    before = set(threading.enumerate())
    pool = ThreadPool(4)
    workers = set(threading.enumerate()) - before
    assert len(workers) == 3
    del pool
    for worker in workers:
        worker.join(10)
    assert not any(worker.is_alive() for worker in workers)


def test_non_finite_results_make_no_warning_in_a_thread():
    """Whoever submits the tasks looks for them afterwards."""
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
