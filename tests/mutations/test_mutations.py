"""The tests of the network find every mutation, and pass without one."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.mutations.network import MUTATIONS
from tests.mutations.patching import Patch, find
from tests.mutations.plugin import CONTROL, ENVIRONMENT_VARIABLE

NO_SINGLE_FORMULA = {"test_book.py", "test_pytorch.py"}  # results of whole programs
SLOWEST = "test_gradcheck.py"  # last, because -x ends at the first failure
OPTIONS = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "tests.mutations.plugin", "--timeout", "120"]


@pytest.mark.mutation
@pytest.mark.parametrize("name", [CONTROL, *MUTATIONS])
def test_mutation_is_found(name):
    """With a mutation the tests of the network fail; with every function only wrapped they pass."""
    paths = [path for path in (ROOT / "tests" / "nn").rglob("test_*.py") if path.name not in NO_SINGLE_FORMULA]
    files = sorted(paths, key=lambda path: (path.name == SLOWEST, path))
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, *files],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), ENVIRONMENT_VARIABLE: name},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert result.returncode == (0 if name == CONTROL else 1), (result.stdout + result.stderr)[-2000:]
    assert name == CONTROL or "FAILED" in result.stdout, result.stdout[-2000:]


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutation_replaces_existing_attributes(name):
    """Every target of a mutation exists; a renamed function is an error that names it."""
    MUTATIONS.apply(name).undo()


def test_missing_target_is_named():
    """A target that does not exist is reported in full."""
    for target in ("nncli.errors:NoSuchError", "nncli.no_such_module:f", "nncli.errors:RunError.no_such_method"):
        with pytest.raises(LookupError, match=target):
            find(target)


def test_patch_is_undone():
    """A function is replaced in all modules that import it, an inherited method in the subclass alone."""
    from nncli import errors
    from nncli.nn import schedules
    from nncli.nn.optimizers import optimizer

    patch, original = Patch(), schedules.inverse_time
    patch.after("nncli.nn.schedules:inverse_time", lambda rate, *_: 2 * rate)
    patch.after("nncli.errors:RunError.with_traceback", lambda error, *_: error)
    assert schedules.inverse_time(1.0, 0.0, 0) == optimizer.inverse_time(1.0, 0.0, 0) == 2.0
    assert "with_traceback" in vars(errors.RunError)
    patch.undo()
    assert schedules.inverse_time is optimizer.inverse_time is original
    assert "with_traceback" not in vars(errors.RunError)


def test_import_of_one_module_is_replaced_alone():
    """A target that names an import leaves the function itself as it is."""
    from nncli.nn import schedules
    from nncli.nn.optimizers import optimizer

    patch = Patch()
    patch.function("nncli.nn.optimizers.optimizer:inverse_time", lambda *_: 0.0)
    try:
        assert optimizer.inverse_time(1.0, 0.0, 0) == 0.0
        assert schedules.inverse_time(1.0, 0.0, 0) == 1.0
    finally:
        patch.undo()
