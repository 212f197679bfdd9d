"""The machine that is measured on: its cores, the environment of what is measured, and the line that names it all.

``python -m tests.benchmarks.machine`` prints the kernels of NumPy's BLAS in the environment that it is started with.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks import THREADS

ROOT = Path(__file__).parent.parent.parent
PROCESSOR = Path("/proc/cpuinfo")
ONE_XLA_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def arguments(caption, rounds):
    """What every command can be told; it adds its own."""
    parser = argparse.ArgumentParser(description=caption, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--keep-environment", action="store_true", help="leave variables OPENBLAS_… as they are")
    return parser


def environment(threads, keep=False):
    """The variables of what is measured: so many threads, and modules compiled once, as where they are installed.

    Other ``OPENBLAS_…`` are removed unless ``keep``: ``OPENBLAS_CORETYPE`` would hold NumPy's BLAS to the instructions
    of an older processor, while the rivals' libraries choose theirs by themselves.
    """
    dropped = {"PYTHONDONTWRITEBYTECODE", "XLA_FLAGS"}
    kept = {name: value for name, value in os.environ.items() if keep or not name.startswith("OPENBLAS_")}
    variables = {name: value for name, value in kept.items() if name not in dropped}
    variables |= dict.fromkeys(THREADS, str(threads))
    variables |= {"TORCHINDUCTOR_COMPILE_THREADS": "1"}  # the compiler keeps no processes of its own
    return variables | ({"XLA_FLAGS": ONE_XLA_THREAD} if threads == 1 else {})


def pin(threads):
    """Keep this process, and all that it starts, on as many cores as there are threads: the last that it may use."""
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))[-threads:]
    if len(cores) < threads:
        sys.exit(f"{threads} threads need as many cores, there are {len(cores)}")
    os.sched_setaffinity(0, cores)


def told(variables, packages):
    """The line on date, machine, versions and BLAS kernel, above every table."""
    kernels = [sys.executable, "-m", "tests.benchmarks.machine"]
    blas = subprocess.run(
        kernels, check=True, capture_output=True, encoding="utf-8", cwd=ROOT, env=variables
    ).stdout.strip()
    parts = (
        time.strftime("%Y-%m-%d"),
        f"{processor()}, {_cores()}",
        platform.system(),
        f"Python {platform.python_version()}",
        *(f"{package} {version(package)}" for package in sorted({"numpy", *packages})),
        f"NumPy's BLAS: {blas}",
        f"{variables['OMP_NUM_THREADS']} thread(s)",
    )
    return "; ".join(parts) + "."


def processor():
    """The processor's name, as far as the system tells it."""
    lines = PROCESSOR.read_text(encoding="utf-8").splitlines() if PROCESSOR.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _cores():
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{usable} of {os.cpu_count()} cores"


def kernels():
    """Name, release and kernels of the BLAS that NumPy has loaded."""
    import numpy  # noqa: F401 (loads it)
    from threadpoolctl import threadpool_info

    found = [each for each in threadpool_info() if each["user_api"] == "blas"]
    return ", ".join(f"{each['internal_api']} {each['version']} {each.get('architecture', '')}" for each in found)


if __name__ == "__main__":
    print(kernels().strip() or "unknown")
