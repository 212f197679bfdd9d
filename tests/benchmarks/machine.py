"""The machine: its cores, the environment of measured processes, and the line that describes both.

``python -m tests.benchmarks.machine`` prints the kernels of NumPy's BLAS in the current environment.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks import THREADS

ROOT = Path(__file__).parent.parent.parent
PROCESSOR = Path("/proc/cpuinfo")
ONE_XLA_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def arguments(caption, rounds=None):
    """A parser with the options of all commands; without a number of rounds there is no option for it."""
    parser = argparse.ArgumentParser(description=caption, formatter_class=argparse.RawDescriptionHelpFormatter)
    if rounds:
        parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--keep-environment", action="store_true", help="keep the variables OPENBLAS_…")
    return parser


def environment(threads, keep=False, kind_variables=None):
    """The environment of measured processes: the number of threads, and modules compiled once, as after installation.

    ``OPENBLAS_…`` is removed unless ``keep`` is true: ``OPENBLAS_CORETYPE`` would restrict NumPy's BLAS to the
    instructions of an older processor, but not the libraries of the baselines. ``kind_variables``, those of a kind of
    processor, restrict all of them.
    """
    dropped = {"PYTHONDONTWRITEBYTECODE", "XLA_FLAGS"}
    inherited = {name: value for name, value in os.environ.items() if keep or not name.startswith("OPENBLAS_")}
    variables = {name: value for name, value in inherited.items() if name not in dropped}
    variables |= dict.fromkeys(THREADS, str(threads))
    variables |= {"TORCHINDUCTOR_COMPILE_THREADS": "1"}  # no compiler processes
    kind_variables = kind_variables or {}
    flags = [ONE_XLA_THREAD if threads == 1 else "", kind_variables.get("XLA_FLAGS", "")]
    xla = {"XLA_FLAGS": " ".join(filter(None, flags))} if any(flags) else {}
    return variables | kind_variables | xla


def pin(threads):
    """Pin this process and its children to as many cores as threads: the last ones that it may use."""
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))[-threads:]
    if len(cores) < threads:
        sys.exit(f"{threads} threads need as many cores, there are {len(cores)}")
    os.sched_setaffinity(0, cores)


@contextmanager
def pinned(threads):
    """Pin this process and its children, within a block, to as many cores as threads."""
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    pin(threads)
    try:
        yield
    finally:
        if before:
            os.sched_setaffinity(0, before)


def description(variables, packages):
    """The line with date, machine, versions and BLAS kernels above every table."""
    blas = f"NumPy's BLAS: {blas_kernels(variables)}"
    return f"{date_and_versions(packages)}; {blas}; {variables['OMP_NUM_THREADS']} thread(s)."


def blas_kernels(variables):
    """Name, version and kernels of NumPy's BLAS in a process with this environment."""
    command = [sys.executable, "-m", "tests.benchmarks.machine"]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", cwd=ROOT, env=variables)
    return done.stdout.strip()


def date_and_versions(packages):
    """Date, processor, system, and the versions of Python and of packages."""
    parts = (
        time.strftime("%Y-%m-%d"),
        f"{processor()}, {usable_cores()} of {os.cpu_count()} cores",
        platform.system(),
        f"Python {platform.python_version()}",
        *(f"{package} {version(package)}" for package in sorted({"numpy", *packages})),
    )
    return "; ".join(parts)


def processor():
    """The name of the processor, if the system provides it."""
    lines = PROCESSOR.read_text(encoding="utf-8").splitlines() if PROCESSOR.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def usable_cores():
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def kernels():
    """Name, version and kernels of the BLAS that NumPy has loaded."""
    import numpy  # noqa: F401 (loads it)
    from threadpoolctl import threadpool_info

    found = [each for each in threadpool_info() if each["user_api"] == "blas"]
    return ", ".join(f"{each['internal_api']} {each['version']} {each.get('architecture', '')}" for each in found)


if __name__ == "__main__":
    print(kernels().strip() or "unknown")
