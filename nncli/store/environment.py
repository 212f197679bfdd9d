"""What makes a run reproducible besides its config: versions, BLAS library and CPU features."""

import platform
from collections.abc import Iterator, Mapping
from typing import Any

import nnfs
import numpy as np

from nncli.config.diagnostics import LONGEST_VALUE, sanitized_line, shown
from nncli.nn.kernels.blas import kernels
from nncli.store.records import RunRecord
from nncli.version import __version__


def environment() -> dict[str, Any]:
    """The versions of all libraries that compute, NumPy's BLAS, and the SIMD extensions of this CPU."""
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
            "kernels": list(kernels()),
        },
        "simd": config.get("SIMD Extensions", {}),
    }


def environment_differences(record: RunRecord) -> list[str]:
    """What differs between this machine and the one a run was started on: versions, BLAS, CPU features."""
    recorded, current = _labelled(vars(record)), _labelled(environment())
    return [name for name in current if recorded.get(name) != current[name]]


def described_differences(record: RunRecord) -> list[str]:
    """What differs, with the value of then and the value of now."""
    recorded, current = _labelled(vars(record)), _labelled(environment())
    return [
        description
        for name in environment_differences(record)
        for description in _described(name, recorded.get(name), current[name])
    ]


def _described(name: str, then: Any, now: Any) -> Iterator[str]:
    """A difference as text; that of a mapping by its keys."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in {**then, **now}:
            yield from _described(f"{name} {key}", then.get(key), now.get(key))
    elif then != now:
        yield f"{name} ({_text(then)} then, {_text(now)} now)"


def _text(value: Any) -> str:
    """A recorded value, which is untrusted, in a line."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else shown(value).strip("'")
    return sanitized_line(text[:LONGEST_VALUE]) or "none"


def _labelled(environment: Mapping[str, Any]) -> dict[str, Any]:
    """What results may depend on, by the names that messages use."""
    blas, simd = environment["blas"], environment["simd"]
    return {"machine": environment["machine"], **environment["versions"], "BLAS": blas, "vector instructions": simd}
