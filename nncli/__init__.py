"""Train small neural networks from a YAML config, every part written by hand in NumPy.

``train``, ``resume`` and ``load`` are imported when they are first used, so that ``import nncli`` imports no NumPy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nncli.version import __version__

if TYPE_CHECKING:
    from nncli import errors
    from nncli.api import Run, load, resume, train

__all__ = ["Run", "__version__", "errors", "load", "resume", "train"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("nncli.errors") if name == "errors" else getattr(import_module("nncli.api"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
