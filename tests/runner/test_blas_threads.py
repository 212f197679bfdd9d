"""How many threads compute: what the spec says, and one where it says nothing."""

import os
import subprocess
import sys

import numpy as np  # noqa: F401 (loads the BLAS that is asked)
import pytest
from threadpoolctl import threadpool_info

from nncli.cli.main import SINGLE_THREAD_ENV
from nncli.errors import ConfigError
from nncli.runner.blas_threads import blas_threads, cores
from tests.conftest import SPEC

pytestmark = pytest.mark.slow


def taken():
    return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_blas_takes_as_many_threads_as_it_is_told(threads):
    """Inside the number is the one asked for, afterwards the one before."""
    before = taken()
    with blas_threads(threads):
        assert taken() == [threads]
    assert taken() == before == [1]


def test_a_blas_that_takes_fewer_is_told():
    """No BLAS takes a million; the message says how many it does, and how many are of use."""
    message = rf"training\.threads: NumPy's BLAS takes \d+ threads on the {cores()} cores here, got 1000000; write \d+"
    with pytest.raises(ConfigError, match=message), blas_threads(1_000_000):
        pass
    assert taken() == [1]


def test_a_number_that_no_library_takes_is_a_mistake_of_the_spec(run_cli, workdir):
    """It is refused before any library is asked."""
    (workdir / "config.yaml").write_text(
        SPEC.replace("epochs: 30,", f"epochs: 30, threads: {10**30},"), encoding="utf-8"
    )
    result = run_cli("train", "config.yaml")
    assert result.code == 3
    assert "training.threads: must be at most 1024" in result.err


def test_the_message_has_its_place(run_cli, workdir):
    """Line and column of the number in the config, like any other mistake in it; nothing is left behind."""
    (workdir / "config.yaml").write_text(SPEC.replace("epochs: 30,", "epochs: 30, threads: 1000,"), encoding="utf-8")
    result = run_cli("train", "config.yaml")
    assert result.code == 3
    assert result.err.startswith("config.yaml:11:33: training.threads: NumPy's BLAS takes ")
    assert not (workdir / "runs").exists()


def test_the_environment_has_no_say(workdir):
    """A variable that asks for more threads changes nothing: the default is one on every machine."""
    code = (
        "from nncli.cli.main import main; main(['check', 'config.yaml']); import numpy; "
        "from threadpoolctl import threadpool_info; print([each['num_threads'] for each in threadpool_info()])"
    )
    told = dict.fromkeys(SINGLE_THREAD_ENV, "2")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=workdir,
        env={**os.environ, **told},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[1]"


def test_a_run_on_two_threads_is_trained_and_measured_on_two(run_cli, workdir, monkeypatch):
    """Training and evaluation both ask for the spec's number, so that evaluation gives the same bits."""
    asked = []

    def heard(threads, document=None):
        asked.append(threads)
        return blas_threads(threads, document)

    monkeypatch.setattr("nncli.runner.blas_threads.blas_threads", heard)
    assert run_cli("train", "config.yaml", "training.threads=2", "--name", "two").code == 0
    assert run_cli("evaluate", "two").code == 0
    assert asked == [2, 2]


def test_two_runs_on_two_threads_are_the_same_bytes(run_cli, workdir):
    """Wide layers, whose products are shared out, in two runs: equal weights and metrics."""
    wide = ("layers[0].units=300", "data.samples=100", "training.threads=2", "training.epochs=5")
    files = []
    for name in ("one", "other"):
        assert run_cli("train", "config.yaml", *wide, "--name", name).code == 0
        files.append([(workdir / "runs" / name / file).read_bytes() for file in ("weights.npz", "metrics.csv")])
    assert files[0] == files[1]
