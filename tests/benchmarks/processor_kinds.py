"""Kinds of processor: this one as it is, and restricted to AVX2: libraries then ignore its AVX-512 instructions."""

import subprocess
import sys
from typing import NamedTuple

from tests.benchmarks.machine import PROCESSOR

DISPATCHED = "from numpy._core._multiarray_umath import __cpu_dispatch__; print(*__cpu_dispatch__)"


class Kind(NamedTuple):
    """The title of a kind of processor in a document, and the environment variables that restrict libraries to it."""

    title: str
    variables: dict[str, str]


AS_IS = Kind("The processor as it is", {})


def avx2_only():
    """The kind without AVX-512: of NumPy and its BLAS, of JAX, and of PyTorch with oneDNN and MKL."""
    return Kind(
        "AVX2 only",
        {
            "OPENBLAS_CORETYPE": "Haswell",
            "NPY_DISABLE_CPU_FEATURES": " ".join(avx512_names(_dispatched_features())),
            "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
            "ATEN_CPU_CAPABILITY": "avx2",
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        },
    )


def kinds():
    """The kinds that can be compared on this machine: without AVX-512 only the processor as it is."""
    has_avx512 = PROCESSOR.exists() and "avx512f" in PROCESSOR.read_text(encoding="utf-8").split()
    return (AS_IS, avx2_only()) if has_avx512 else (AS_IS,)


def avx512_names(features):
    """Those of NumPy's names of processor features that stand for AVX-512; x86-64-v4 is the level that has it."""
    return [name for name in features if name.startswith("AVX512") or name == "X86_V4"]


def _dispatched_features():
    """The features for which NumPy has kernels of their own; read in another process, so that this one stays small."""
    done = subprocess.run([sys.executable, "-c", DISPATCHED], check=True, capture_output=True, encoding="utf-8")
    return done.stdout.split()
