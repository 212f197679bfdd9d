"""The BLAS library: its kernels, and its number of threads, of which there is one for the whole process."""

import threading
import time

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from nncli.nn.kernels import blas
from nncli.nn.kernels.blas import blas_threads


def taken():
    return sorted({each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"})


def fail_within(count):
    with blas_threads(count):
        raise ValueError("inside")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_number_is_that_of_the_computation(count):
    """And that of before afterwards, also after an exception."""
    with threadpool_limits(2, user_api="blas"):
        with blas_threads(count):
            assert taken() == [count]
        assert taken() == [2]
        with pytest.raises(ValueError, match="inside"):
            fail_within(count)
        assert taken() == [2]


def test_computations_on_the_same_number_overlap():
    """The last one restores the number of before."""
    barrier, seen = threading.Barrier(2, timeout=10), []

    def compute():
        with blas_threads(2):
            barrier.wait()
            seen.append(taken())
            barrier.wait()

    thread, before = threading.Thread(target=compute), taken()
    thread.start()
    compute()
    thread.join()
    assert seen == [[2], [2]]
    assert taken() == before


def test_a_computation_keeps_its_number_when_another_one_has_ended():
    """Whichever of them began first."""
    begun, ended = threading.Event(), threading.Event()

    def longer():
        with blas_threads(2):
            begun.set()
            ended.wait(10)
            seen.append(taken())

    thread, seen = threading.Thread(target=longer), []
    with threadpool_limits(1, user_api="blas"):
        with blas_threads(2):
            thread.start()
            begun.wait(10)
        ended.set()
        thread.join(10)
        assert (seen, taken()) == ([[2]], [1])


def test_computations_that_wait_take_turns():
    """Of two on different numbers, one waits for the other one as well."""
    seen = {}

    def compute(count):
        with blas_threads(count):
            time.sleep(0.05)
            seen[count] = taken()

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
            seen.append(taken())

    with threadpool_limits(1, user_api="blas"):
        thread = threading.Thread(target=compute)
        thread.start()
        thread.join(10)
        assert (seen, taken()) == ([[2]], [1])


def test_a_computation_on_another_number_waits():
    """It begins when the first one has ended, and the first one keeps its number."""
    order, begun = [], threading.Event()

    def second():
        begun.set()
        with blas_threads(1):
            order.append(("second", taken()))

    thread = threading.Thread(target=second)
    with blas_threads(2):
        thread.start()
        begun.wait(10)
        time.sleep(0.05)
        order.append(("first", taken()))
    thread.join(10)
    assert order == [("first", [2]), ("second", [1])]


def test_all_that_wait_for_the_same_number_begin_together():
    """Each of two computations goes on only when the other one has begun as well."""
    barrier, ended = threading.Barrier(2, timeout=10), []

    def waiting():
        with blas_threads(1):
            barrier.wait()
            ended.append(taken())

    threads = [threading.Thread(target=waiting) for _ in range(2)]
    with blas_threads(2):
        for thread in threads:
            thread.start()
        time.sleep(0.05)
    for thread in threads:
        thread.join(20)
    assert ended == [[1], [1]]


def test_a_computation_within_another_one_has_its_number():
    """In the same thread it would wait for itself."""
    with blas_threads(2), blas_threads(1):
        assert taken() == [2]
    with blas_threads(1):
        assert taken() == [1]


@pytest.mark.parametrize(
    ("architectures", "expected"),
    [
        (("SkylakeX",), True),
        (("Cooperlake",), True),
        (("Haswell", "SapphireRapids"), True),
        (("Haswell",), False),
        (("Zen",), False),
        ((), False),
    ],
)
def test_kernels_without_packing_are_those_for_avx_512(monkeypatch, architectures, expected):
    """By what BLAS says of itself."""
    monkeypatch.setattr(blas, "kernels", lambda: architectures)
    assert blas.multiplies_without_packing.__wrapped__() is expected


def test_kernels_are_named_once():
    """At least one library is loaded."""
    assert len(set(blas.kernels())) == len(blas.kernels()) >= 1
