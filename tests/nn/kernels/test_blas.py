"""The BLAS library: its kernels, and its number of threads, of which there is one for the whole process."""

import os
import signal
import threading
import time
import warnings
from contextlib import ExitStack

import pytest
from threadpoolctl import threadpool_limits

from nncli.nn.kernels import blas
from nncli.nn.kernels.blas import one_blas_thread

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def thread_counts():
    """The numbers of threads of the BLAS libraries of NumPy, each once; other packages may have loaded their own."""
    return sorted({each.get_num_threads() for each in blas._libraries()})


class Computation:
    """A computation in another thread, which begins with the context and ends with it, or with ``end``."""

    def __init__(self):
        self._begun, self._end, self.seen = threading.Event(), threading.Event(), []
        self._thread = threading.Thread(target=self._compute)

    def _compute(self):
        with one_blas_thread():
            self._begun.set()
            self._end.wait(10)
            self.seen.append(thread_counts())

    def __enter__(self):
        self._thread.start()
        assert self._begun.wait(10)
        return self

    def end(self):
        """End the computation, and wait for that."""
        self._end.set()
        self._thread.join(10)

    def __exit__(self, *exception):
        self.end()


@pytest.fixture(autouse=True)
def two_threads_before():
    """BLAS has two threads outside of computations."""
    with threadpool_limits(2, user_api="blas"):
        yield
        assert thread_counts() == [2]


def fail_within():
    with one_blas_thread():
        raise ValueError("inside")


def test_blas_has_one_thread_during_a_computation():
    """Afterwards it has the number of before."""
    with one_blas_thread():
        assert thread_counts() == [1]
    assert thread_counts() == [2]


def test_number_of_before_is_restored_after_an_exception():
    """The exception leaves the context as it is."""
    with pytest.raises(ValueError, match="inside"):
        fail_within()
    assert thread_counts() == [2]


def test_a_computation_may_be_within_another_one():
    """Only the outer one restores the number."""
    with one_blas_thread():
        with one_blas_thread():
            assert thread_counts() == [1]
        assert thread_counts() == [1]
        with pytest.raises(ValueError, match="inside"):
            fail_within()
        assert thread_counts() == [1]
    assert thread_counts() == [2]


@pytest.mark.parametrize("is_first_ended_first", [False, True])
def test_the_last_of_overlapping_computations_restores_the_number(is_first_ended_first):
    """Whichever of them began first, and in whichever thread."""
    with Computation() as first, Computation() as second:
        order = (first, second) if is_first_ended_first else (second, first)
        for each in order:
            assert thread_counts() == [1]
            each.end()
        assert thread_counts() == [2]
    assert first.seen == second.seen == [[1]]


def test_an_exception_in_one_computation_leaves_one_thread_to_the_others():
    """They still compute on one thread."""
    with Computation() as other:
        with pytest.raises(ValueError, match="inside"):
            fail_within()
        assert thread_counts() == [1]
    assert other.seen == [[1]]


def test_computations_that_begin_together_set_the_number_once(monkeypatch):
    """The second one does not take the number that the first one has set for that of before."""
    counts, barrier, set_threads = [], threading.Barrier(2, timeout=10), blas._set_threads

    def set_slowly(count):
        time.sleep(0.05)
        counts.append(count)
        set_threads(count)

    def compute():
        barrier.wait()
        with one_blas_thread():
            barrier.wait()

    monkeypatch.setattr(blas, "_set_threads", set_slowly)
    threads = [threading.Thread(target=compute) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert counts == [1, 2]


def test_any_thread_may_set_the_number():
    """Not only the first one that has set it, to which threadpoolctl would restrict it."""
    with one_blas_thread():
        pass
    with Computation() as other:
        assert thread_counts() == [1]
    assert other.seen == [[1]]
    assert thread_counts() == [2]


def test_other_code_may_set_the_number_after_a_computation():
    """In another thread than that of the computation, to which threadpoolctl would restrict it."""
    counts = []

    def count():
        with threadpool_limits(3, user_api="blas"):
            counts.append(thread_counts())

    with one_blas_thread():
        pass
    thread = threading.Thread(target=count)
    thread.start()
    thread.join(10)
    assert counts == [[3]]


def exit_code_of_fork(function):
    """The exit code of a forked process: 0 if the function returns True there; a process that hangs is killed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks in a process with several threads
        process = os.fork()
    if not process:
        code = 2
        try:
            code = 0 if function() else 1
        finally:
            os._exit(code)
    timer = threading.Timer(20, os.kill, [process, signal.SIGKILL])
    timer.start()
    status = os.waitpid(process, 0)[1]
    timer.cancel()
    return os.waitstatus_to_exitcode(status)


@needs_fork
def test_a_forked_process_does_not_have_the_computations_of_other_threads():
    """Its number is that of before these computations; it can begin and end computations of its own."""

    def compute():
        counts = [thread_counts()]
        with one_blas_thread():
            counts.append(thread_counts())
        counts.append(thread_counts())
        return counts == [[2], [1], [2]]

    with Computation() as other:
        assert exit_code_of_fork(compute) == 0
        assert thread_counts() == [1]
    assert other.seen == [[1]]


@needs_fork
def test_a_process_that_is_forked_within_a_computation_is_within_it_as_well():
    """Its number is restored at the end of that computation, whatever other threads of its parent did."""

    def end():
        counts = [thread_counts()]
        own.close()
        counts.append(thread_counts())
        return counts == [[1], [2]]

    with Computation(), ExitStack() as own:
        own.enter_context(one_blas_thread())
        with one_blas_thread():
            pass  # this one has ended
        assert exit_code_of_fork(end) == 0
        assert thread_counts() == [1]


@needs_fork
def test_a_process_that_is_forked_outside_of_computations_keeps_the_number():
    """It is not that of before the last computation."""
    with one_blas_thread():
        pass
    with threadpool_limits(1, user_api="blas"):
        assert exit_code_of_fork(lambda: thread_counts() == [1]) == 0


@needs_fork
def test_a_process_that_is_forked_as_a_computation_begins_does_not_hang(monkeypatch):
    """Another thread sets the number at this moment: the fork waits for it."""
    begun, set_threads = threading.Event(), blas._set_threads

    def set_slowly(count):
        begun.set()
        time.sleep(0.1)
        set_threads(count)

    def compute():
        monkeypatch.undo()
        with one_blas_thread():
            return thread_counts() == [1]

    monkeypatch.setattr(blas, "_set_threads", set_slowly)
    thread = threading.Thread(target=lambda: Computation().__enter__().end())
    thread.start()
    assert begun.wait(10)
    assert exit_code_of_fork(compute) == 0
    thread.join(10)


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
