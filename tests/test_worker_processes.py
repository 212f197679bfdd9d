"""What worker processes compute, and the errors that they raise in their parent."""

import logging
import os
import threading
import time
import warnings
from contextlib import ExitStack, closing
from functools import partial

import numpy as np
import pytest

from nncli import processes
from nncli.errors import WorkerError
from nncli.processes import CAN_FORK, Barrier, WorkerProcesses, shared_integers, shared_zeros

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="needs fork")
NEVER = 10**9


def members(number, function):
    """A group of this number of processes; used as a context, it ends its workers."""
    return closing(WorkerProcesses(number, function, Barrier(number)))


def in_threads(functions):
    """Call each function in a thread of its own, and wait for all of them; none may fail."""
    errors = []

    def call(function):
        try:
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=call, args=(each,), daemon=True) for each in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


@pytest.mark.parametrize("number", [1, 2, 4])
def test_arguments_reach_all_members(number):
    """Any number of them up to four, of any sign."""
    seen = shared_zeros((number, 5), np.int64)

    def note(member, *arguments):
        seen[member] = [len(arguments), *arguments, *[0] * (4 - len(arguments))]

    with members(number, note) as group:
        for arguments in [(1, -2, 2**62, -(2**62)), (), (7,), (np.int64(3), 4)]:
            group.run(*arguments)
            assert (seen == [len(arguments), *arguments, *[0] * (4 - len(arguments))]).all()


def test_too_many_arguments_are_an_error():
    """The next call works."""
    with members(2, lambda member, *arguments: None) as group:
        with pytest.raises(IndexError):
            group.run(1, 2, 3, 4, 5)
        group.run(1, 2, 3, 4)


def test_members_are_processes():
    """The first one is this process; the others stay the same in all calls."""
    ids = shared_integers(3)

    def note(member):
        assert ids[member] in {0, os.getpid()}
        ids[member] = os.getpid()

    with members(3, note) as group:
        for _ in range(3):
            group.run()
    assert ids[0] == os.getpid()
    assert len(set(ids)) == 3


def test_thousands_of_calls_are_in_order():
    """Each member gets every call once, and ``run`` waits for all of them."""
    last = shared_integers(2)

    def follow(member, index):
        assert last[member] == index - 1
        last[member] = index

    with members(2, follow) as group:
        for index in range(1, 10_001):
            group.run(index)
            assert list(last) == [index, index]


@pytest.mark.parametrize(("is_started", "value"), [(False, 3), (True, 2)])
def test_workers_have_the_state_of_their_start(is_started, value):
    """Or of the first call without it, but not that of the constructor, nor later changes."""
    state, seen = {"value": 1}, shared_integers(2)

    def note(member):
        seen[member] = state["value"]

    with members(2, note) as group:
        state["value"] = 2
        if is_started:
            group.start()
        for state["value"] in (3, 4):
            group.run()
            assert list(seen) == [state["value"], value]


def overflow(member):
    """Overflow in a worker."""
    if member:
        np.multiply(np.array([1e300]), 1e300)


def test_floating_point_errors_are_handled_as_in_the_parent():
    """By the state of the first call."""
    with np.errstate(over="raise"), members(2, overflow) as group, pytest.raises(FloatingPointError, match="overflow"):
        group.run()
    with np.errstate(over="ignore"), members(2, overflow) as group:
        group.run()


@pytest.mark.parametrize("category", [RuntimeWarning, DeprecationWarning])
def test_warnings_are_filtered_as_in_the_parent(category):
    """By the filters of the first call."""

    def warn(member):
        if member:
            warnings.warn("of a worker", category, stacklevel=1)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with members(2, warn) as group, pytest.raises(category, match="of a worker"):
            group.run()
        warnings.simplefilter("ignore")
        with members(2, warn) as group:
            group.run()


def test_a_group_starts_while_other_threads_hold_locks_and_compute():
    """The locks of allocation, logging and BLAS are free in the workers."""
    is_over, matrix, logger = threading.Event(), np.ones((64, 64)), logging.getLogger("nncli.tests")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False

    def compute(*_):
        shared_zeros((64, 64), np.float64)[...] = matrix @ matrix
        logger.warning("computed")

    def repeat():
        while not is_over.is_set():
            compute()

    def start_groups():
        try:
            for _ in range(10):
                with members(3, compute) as group:
                    group.run()
        finally:
            is_over.set()

    in_threads([start_groups, repeat, repeat])


