"""What a result may depend on besides its config: versions, BLAS, instruction sets."""

import platform
from collections.abc import Mapping
from typing import Any

import nnfs
import numpy as np
from threadpoolctl import threadpool_info

from nncli import __version__
from nncli.store.records import RunRecord


def environment() -> dict[str, Any]:
    """Versions of everything that computes, NumPy's BLAS, and the vector instructions it found on this machine."""
    config: Any = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {})
    return {
        "versions": {
            "nncli": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "nnfs": nnfs.__version__,
        },
        "machine": platform.machine(),
        "blas": {
            **{key: blas.get(key) for key in ("name", "version", "openblas configuration")},
            "kernels": _kernels(),
        },
        "simd": config.get("SIMD Extensions", {}),
    }


def _kernels() -> list[str]:
    """For which processors the kernels are that BLAS has chosen here; a variable may have chosen them too."""
    return [each["architecture"] for each in threadpool_info() if "architecture" in each]


def environment_differences(record: RunRecord) -> list[str]:
    """In which respects this machine is another than that on which a run began: versions, BLAS, vector instructions."""
    before, now = _named(vars(record)), _named(environment())
    return [name for name in now if before.get(name) != now[name]]


def _named(environment: Mapping[str, Any]) -> dict[str, Any]:
    """What results may depend on, by the names that a user knows."""
    blas, simd = environment["blas"], environment["simd"]
    return {"machine": environment["machine"], **environment["versions"], "BLAS": blas, "vector instructions": simd}
