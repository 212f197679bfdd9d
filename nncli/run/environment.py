"""What a result may depend on besides its spec: versions, BLAS, instruction sets."""

import platform
from typing import Any

import nnfs
import numpy as np

from nncli import __version__


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
        "blas": {key: blas.get(key) for key in ("name", "version", "openblas configuration")},
        "simd": config.get("SIMD Extensions", {}),
    }