@pytest.mark.parametrize("is_started", [False, True])
def test_two_groups_work_in_two_threads(is_started):
    """At the same time, whether they start in these threads or before."""
    totals = shared_zeros((2, 2), np.int64)

    def add(group, member, value):
        totals[group, member] += value

    def repeat(group):
        for value in range(1000):
            group.run(value)

    with ExitStack() as stack:
        groups = [stack.enter_context(members(2, partial(add, each))) for each in range(2)]
        for group in groups * is_started:
            group.run(0)
        in_threads([partial(repeat, group) for group in groups])
    assert (totals == sum(range(1000))).all()


def test_two_groups_work_in_turns():
    """A group does not need the other one to end."""
    seen = shared_zeros((2, 2), np.int64)

    def note(group, member, value):
        seen[group, member] = value

    with members(2, partial(note, 0)) as first, members(2, partial(note, 1)) as second:
        for value in range(100):
            first.run(value)
            second.run(-value)
            assert (seen == [[value] * 2, [-value] * 2]).all()


def cpu_seconds(process):
    """The processor time of a process until now."""
    return time.clock_gettime((~process << 3) | 2)


def test_idle_workers_use_little_processor_time(monkeypatch):
    """Much less than those that never pause."""
    used, process = [], shared_integers(2)

    def note(member):
        process[member] = os.getpid()

    for reads in (processes.READS, NEVER):
        monkeypatch.setattr(processes, "READS", reads)
        with members(2, note) as group:
            group.run()
            before = cpu_seconds(process[1])
            time.sleep(0.5)
            used.append(cpu_seconds(process[1]) - before)
    assert used[0] < used[1] / 3


class Mistake(Exception):  # noqa: N818
    """An exception that pickle restores."""


class Twofold(Exception):  # noqa: N818
    """An exception whose constructor does not take the arguments that pickle passes."""

    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


class Prefixed(Exception):  # noqa: N818
    """An exception whose constructor changes its text once more if pickle restores it."""

    def __init__(self, name):
        super().__init__(f"cannot read {name}")


class Mute(Exception):  # noqa: N818
    """An exception without a text."""

    def __repr__(self):
        raise ValueError

    __str__ = __repr__


FAILED = "a worker process has failed: "
ERRORS = {
    "built-in": (ValueError("of a worker"), ValueError, "of a worker"),
    "of the system": (FileNotFoundError(2, "Not found", "name"), FileNotFoundError, "[Errno 2] Not found: 'name'"),
    "of a module": (Mistake("of", "a worker"), Mistake, "('of', 'a worker')"),
    "interrupt": (KeyboardInterrupt("now"), KeyboardInterrupt, "now"),
    "exit": (SystemExit(3), SystemExit, "3"),
    "long": (ValueError("x" * 50_000), ValueError, "x" * 50_000),
    "too long": (ValueError("x" * 1_000_000), RuntimeError, f"{FAILED}ValueError: {'x' * 1_000}"),
    "two arguments": (Twofold(1, 2), RuntimeError, f"{FAILED}Twofold: 1 and 2"),
    "other argument": (Prefixed("f"), RuntimeError, f"{FAILED}Prefixed: cannot read f"),
    "not picklable": (
        ValueError({"of": (each for each in ())}),
        RuntimeError,
        f"{FAILED}ValueError: {{'of': <generator",
    ),
    "no text": (Mute(), WorkerError, "a worker process has ended"),
}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("failing", [1, 2])
def test_an_error_of_a_worker_is_raised_in_the_parent(error, failing):
    """With its type and text if it can be pickled, else with its text; the other members do not wait for ever."""
    barrier, (error, kind, text) = Barrier(3), ERRORS[error]

    def fail(member, is_wrong):
        if is_wrong and member == failing:
            raise error
        barrier.wait(member)

    with closing(WorkerProcesses(3, fail, barrier)) as group:
        for _ in range(2):
            group.run(False)
            with pytest.raises(kind) as raised:
                group.run(True)
            assert type(raised.value) is kind
            assert str(raised.value)[: len(text)] == text
