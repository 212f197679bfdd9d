"""Worker processes that compute parts of a task on shared memory, for tasks of some microseconds.

Threads of one Python process take turns in its interpreter, and wait for it again at each call of NumPy. Worker
processes have interpreters of their own. They are forked, so that each one has all objects of its parent. They wait for
each other by reading shared memory in a loop (busy waiting), since waking a process takes longer than many tasks.
"""

import gc
import mmap
import os
import pickle
import signal
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from math import prod
from pathlib import Path
from threading import Lock
from typing import Any, Literal, NoReturn
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from nncli.errors import WorkerError

CAN_FORK = sys.platform == "linux"  # the system libraries of macOS may not be used in a forked process
INTEGERS_PER_LINE = 8  # of 64 bits in a cache line; each member writes to a line of its own (no false sharing)
READS = 1_000  # of a counter, before the process yields the core; some 50 µs
YIELD_SECONDS = 2e-3  # in which the process yields the core between two reads, before it sleeps
FIRST_PAUSE, LONGEST_PAUSE = 5e-5, 1e-3  # seconds of sleep between two reads
MAX_ARGUMENTS = 4
MAX_ERROR_BYTES = 1 << 16
MAX_FILES = 1 << 16  # that are closed if it is unknown which ones are open


def shared_zeros(shape: tuple[int, ...], dtype: Any, order: Literal["C", "F"] = "C") -> NDArray[Any]:
    """An array of zeros in memory that this process shares with those that it forks later."""
    nbytes = prod(shape) * np.dtype(dtype).itemsize
    try:
        memory = mmap.mmap(-1, max(1, nbytes))
    except OSError as error:
        raise MemoryError(f"{nbytes} bytes of shared memory") from error
    return np.ndarray(shape, dtype, memory, order=order)


def shared_integers(count: int) -> memoryview:
    """Integers of 64 bits in shared memory, at first 0; reading one takes less time than reading a NumPy array."""
    return memoryview(mmap.mmap(-1, 8 * count)).cast("q")


class Barrier:
    """A point at which the members of a group wait until all have reached it.

    What a member has written before it is visible to all others after it.

    Args:
        count: the number of members, numbered from 0; each one is a process.
    """

    def __init__(self, count: int) -> None:
        self._counters = range(0, INTEGERS_PER_LINE * count, INTEGERS_PER_LINE)  # their indices in ``_arrivals``
        self._arrivals = shared_integers(INTEGERS_PER_LINE * count)
        self.check: Callable[[], object] | None = None  # called now and then in a long wait
        self.reset()

    def reset(self) -> None:
        """Begin anew, with no member waiting."""
        for index in self._counters:
            self._arrivals[index] = 0
        self._fence = Lock()  # a new one, since an interrupted wait may have left the old one released
        self._fence.acquire()

    def wait(self, member: int) -> None:
        """Wait until all members have called this method as often as this one."""
        arrivals, own = self._arrivals, self._counters[member]
        self._order_memory()
        arrivals[own] = count = arrivals[own] + 1
        for other in self._counters:
            if arrivals[other] < count:
                self._wait_for(other, count)
        self._order_memory()

    def _wait_for(self, other: int, count: int) -> None:
        arrivals, pause = self._arrivals, FIRST_PAUSE
        for _ in range(READS):
            if arrivals[other] >= count:
                return
        end = time.perf_counter() + YIELD_SECONDS
        while time.perf_counter() < end:
            if arrivals[other] >= count:
                return
            os.sched_yield()
        while arrivals[other] < count:
            if self.check:
                self.check()
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _order_memory(self) -> None:
        """A memory fence: reads and writes before it finish before those after it; a release, then an acquisition."""
        self._fence.release()
        self._fence.acquire()


