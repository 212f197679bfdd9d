"""Train all configs with two versions: ``python -m tests.compatibility.compare_versions 2a57e11 [--full]``.

The versions are a git revision and the working tree; each training runs in a process of its own. ``weights.npz`` and
``metrics.csv`` are compared byte for byte, and number by number if the bytes differ. Exit code 1 if any number differs;
a result whose bytes differ but not its numbers is counted separately.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.compatibility.results import differences, is_identical
from tests.compatibility.revisions import extract, run_python
from tests.conftest import ROOT
from tests.test_configs import shortened

IDENTICAL, EQUAL, DIFFERENT = "identical bytes", "other bytes, equal numbers", "different"


class Comparison(NamedTuple):
    """How the results of one config compare, and what differs."""

    verdict: str
    details: Sequence[str] = ()


def train(source: Path, config: Path, overrides: Sequence[str], runs: Path) -> str | None:
    """Train a config with the package in ``source``, as the run ``runs``/run; returns the message if that fails."""
    runs.mkdir(parents=True)
    command = ["-m", "nncli", "train", config, *overrides, "--runs", runs, "--name", "run", "-q"]
    done = run_python(source, command, runs)
    return f"exit code {done.returncode}: {done.stderr.strip()}" if done.returncode else None


def compare(run: Path, expected: Path) -> Comparison:
    """Compare the results of the working tree with those of the revision."""
    if is_identical(run, expected):
        return Comparison(IDENTICAL)
    found = list(differences(run, expected))
    return Comparison(DIFFERENT, found) if found else Comparison(EQUAL)


def compare_config(name: str, revision: Path, workdir: Path, full: bool) -> Comparison:
    """Train a config with both versions; each reads the config of this name that it comes with."""
    overrides = () if full else shortened(revision / "configs" / name)
    sources = {"revision": revision, "working tree": ROOT}
    with ThreadPoolExecutor(len(sources)) as pool:
        runs = {version: workdir / name / version for version in sources}
        jobs = {
            version: pool.submit(train, source, source / "configs" / name, overrides, runs[version])
            for version, source in sources.items()
        }
    failures = [f"{version}: {failure}" for version, job in jobs.items() if (failure := job.result())]
    if failures:
        return Comparison(DIFFERENT, failures)
    return compare(runs["working tree"] / "run", runs["revision"] / "run")


def main() -> int:
    """Compare all configs of the revision, and print one line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision")
    parser.add_argument("--full", action="store_true", help="train every config for all of its epochs")
    arguments = parser.parse_args()
    verdicts = Counter[str]()
    with tempfile.TemporaryDirectory() as temporary:
        source = extract(arguments.revision, Path(temporary) / "source")
        configs = source / "configs"
        names = sorted(
            str(path.relative_to(configs)) for path in {*configs.rglob("*.yaml")} - {*configs.glob("sweeps/*")}
        )
        for name in names:
            verdict, details = compare_config(name, source, Path(temporary) / "runs", arguments.full)
            verdicts[verdict] += 1
            print(": ".join([name, verdict, *filter(None, ["; ".join(details)])]), flush=True)
    counts = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in (IDENTICAL, EQUAL, DIFFERENT))
    print(f"{len(names)} configs compared with {arguments.revision}: {counts}")
    return int(verdicts[IDENTICAL] + verdicts[EQUAL] < len(names) or not names)


if __name__ == "__main__":
    sys.exit(main())
