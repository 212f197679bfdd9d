"""The number of threads: that of the config, by default one; BLAS has one."""

import os
import subprocess
import sys
from functools import partial
from itertools import count
from math import inf

import numpy as np  # noqa: F401 (loads the BLAS whose threads are counted)
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import nncli
from nncli.cli.main import SINGLE_THREAD_ENV
from nncli.errors import ConfigError
from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.nn.tensor_parallel import divides
from nncli.runner import compute_threads as compute_threads_module
from nncli.runner.compute_threads import compute_threads, cores
from nncli.training.loop import Trainer
from tests.conftest import SPEC

pytestmark = pytest.mark.slow


def taken():
    return sorted({each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"})


def test_blas_computes_on_one_thread():
    """Inside the context, whatever the number of threads is; afterwards it is the number of before."""
    with threadpool_limits(2, user_api="blas"):
        for threads in (1, 2, 3):
            with compute_threads(threads):
                assert taken() == [1]
            assert taken() == [2]


def test_unsupported_number_of_threads_is_rejected():
    """The message says how many there may be, and how many are useful."""
    message = rf"training\.threads: at most 64 threads, got 65; write {cores()}"
    with pytest.raises(ConfigError, match=message), compute_threads(65):
        pass
    with compute_threads(64):
        assert taken() == [1]


def test_huge_number_of_threads_is_an_error_in_the_config(run_cli, workdir):
    """It is refused before any library is called."""
    (workdir / "config.yaml").write_text(
        SPEC.replace("epochs: 30,", f"epochs: 30, threads: {10**30},"), encoding="utf-8"
    )
    result = run_cli("train", "config.yaml")
    assert result.code == 3
    assert "training.threads: must be at most 1024" in result.err


def test_unsupported_number_of_threads_has_a_location(run_cli, workdir):
    """Line and column in the config; no run directory is created."""
    (workdir / "config.yaml").write_text(SPEC.replace("epochs: 30,", "epochs: 30, threads: 1000,"), encoding="utf-8")
    result = run_cli("train", "config.yaml")
    assert result.code == 3
    assert result.err.startswith("config.yaml:11:33: training.threads: at most 64 threads, got 1000; write ")
    assert not (workdir / "runs").exists()


def test_environment_does_not_change_the_threads(workdir):
    """A variable that asks for more threads is overwritten: the default is one on every machine."""
    code = (
        "from nncli.cli.main import main; main(['check', 'config.yaml']); import numpy; "
        "from threadpoolctl import threadpool_info; print([each['num_threads'] for each in threadpool_info()])"
    )
    variables = dict.fromkeys(SINGLE_THREAD_ENV, "2")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=workdir,
        env={**os.environ, **variables},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[1]"


def test_run_is_trained_and_evaluated_on_its_threads(run_cli, workdir, monkeypatch):
    """Both use the number in the config, so that evaluation gives the same bits."""
    asked = []

    def heard(threads, document=None):
        asked.append(threads)
        return compute_threads(threads, document)

    monkeypatch.setattr("nncli.runner.compute_threads.compute_threads", heard)
    monkeypatch.setattr("nncli.runner.train.compute_threads", heard)
    assert run_cli("train", "config.yaml", "training.threads=2", "--name", "two").code == 0
    assert run_cli("evaluate", "two").code == 0
    assert asked == [2, 2]


LAST = "{type: dense, units: 3}, softmax]"
HIDDEN = "{type: dense, units: 400}, relu"
WIDE = f"layers=[{HIDDEN}, {LAST}"
DROPOUT = f"layers=[{HIDDEN}, {{type: dropout, rate: 0.1}}, {HIDDEN}, {LAST}"
NORMALIZED = (
    "layers=[{type: dense, units: 400}, batch_normalization, relu, {type: dense, units: 40}, batch_normalization, "
    f"relu, {LAST}"
)
LONG = ("data.samples=200", "training.threads=2", "training.epochs=6", "training.log_every=2")


def contents_of_run(overrides, name, interruptions):
    """Weights and metrics of a run that is interrupted at some polls of its stop callback, and resumed each time."""
    first, *others = (partial(is_past, count(), polls) for polls in (*interruptions, inf))
    run = nncli.train("config.yaml", overrides, name=name, stop=first)
    for stop in others:
        assert run.status == "interrupted"
        run = nncli.resume(run, stop=stop)
    assert run.status == "finished"
    return [(run.path / file).read_bytes() for file in ("weights.npz", "metrics.csv")]


def is_past(polls, number):
    """Whether this poll comes after a number of others."""
    return next(polls) >= number


@pytest.mark.parametrize(
    ("overrides", "is_divided"),
    [
        pytest.param([WIDE], True, id="plain"),
        pytest.param([DROPOUT], True, id="dropout"),
        pytest.param([NORMALIZED], True, id="batch normalization"),
        pytest.param([DROPOUT, "training.batch_size=256"], True, id="mini-batches and a remainder"),
        pytest.param(["data.samples=20"], False, id="short steps"),
    ],
)
def test_runs_on_two_threads_have_the_same_bytes(workdir, overrides, is_divided):
    """Two runs, and one that is interrupted between two batches and resumed, twice: equal weights and metrics."""
    overrides = (*LONG, *overrides)
    experiment = assemble(load(workdir / "config.yaml", overrides).config)
    network, trainer = experiment.network, Trainer(experiment)
    assert divides(network.layers, network.widths, trainer.batch_size, 2) is is_divided
    contents = [
        contents_of_run(overrides, name, polls) for name, polls in (("one", ()), ("other", ()), ("third", (2, 2)))
    ]
    assert contents[0] == contents[1] == contents[2]


def test_number_of_before_is_restored_after_an_error():
    """As after any other end."""
    with threadpool_limits(2, user_api="blas"):
        with pytest.raises(ValueError, match="inside"), compute_threads(1):
            raise ValueError("inside")
        assert taken() == [2]


def test_useful_number_is_an_allowed_one(monkeypatch):
    """On a machine of many cores."""
    monkeypatch.setattr(compute_threads_module, "cores", lambda: 100)
    with pytest.raises(ConfigError, match="got 65; write 64"), compute_threads(65):
        pass
