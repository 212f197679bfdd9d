"""Kills while a group is trained: ``python -m tests.fault_injection.group_kills --kills 200 --seed 1``.

A command that drives local workers and commands ``nncli worker`` train one group. At random moments one of all their
processes is killed, or all of them; with ``--dask`` also the scheduler and the workers of a Dask cluster. Between kills
``runs`` and ``compare`` read the group. What is left is continued by the same commands; in the end every file of every
trial must equal that of a group that one process has trained. A finished group is followed by a new one, until there
were enough kills.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.conftest import SPEC
from tests.fault_injection import child_processes
from tests.fault_injection.harnesses import run_harness
from tests.sweep.groups import contents, hidden

NAME = "group"
SWEEP = ("sweep", "config.yaml", "optimizer.type=sgd,adam", "--seeds", "4", "--name", NAME, "-q")
WORKER = ("worker", f"runs/{NAME}", "-q")
READERS = (("runs", "--json"), ("runs", f"runs/{NAME}", "--json"), ("compare", f"runs/{NAME}"))
READER_CODES = {0, 2, 4}  # 2 and 4: there are too few runs yet
LONGEST = 1.2  # seconds between two kills
SECONDS = 300  # that the last command may take
SCHEDULER = "from distributed.cli.dask_scheduler import main; main()"
CLUSTER_WORKER = "from distributed.cli.dask_worker import main; main()"


class Processes:
    """The processes that train a group.

    Args:
        directory: the working directory.
        engine: the address of a Dask cluster; None for local workers only.
    """

    def __init__(self, directory: Path, engine: str | None) -> None:
        self._directory, self._engine = directory, engine
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, random: Random) -> None:
        """Start a driver, and another worker if there are few."""
        self._started = [each for each in self._started if each.poll() is None]
        if len(self._started) < 3:
            engines = [("-j", "2"), (), *([("--engine", self._engine)] * 2 if self._engine else [])]
            is_driver = not self._started or not (self._directory / "runs" / NAME).exists()
            self._started.append(self._run((*(SWEEP if is_driver else WORKER), *random.choice(engines))))

    def _run(self, arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
        log = (self._directory / "log").open("ab")
        with log:
            return subprocess.Popen(
                child_processes.command(arguments),
                cwd=self._directory,
                env=child_processes.environment(),
                stdout=log,
                stderr=log,
            )

    def all(self) -> list[int]:
        """The ids of the commands and of the workers that they have started."""
        commands = [each.pid for each in self._started if each.poll() is None]
        return [*commands, *(child for each in commands for child in children(each))]

    def wait(self, seconds: float) -> bool:
        """Wait for the end of all commands; return whether they ended in time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if all(each.poll() is not None for each in self._started):
                return True
            time.sleep(0.05)
        return False


def children(process: int) -> list[int]:
    """The processes that a process has started, from those of the whole machine."""
    found = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, encoding="utf-8", check=False)
    return [int(line) for line in found.stdout.split()]


