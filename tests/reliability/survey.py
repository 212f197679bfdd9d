"""Many trials, each in a folder of its own, on several processes, until all are made or too many were wrong."""

import multiprocessing
import shutil
from collections.abc import Callable, Sequence
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, TypeAlias

Check: TypeAlias = Callable[[Any, Path], list[str]]  # a trial and a folder that is not there yet -> what is wrong

_FORK = multiprocessing.get_context("fork")


class Survey:
    """Makes trials; afterwards ``made`` and ``wrong`` say how many, and how many of them were wrong.

    Args:
        check: makes a trial; returns what is wrong, a line each.
        work: an existing folder, in which each trial gets one.
        processes: how many trials are made at once.
        most: no more trials are begun when so many were wrong.
    """

    def __init__(self, check: Check, work: Path, processes: int, most: int) -> None:
        self._check, self._work, self._processes, self._most = check, work, processes, most
        self.made = self.wrong = 0

    def conduct(self, trials: Sequence[Any]) -> None:
        """Make the trials, and print what is wrong with each as it is known."""
        enough = _FORK.Event()
        with _FORK.Pool(self._processes, _remember, (enough, self._check, self._work)) as pool:
            for told, wrong in pool.imap_unordered(_made, enumerate(trials)):
                if told is None:
                    continue
                self.made += 1
                if wrong:
                    self.wrong += 1
                    print(f"{told}: {'; '.join(wrong)}", flush=True)
                if self.wrong >= self._most:
                    enough.set()


_shared: dict[str, Any] = {}  # of a worker


def _remember(enough: Event, check: Check, work: Path) -> None:
    _shared.update(enough=enough, check=check, work=work)


def _made(job: tuple[int, Any]) -> tuple[str | None, list[str]]:
    number, trial = job
    if _shared["enough"].is_set():
        return None, []
    place = _shared["work"] / f"trial-{number}"
    place.mkdir()
    wrong = _shared["check"](trial, place / "here")
    shutil.rmtree(place)
    return str(trial), wrong
