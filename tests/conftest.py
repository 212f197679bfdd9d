"""What all tests share: one BLAS thread, so that equal specs give equal bits, and a command line in this process."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from nncli.cli.main import SINGLE_THREAD_ENV, main  # imports no NumPy, which reads its settings when it is imported

for _variable, _value in SINGLE_THREAD_ENV.items():
    os.environ.setdefault(_variable, _value)

signal.signal(signal.SIGINT, signal.default_int_handler)  # in a shell's background and under nohup they are ignored,
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and what is ignored stays so

settings.register_profile("any machine", deadline=None)  # no test asserts an absolute time
settings.load_profile("any machine")

ROOT = Path(__file__).parent.parent

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


@dataclass
class Result:
    """How a command ended: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    """An empty folder to work in, with ``config.yaml``, a small spec that trains in milliseconds."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(SPEC, encoding="utf-8")
    return tmp_path


@pytest.fixture
def run_cli(capfd):
    """Run a command in this process: ``nncli("train", "config.yaml").code``."""

    def run(*arguments):
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return run
