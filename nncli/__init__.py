"""Train small neural networks from a YAML config, every part written by hand in NumPy.

``train``, ``resume`` and ``load`` are imported when they are first used, so that ``import nncli`` imports no NumPy.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nncli import errors
    from nncli.api import Run, load, resume, train

__version__ = "0.5.0"
__all__ = ["Run", "__version__", "errors", "load", "resume", "train"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("nncli.errors") if name == "errors" else getattr(import_module("nncli.api"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Keeps the public name ``train`` for the function: importing the package ``nncli.train`` does not rebind it."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "train":
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
