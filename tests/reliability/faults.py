"""The faults that the harnesses must find: ``python -m tests.reliability.faults`` plants each, and sees it found.

The same faults can be planted one by one, with the option ``--sabotage`` of the harness that is made to find it.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.reliability.sabotage import Faults, planted, run_in

STORAGE, APPEND_LOG, LOCK, FILES, DIRECTORY, RESUMING, TRAINING, READING = (
    f"nncli/run/{name}.py"
    for name in ("storage", "append_log", "lock", "files", "directory", "resuming", "training", "reading")
)
IN_PLACE = {
    STORAGE: (
        "            temporary.replace(path)\n        except OSError:",
        "            path.write_bytes(temporary.read_bytes())\n        except OSError:",
    )
}
NOT_CUT = {APPEND_LOG: ("os.ftruncate(self._descriptor, self.size)", "pass")}
OLDEST_REMOVED_FIRST = {
    DIRECTORY: (
        "        write_checkpoint(self.path, self.training, self._run, self._metrics.size, self._metrics.sha256)\n"
        "        for old in checkpoints(self.path)[:-KEPT_CHECKPOINTS]:\n"
        "            storage.remove(old)\n",
        "        for old in checkpoints(self.path):\n"
        "            storage.remove(old)\n"
        "        write_checkpoint(self.path, self.training, self._run, self._metrics.size, self._metrics.sha256)\n",
    )
}


CUT_BEFORE_CHECKPOINT = {
    RESUMING: (
        "        for each in damaged:\n",
        "        (path / 'metrics.csv').write_bytes(metrics)\n        for each in damaged:\n",
    )
}
NO_CHECKPOINT_OF_A_RAISE = {RESUMING: ("        if is_raised or has_extra_row:\n", "        if False:\n")}
EVALUATION_FIRST = {
    RESUMING: (
        "        if is_raised or has_extra_row:\n",
        "        storage.remove(path / 'evaluation.json')\n        if is_raised or has_extra_row:\n",
    )
}


class Fault(NamedTuple):
    """What is planted, and the arguments with which the harness finds it soon."""

    planted: Faults
    words: tuple[str, ...]


SOME = ("--most", "1", "--states", "600")
RESUMED = (*SOME, "--only", "plain-resumed")
SAMPLE = ("--most", "1", "--sample", "2000")
KILLED = ("--most", "1", "--runs", "200")
FAULTS: dict[str, dict[str, Fault]] = {
    "power": {
        "no fsync of files": Fault(
            {STORAGE: ("            os.fsync(file.fileno())\n", "")}, (*SOME, "--only", "plain")
        ),
        "no fsync of folders": Fault({STORAGE: ("os.fsync(descriptor)", "pass")}, (*SOME, "--only", "plain")),
        "written in place": Fault(IN_PLACE, (*SOME, "--only", "plain")),
        "oldest removed first": Fault(OLDEST_REMOVED_FIRST, (*SOME, "--only", "plain")),
        "metrics not synced": Fault(
            {DIRECTORY: ("        self._metrics.sync()\n        put_", "        put_")}, RESUMED
        ),
        "published before it is synced": Fault(
            {STORAGE: ("        fsync_directory(folder)\n        if target", "        if target")},
            (*SOME, "--only", "plain"),
        ),
        "metrics not cut back": Fault(NOT_CUT, RESUMED),
        "a raise without a checkpoint": Fault(NO_CHECKPOINT_OF_A_RAISE, (*SOME, "--only", "raise again")),
        "resumed from the oldest": Fault(
            {RESUMING: ("reversed(checkpoints(self.run.path))", "checkpoints(self.run.path)")}, RESUMED
        ),
    },
    "signals_at_calls": {
        "written in place": Fault(IN_PLACE, SAMPLE),
        "metrics not cut back": Fault(NOT_CUT, SAMPLE),
        "a raise cuts metrics first": Fault(CUT_BEFORE_CHECKPOINT, (*SAMPLE, "--course", "raise")),
        "a raise without a checkpoint": Fault(NO_CHECKPOINT_OF_A_RAISE, (*SAMPLE, "--course", "raise again")),
        "SIGTERM not caught": Fault(
            {"nncli/runner/signals.py": ("signal.SIGINT, signal.SIGTERM,", "signal.SIGINT,")}, SAMPLE
        ),
    },
    "errors_at_calls": {
        "written in place": Fault(IN_PLACE, SAMPLE),
        "a raise cuts metrics first": Fault(CUT_BEFORE_CHECKPOINT, (*SAMPLE, "--course", "raise")),
        "a raise removes the evaluation first": Fault(
            EVALUATION_FIRST, (*SAMPLE, "--course", "raise with early stopping")
        ),
        "failures swallowed": Fault(
            {
                FILES: (
                    '        raise StorageError(f"{path}: {error.strerror or error}") from error',
                    "        return",
                )
            },
            SAMPLE,
        ),
        "failures not told": Fault(
            {FILES: ('        raise StorageError(f"{path}: {error.strerror or error}") from error', "        raise")},
            SAMPLE,
        ),
        "copies left behind": Fault(
            {STORAGE: ("    with suppress(OSError):\n        temporary.unlink()", "    pass")}, SAMPLE
        ),
        "failed fsync of metrics ignored": Fault(
            {
                APPEND_LOG: (
                    "        with failures(self.path):\n            os.fsync(self._descriptor)",
                    "        try:\n            os.fsync(self._descriptor)\n        except OSError:\n            pass",
                )
            },
            SAMPLE,
        ),
    },
    "errors_at_reads": {
        "unreadable is damaged": Fault(
            {
                FILES: (
                    '        raise StorageError(f"{path}: {error.strerror',
                    '        raise RunError(f"{path}: {error.strerror',
                )
            },
            SAMPLE,
        ),
        "a checkpoint that cannot be read is skipped": Fault(
            {
                RESUMING: [
                    ("from nncli.errors import ", "from nncli.errors import NncliError, "),
                    (
                        "            except (RunError, ValueError) as error:",
                        "            except (NncliError, ValueError) as error:",
                    ),
                ]
            },
            ("--most", "1", "--course", "resume interrupted"),
        ),
    },
    "filesystems": {
        "hard links are needed": Fault({STORAGE: ("        path.touch(exist_ok=False)\n", "        raise\n")}, ()),
        "directories must be synced": Fault({STORAGE: ("if error.errno not in NO_FSYNC:", "if True:")}, ()),
        "hidden directories stay": Fault(
            {STORAGE: ("        discard(folder)\n        if attempts", "        if attempts")}, ()
        ),
    },
    "trainers": {
        "no lock": Fault({LOCK: ("                _take(descriptor)\n", "                pass\n")}, ("--rounds", "2")),
    },
    "moves": {
        "a failed write is not examined": Fault(
            {LOCK: ("            with suppress(StorageError):\n                self.require_held(path)\n", "")},
            ("--rounds", "40"),
        ),
    },
    "kills": {
        "masks begin anew": Fault(
            {"nncli/experiment/rng.py": ('"state": int(state[0])', '"state": known["state"]["state"]')}, KILLED
        ),
        "the order is drawn from another state": Fault(
            {TRAINING: ("position.random_before if under_way else", "position.random if under_way else")}, KILLED
        ),
        "metrics not cut back": Fault(NOT_CUT, KILLED),
        "the optimizer forgets": Fault(
            {
                TRAINING: (
                    "self.optimizer.updates, self.epoch, self.batch = position.updates,",
                    "_, self.epoch, self.batch = position.updates,",
                )
            },
            KILLED,
        ),
        "the row is measured again": Fault(
            {TRAINING: ("self.is_measured = position.is_measured", "self.is_measured = False")}, KILLED
        ),
        "the best is forgotten": Fault({TRAINING: ("if position.best_epoch is not None and", "if False and")}, KILLED),
        "written in place": Fault(IN_PLACE, KILLED),
    },
    "pairs": {
        "checkpoints of any run": Fault(
            {READING: ("if checkpoint.identity not in {None, self.identity}:", "if False:")}, ("--pairs", "3")
        ),
        "an evaluation of any run": Fault(
            {READING: ("if evaluation.identity not in {None, self.identity}:", "if False:")}, ("--pairs", "60")
        ),
    },
}


def add_sabotage(parser: argparse.ArgumentParser, harness: str) -> None:
    """Give a harness the option ``--sabotage``."""
    names = ", ".join(FAULTS[harness])
    parser.add_argument("--sabotage", choices=FAULTS[harness], metavar="FAULT", help=f"on a copy with a fault: {names}")


def sabotaged(harness: str, fault: str) -> int:
    """Run the harness on a copy of the package with a fault; returns its exit code."""
    found = FAULTS[harness][fault]
    with tempfile.TemporaryDirectory(prefix="sabotage-", ignore_cleanup_errors=True) as folder:
        done = run_in(planted(Path(folder), found.planted), f"tests.reliability.{harness}", *found.words)
    print(done.stdout, done.stderr, sep="", end="")
    return done.returncode


def conducted(
    harness: str, parser: argparse.ArgumentParser, survey: Callable[[argparse.Namespace, Path], object]
) -> int:
    """Read a harness's command line, and make its survey in a folder of its own, or on a copy with a fault.

    Returns 1 where the survey gives anything that is wrong: a number of trials, or a list of lines.
    """
    add_sabotage(parser, harness)
    arguments = parser.parse_args()
    if arguments.sabotage:
        return sabotaged(harness, arguments.sabotage)
    with tempfile.TemporaryDirectory(prefix=f"{harness}-") as folder:
        return 1 if survey(arguments, Path(folder)) else 0


def main() -> int:
    """Plant every fault; 1 where a harness does not turn red."""
    missed = 0
    for harness, faults in FAULTS.items():
        for fault in faults:
            with tempfile.TemporaryDirectory(prefix="sabotage-", ignore_cleanup_errors=True) as folder:
                found = faults[fault]
                done = run_in(planted(Path(folder), found.planted), f"tests.reliability.{harness}", *found.words)
            is_found = done.returncode == 1 and re.search(r"[1-9]\d* wrong|is another|has trained", done.stdout)
            missed += not is_found
            last = (done.stdout + done.stderr).strip().splitlines()[-1:]
            print(f"{harness}: {fault}: {'found' if is_found else 'MISSED'}: {''.join(last)[:160]}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