class WorkerProcesses:
    """N members that call the same function at once: this process is member 0, worker processes are the others.

    The workers are forked by ``start``, or at the first call; they end with this object, with this process, or with an
    error. They share the arrays of ``shared_zeros`` only, and have copies of everything else as it was when they were
    forked.

    Args:
        count: N.
        function: called with the number of the member, and with the arguments of ``run``.
        barrier: that of the members, which the function may use as well.
    """

    def __init__(self, count: int, function: Callable[..., object], barrier: Barrier) -> None:
        self.count, self._function, self._barrier = count, function, barrier
        self._arguments = shared_integers(1 + MAX_ARGUMENTS)
        self._workers: dict[int, mmap.mmap] = {}  # the memory for the error of each one, by process id
        self._are_waiting = False  # all workers, for the next call
        self._process = os.getpid()
        finalize(self, _end, self._workers)

    def run(self, *arguments: int) -> None:
        """Call the function in all members, and wait for all of them.

        Args:
            arguments: at most ``MAX_ARGUMENTS`` integers of 64 bits.

        Raises:
            Exception: that of the function in any member; the workers end, and the next call forks new ones.
            WorkerError: a worker process has ended without an error, such as by a signal.
        """
        self._require_owner()
        if not self._are_waiting:
            self.start()
        self._are_waiting = False
        try:
            self._arguments[0] = len(arguments)
            for index, argument in enumerate(arguments, 1):
                self._arguments[index] = argument
            self._barrier.wait(0)
            self._function(0, *arguments)
            self._barrier.wait(0)
        except BaseException:
            self.close()
            raise
        self._are_waiting = True

    def start(self) -> None:
        """Fork the workers now, instead of at the first call.

        Raises:
            WorkerError: the system does not start them all.
        """
        self._require_owner()
        try:
            self.close()  # workers are left if it was interrupted
            self._fork()
        except BaseException:
            self.close()
            raise
        self._are_waiting = True

    def close(self) -> None:
        """End the workers; the next call forks new ones."""
        self._are_waiting = False
        _end(self._workers)

    def _require_owner(self) -> None:
        if self._process != os.getpid():
            raise RuntimeError("a forked process cannot use the worker processes of its parent")

    def _fork(self) -> None:
        self._barrier.reset()
        self._barrier.check = partial(_require_running, self._workers)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        try:
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # those of a group are for the parent
            for member in range(1, self.count):
                memory = mmap.mmap(-1, MAX_ERROR_BYTES)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)  # of forks in a process with several threads
                    process = os.fork()
                if not process:
                    self._work(member, memory)
                self._workers[process] = memory
        except OSError as error:
            raise WorkerError(f"a worker process cannot start: {error.strerror}; use fewer threads") from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _work(self, member: int, memory: mmap.mmap) -> NoReturn:
        """Call the function as often as the parent does, and nothing else; signals stay blocked."""
        try:
            gc.freeze()  # else it could run finalizers of the parent's objects
            _close_files()
            self._barrier.check = partial(_require_parent, self._process)
            while True:
                self._barrier.wait(member)
                self._function(member, *self._arguments[1 : 1 + self._arguments[0]])
                self._barrier.wait(member)
        except BaseException as error:
            memory.write(_pickled(error))
        finally:
            os._exit(1)


def _close_files() -> None:
    """Close all files of the parent, such as its lock files, except standard input, output and error."""
    try:
        last = max(int(each.name) for each in Path("/proc/self/fd").iterdir())
    except OSError:  # there is no /proc, or too many files are open
        last = min(os.sysconf("SC_OPEN_MAX"), MAX_FILES)
    os.closerange(3, 1 + last)


def _require_parent(parent: int) -> None:
    """End this process if its parent has ended."""
    if os.getppid() != parent:
        os._exit(0)


def _require_running(workers: dict[int, mmap.mmap]) -> None:
    """Raise the error of a worker that has ended."""
    for process, memory in tuple(workers.items()):
        try:
            ended, status = os.waitpid(process, os.WNOHANG)
            reason = _reason(os.waitstatus_to_exitcode(status))
        except ChildProcessError:  # SIGCHLD is ignored, or other code has waited for it
            ended, reason = process, "has ended"
        if ended:
            workers.pop(process, None)
            raise pickle.loads(memory) if memory[0] else WorkerError(f"a worker process {reason}")


def _reason(code: int) -> str:
    """What has happened to a process with this exit code, which is negative if a signal has ended it."""
    if code == -signal.SIGKILL:
        return f"was killed by signal {-code}, as the system does if memory is short"
    return f"was killed by signal {-code}" if code < 0 else "has ended"


def _pickled(error: BaseException) -> bytes:
    """An exception as bytes, or a RuntimeError with its text if it cannot be restored from them."""
    try:
        data = pickle.dumps(error)
        is_restored = len(data) <= MAX_ERROR_BYTES and repr(pickle.loads(data)) == repr(error)
    except Exception:
        is_restored = False
    if not is_restored:
        data = pickle.dumps(RuntimeError(f"a worker process has failed: {type(error).__name__}: {error!s:.1000}"))
    return data


def _end(workers: dict[int, mmap.mmap]) -> None:
    """End the workers of this process."""
    for process in tuple(workers):
        with suppress(ChildProcessError, ProcessLookupError):  # those of a parent, or other code has waited for it
            if os.waitpid(process, os.WNOHANG) == (0, 0):
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
        workers.pop(process, None)  # the exit of the interpreter ends those of other threads, too
