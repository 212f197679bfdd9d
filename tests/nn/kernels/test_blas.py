"""The BLAS library: its kernels, and its number of threads, of which there is one for the whole process."""

import os
import signal
import threading
import time

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from nncli.nn.kernels import blas
from nncli.nn.kernels.blas import blas_threads


def thread_counts():
    """The numbers of threads of the loaded BLAS libraries, each once."""
    return sorted({each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"})


def fail_within(count):
    with blas_threads(count):
        raise ValueError("inside")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_number_is_that_of_the_computation(count):
    """Afterwards it is that of before, also after an exception."""
    with threadpool_limits(2, user_api="blas"):
        with blas_threads(count):
            assert thread_counts() == [count]
        assert thread_counts() == [2]
        with pytest.raises(ValueError, match="inside"):
            fail_within(count)
        assert thread_counts() == [2]


def test_computations_on_the_same_number_overlap():
    """The last one restores the number of before."""
    barrier, seen = threading.Barrier(2, timeout=10), []

    def compute():
        with blas_threads(2):
            barrier.wait()
            seen.append(thread_counts())
            barrier.wait()

    thread, before = threading.Thread(target=compute), thread_counts()
    thread.start()
    compute()
    thread.join()
    assert seen == [[2], [2]]
    assert thread_counts() == before


def test_a_computation_on_another_number_waits():
    """It begins when the first one has ended, and the first one keeps its number."""
    order, begun = [], threading.Event()

    def second():
        begun.set()
        with blas_threads(1):
            order.append(("second", thread_counts()))

    thread = threading.Thread(target=second)
    with blas_threads(2):
        thread.start()
        begun.wait(10)
        time.sleep(0.05)
        order.append(("first", thread_counts()))
    thread.join(10)
    assert order == [("first", [2]), ("second", [1])]


def test_a_computation_within_another_one_keeps_the_number():
    """A thread does not wait for itself."""
    with blas_threads(2), blas_threads(1):
        assert thread_counts() == [2]
    with blas_threads(1):
        assert thread_counts() == [1]


def test_a_computation_that_waits_comes_before_later_ones():
    """Else two threads that take turns on one number would never let a third one compute on another."""
    order, begun = [], threading.Event()

    def compute(count, name):
        begun.set()
        with blas_threads(count):
            order.append(name)

    with blas_threads(1):
        waiting = []
        for count, name in ((2, "second"), (1, "third")):
            waiting.append(threading.Thread(target=compute, args=(count, name)))
            begun.clear()
            waiting[-1].start()
            begun.wait(10)
            time.sleep(0.05)
        assert order == []
    for thread in waiting:
        thread.join(10)
    assert order == ["second", "third"]


def test_an_interrupted_wait_leaves_no_trace(monkeypatch):
    """The next computation waits for its turn as any other."""

    def interrupted(predicate):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(blas._lock._condition, "wait_for", interrupted)
        with pytest.raises(KeyboardInterrupt):
            blas._lock.acquire(2)
    before = thread_counts()
    for count in (2, 1):
        with blas_threads(count):
            assert thread_counts() == [count]
    assert thread_counts() == before


def test_a_pause_lets_another_number_compute():
    """In another thread that this one waits for; then it continues on its own number."""
    seen = []

    def compute():
        with blas_threads(1):
            seen.append(thread_counts())

    with blas_threads(2):
        with blas_threads(2), blas.paused():
            thread = threading.Thread(target=compute, daemon=True)
            thread.start()
            thread.join(10)
        assert thread_counts() == [2]
    assert seen == [[1]]
    with blas.paused(), blas_threads(1):
        assert thread_counts() == [1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_does_not_wait_for_computations_of_its_parent():
    """They go on in another thread, which it does not have."""
    begun, end = threading.Event(), threading.Event()

    def compute():
        with blas_threads(2):
            begun.set()
            end.wait(10)

    thread = threading.Thread(target=compute)
    thread.start()
    begun.wait(10)
    process = os.fork()
    if not process:
        signal.alarm(10)
        with blas_threads(1):
            os._exit(0)
    end.set()
    thread.join()
    assert os.waitpid(process, 0)[1] == 0


@pytest.mark.parametrize(
    ("architectures", "expected"), [(("SkylakeX",), True), (("Haswell",), False), (("Zen",), False), ((), False)]
)
def test_small_matrix_kernels_are_those_for_avx_512(monkeypatch, architectures, expected):
    """By what BLAS says of itself."""
    monkeypatch.setattr(blas, "kernels", lambda: architectures)
    assert blas.has_small_matrix_kernels.__wrapped__() is expected


def test_kernels_are_named_once():
    """At least one library is loaded."""
    assert len(set(blas.kernels())) == len(blas.kernels()) >= 1


def test_a_computation_keeps_its_number_when_another_one_has_ended():
    """Whichever of them began first."""
    begun, ended = threading.Event(), threading.Event()

    def longer():
        with blas_threads(2):
            begun.set()
            ended.wait(10)
            seen.append(thread_counts())

    thread, seen = threading.Thread(target=longer), []
    with threadpool_limits(1, user_api="blas"):
        with blas_threads(2):
            thread.start()
            begun.wait(10)
        ended.set()
        thread.join(10)
        assert (seen, thread_counts()) == ([[2]], [1])


def test_computations_that_wait_take_turns():
    """Of two on different numbers, one waits for the other one as well."""
    seen = {}

    def compute(count):
        with blas_threads(count):
            time.sleep(0.05)
            seen[count] = thread_counts()

    threads = [threading.Thread(target=compute, args=[count]) for count in (1, 3)]
    with blas_threads(2):
        for thread in threads:
            thread.start()
        time.sleep(0.05)
    for thread in threads:
        thread.join(10)
    assert seen == {1: [1], 3: [3]}


def test_any_thread_may_set_the_number():
    """Also while another one has set it before."""
    seen = []

    def compute():
        with blas_threads(2):
            seen.append(thread_counts())

    with threadpool_limits(1, user_api="blas"):
        thread = threading.Thread(target=compute)
        thread.start()
        thread.join(10)
        assert (seen, thread_counts()) == ([[2]], [1])


def test_all_that_wait_for_the_same_number_begin_together():
    """Each of two computations goes on only when the other one has begun as well."""
    barrier, ended = threading.Barrier(2, timeout=10), []

    def waiting():
        with blas_threads(1):
            barrier.wait()
            ended.append(thread_counts())

    threads = [threading.Thread(target=waiting) for _ in range(2)]
    with blas_threads(2):
        for thread in threads:
            thread.start()
        time.sleep(0.05)
    for thread in threads:
        thread.join(20)
    assert ended == [[1], [1]]