class Cluster:
    """A Dask cluster of a scheduler and two workers, whose processes may be killed and are started again.

    Args:
        directory: where its processes write.
        port: the port of the scheduler.
    """

    def __init__(self, directory: Path, port: int) -> None:
        self._directory, self.address = directory, f"127.0.0.1:{port}"
        self._commands = {
            "scheduler": [SCHEDULER, "--port", str(port), "--no-dashboard"],
            **{
                f"worker {n}": [CLUSTER_WORKER, self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
                for n in range(2)
            },
        }
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start what does not run."""
        for name, (code, *arguments) in self._commands.items():
            if name not in self._started or self._started[name].poll() is not None:
                self._started[name] = subprocess.Popen(
                    [sys.executable, "-c", code, *arguments],
                    cwd=self._directory,
                    env=child_processes.environment(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )

    def all(self) -> list[int]:
        """The ids of its processes."""
        return [each.pid for each in self._started.values() if each.poll() is None]

    def end(self) -> None:
        """Kill all of them."""
        for each in self._started.values():
            each.kill()
            each.wait()


def group_config(epochs: int) -> str:
    """A config that trains for a while, and writes many checkpoints."""
    return SPEC.replace("epochs: 30, log_every: 10", f"epochs: {epochs}, log_every: 250, checkpoint_seconds: 0.05")


def check_group(
    directory: Path, expected: dict[str, str], random: Random, kills: int, cluster: Cluster | None
) -> Counter[str]:
    """Train a group under at most this number of kills; the counts of what happened, problems among them."""
    counts = Counter[str]()
    processes = Processes(directory, f"dask://{cluster.address}" if cluster else None)
    group = directory / "runs" / NAME
    while counts["kills"] < kills and not is_complete(group, expected):
        if cluster:
            cluster.start()
        processes.start(random)
        time.sleep(random.uniform(0, LONGEST))
        targets = [*processes.all(), *(cluster.all() if cluster else [])]
        chosen = targets if random.random() < 0.1 else random.sample(targets, min(1, len(targets)))
        for process in chosen:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
                counts["kills"] += 1
        if group.exists() and random.random() < 0.2:
            counts.update(problems_of_readers(directory))
    if cluster:
        cluster.start()
    if not processes.wait(SECONDS):
        counts["WRONG: a command does not end"] += 1
    counts.update(problems_of_end(directory, expected))
    counts["groups"] += 1
    return counts


def is_complete(group: Path, expected: dict[str, str]) -> bool:
    """Whether all trials are evaluated."""
    return all((group / name).exists() for name in expected if name.endswith("evaluation.json"))


def problems_of_readers(directory: Path) -> Iterator[str]:
    """The commands that read the group, and those that fail."""
    for arguments in READERS:
        outcome = child_processes.run(arguments, directory)
        yield "reads"
        if outcome.code not in READER_CODES or "Traceback" in outcome.err:
            print(f"{' '.join(arguments)}: {child_processes.summary(outcome)}", flush=True)
            yield f"WRONG: {arguments[0]}"


def problems_of_end(directory: Path, expected: dict[str, str]) -> Iterator[str]:
    """The same command again, which must end with the files of the reference and leave nothing else."""
    outcome = child_processes.run(SWEEP, directory)
    if outcome.code != 0:
        print(f"the last command: {child_processes.summary(outcome)}", flush=True)
        yield "WRONG: the last command"
    found = contents(directory / "runs" / NAME)
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            print(f"{name} differs", flush=True)
            yield "WRONG: a file"
        yield "files"
    if left := hidden(directory / "runs" / NAME):
        print(f"left behind: {left}", flush=True)
        yield "WRONG: left behind"


def run_all(arguments: argparse.Namespace, work: Path) -> int:
    """Kill until there were enough; returns the number of problems, or 1 if there were too few kills."""
    random, counts = Random(arguments.seed), Counter[str]()
    reference = new_directory(work / "reference", arguments.epochs)
    assert child_processes.run(SWEEP, reference).code == 0
    expected = contents(reference / "runs" / NAME)
    cluster = Cluster(work, arguments.port) if arguments.dask else None
    try:
        while counts["kills"] < arguments.kills and not any(name.startswith("WRONG") for name in counts):
            directory = new_directory(work / f"group-{counts['groups']}", arguments.epochs)
            counts += check_group(directory, expected, random, arguments.kills - counts["kills"], cluster)
            shutil.rmtree(directory)
    finally:
        if cluster:
            cluster.end()
    wrong = sum(count for name, count in counts.items() if name.startswith("WRONG"))
    print(f"{', '.join(f'{count} {name}' for name, count in sorted(counts.items()))}; {wrong} wrong", flush=True)
    return wrong or int(counts["kills"] < arguments.kills)


def new_directory(path: Path, epochs: int) -> Path:
    """A working directory with the config."""
    path.mkdir(parents=True)
    (path / "config.yaml").write_text(group_config(epochs), encoding="utf-8")
    return path


def main() -> int:
    """Run the command line; returns 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=8000, help="of each trial")
    parser.add_argument("--dask", action="store_true", help="kill a Dask cluster, too")
    parser.add_argument("--port", type=int, default=28786, help="port of its scheduler")
    return run_harness("group_kills", parser, run_all)


if __name__ == "__main__":
    sys.exit(main())
