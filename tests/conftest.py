"""Fixtures and settings of all tests: one BLAS thread, so that results are reproducible, and the command line."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from nncli.cli.main import SINGLE_THREAD_ENV, main  # imports no NumPy, which reads its settings when it is imported

for _variable, _value in SINGLE_THREAD_ENV.items():
    os.environ.setdefault(_variable, _value)

os.environ.pop("NNCLI_RUNS", None)  # the user's directory of runs

# a shell starts background processes with SIGINT ignored, and nohup ignores SIGHUP
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

settings.register_profile("any machine", deadline=None)  # no test asserts an absolute time
settings.load_profile("any machine")

ROOT = Path(__file__).parent.parent
SWEEPS = sorted((ROOT / "configs" / "sweeps").glob("*.yaml"))
CONFIGS = sorted({*(ROOT / "configs").rglob("*.yaml")} - {*SWEEPS})

SPEC = """\
seed: 0
data: {type: spiral, samples: 20, classes: 3}
validation: {type: spiral, samples: 20}
layers:
  - {type: dense, units: 8}
  - relu
  - {type: dense, units: 3}
  - softmax
loss: categorical_crossentropy
optimizer: {type: adam, learning_rate: 0.05}
training: {epochs: 30, log_every: 10}
metrics: [accuracy]
"""


def pytest_collection_modifyitems(items):
    """Mark tests of mutations and of fault injection as slow."""
    for item in items:
        if item.get_closest_marker("mutation") or item.get_closest_marker("fault_injection"):
            item.add_marker(pytest.mark.slow)


def pytest_make_parametrize_id(val):
    """The name of an object without a text of its own: its address would differ between processes."""
    return type(val).__name__ if " object at 0x" in repr(val) else None


@dataclass
class Result:
    """The result of a command: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    """An empty working directory with ``config.yaml``, a small config that trains in milliseconds."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(SPEC, encoding="utf-8")
    return tmp_path


@pytest.fixture
def run_cli(capfd):
    """Run a command in this process: ``run_cli("train", "config.yaml").code``."""

    def run(*arguments):
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return run


@pytest.fixture(scope="session")
def optimizer_group(tmp_path_factory):
    """A group of two optimizers and four seeds, which no test changes."""
    from tests.groups import OPTIMIZERS, make_group

    return make_group(tmp_path_factory.mktemp("groups") / "runs", "optimizers", OPTIMIZERS)
