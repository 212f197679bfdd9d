"""``nncli profile``: a table, JSON, and sentences about what takes the time."""

import json
from contextlib import nullcontext

import pytest

from nncli.analysis.profiling import Part, Profile
from nncli.analysis.thread_profile import ThreadProfile
from nncli.cli.render.profile import advice, show_profile, thread_lines, totals
from nncli.config.model import TrainingConfig
from nncli.nn.kernels.blas import kernels
from nncli.runner.compute_threads import cores

pytestmark = pytest.mark.slow

QUICK = ("--seconds", 1)


def profile_of(floor=1.0, update=1.0, step=10.0, layer=2.0):
    parts = [Part("0 dense", layer / 2, layer / 2, floor), Part("update", None, update)]
    return Profile(parts, step, 300, 1, 2.0, 5e10)


def by_threads(*divided):
    """Steps of 10 and of 6 seconds."""
    return ThreadProfile(list(divided), {1: 10.0, 2: 6.0}, ["Haswell"])


@pytest.mark.parametrize(
    ("divided", "can_fork", "text"),
    [
        ([2], True, "on several threads, processes divide the units of each layer"),
        ([], True, "several threads do not divide a step, as it is short, or its layers cannot be divided"),
        ([], False, "several threads do not divide a step, as this needs Linux"),
    ],
)
def test_threads_are_compared_with_those_of_the_config(monkeypatch, divided, can_fork, text):
    """Whether they divide a step, or why not, and its time on each number."""
    monkeypatch.setattr("nncli.cli.render.profile.CAN_FORK", can_fork)
    lines = thread_lines(by_threads(*divided), TrainingConfig(epochs=1, threads=2))
    assert lines[0] == f"kernels of BLAS: Haswell; {text}"
    assert lines[1] == ("a step takes 6.00 s on 2 threads, as the config says; 10.0 s on 1 thread (1.67 times as long)")


def test_one_core_says_nothing_about_several_threads():
    """They were not measured, so that there is no reason to give."""
    lines = thread_lines(ThreadProfile([], {1: 10.0}, ["Haswell"]), TrainingConfig(epochs=1))
    assert lines == ["kernels of BLAS: Haswell", "a step takes 10.0 s on 1 thread, as the config says"]


def test_table_has_one_row_per_operation(workdir, run_cli):
    """The table has the layers in order, the other operations, the overhead and the step; nothing is written."""
    before = sorted(workdir.rglob("*"))
    result = run_cli("profile", "config.yaml", *QUICK)
    assert (result.code, result.err) == (0, "")
    rows = [line.split("  ")[0].strip() for line in result.out.splitlines()]
    parts = ["batch", "0 dense", "1 relu", "2 dense", "3 softmax", "loss", "update", "overhead", "step"]
    assert [row for row in rows if row in parts] == parts
    assert "30 epochs with metrics every 10 take about" in result.out
    assert sorted(workdir.rglob("*")) == before


def test_json_document(workdir, run_cli):
    """Every figure is in seconds, parts have names, and the floor is the sum of theirs."""
    result = run_cli("profile", "config.yaml", "training.batch_size=7", "--json", *QUICK)
    document = json.loads(result.out)
    assert document["config"] == "config.yaml"
    assert [part["name"] for part in document["parts"]][:2] == ["batch", "0 dense"]
    assert document["floor"] == pytest.approx(sum(part["floor"] for part in document["parts"]))
    assert (document["rows"], document["steps"]) == (60 / 9, 9)  # on average
    assert document["step"] > document["floor"] > 0
    assert {1, min(2, cores())} <= {step["threads"] for step in document["threads"]["steps"]}
    assert all(step["step"] > 0 for step in document["threads"]["steps"])
    assert document["threads"]["kernels"] == list(kernels())
    assert not any(step["divided"] for step in document["threads"]["steps"])


@pytest.mark.parametrize("seconds", ["0", "-1", "4000", "nan", "soon"])
def test_invalid_seconds_are_rejected(workdir, run_cli, seconds):
    """An invalid number of seconds is an error of the command line, exit code 2."""
    result = run_cli("profile", "config.yaml", "--seconds", seconds)
    assert result.code == 2
    assert "--seconds" in result.err


def test_wrong_config_is_rejected(workdir, run_cli):
    """A wrong config has exit code 3 and the path of its key."""
    result = run_cli("profile", "config.yaml", "layers[0].units=0", *QUICK)
    assert result.code == 3
    assert "layers[0].units" in result.err


@pytest.mark.parametrize(
    ("profile", "text"),
    [
        pytest.param(profile_of(floor=8.0), "little more than its matrix products; fewer units", id="products"),
        pytest.param(
            profile_of(update=3.0),
            "update takes 30 % of the step; its time does not depend on the batch size",
            id="update",
        ),
        pytest.param(
            profile_of(layer=4.0), "0 dense takes 30 % of the step in addition to its matrix products", id="a layer"
        ),
        pytest.param(profile_of(floor=0.0, layer=4.0), "0 dense takes 40 % of the step", id="a layer without products"),
        pytest.param(profile_of(), "time is split", id="a bit of each"),
        pytest.param(profile_of(step=5e-5, layer=3e-5, floor=1e-6), "NumPy call overhead", id="small arrays"),
    ],
)
def test_advice_names_what_dominates_the_step(profile, text):
    """The advice says what takes most of the step, and what would change it."""
    assert text in advice(profile, by_threads(), TrainingConfig(epochs=1))


@pytest.mark.parametrize(
    ("divided", "threads", "is_suggested"), [([2], 1, True), ([], 1, False), ([2], 2, False), ([3], 1, False)]
)
def test_advice_suggests_more_threads_if_they_are_faster(divided, threads, is_suggested):
    """Not if the step is not divided among them, the config has as many, or the divided step takes longer."""
    found = ThreadProfile(divided, {1: 10.0, 2: 6.0, 3: 11.0})
    text = advice(profile_of(floor=8.0), found, TrainingConfig(epochs=1, threads=threads))
    assert ("training.threads" in text) is is_suggested


def test_profile_uses_the_threads_of_the_config(workdir, run_cli, monkeypatch):
    """The profile is measured on as many threads as training uses."""
    asked = []
    monkeypatch.setattr(
        "nncli.runner.compute_threads.compute_threads", lambda threads, _: asked.append(threads) or nullcontext()
    )
    assert run_cli("profile", "config.yaml", "training.threads=2", *QUICK).code == 0
    assert asked == [2]


def test_percentages_are_of_the_step(capsys):
    """A part of two seconds in a step of ten is 20 %."""
    show_profile(profile_of(), by_threads(), TrainingConfig(epochs=1))
    (row,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("0 dense")]
    assert row.split() == ["0", "dense", "1.00", "s", "1.00", "s", "20", "%", "1.00", "s", "2.0"]


def test_network_without_matrix_products_has_no_minimum(workdir, run_cli):
    """A network that only scales its inputs is profiled like any other."""
    plain = ("data.classes=2", "validation=null", "layers=[batch_normalization, softmax]")
    result = run_cli("profile", "config.yaml", *plain, *QUICK)
    assert (result.code, result.err) == (0, "")
    assert "–" in next(line for line in result.out.splitlines() if line.startswith("step"))


def test_kernel_of_the_environment_is_noted(workdir, run_cli, monkeypatch):
    """If the environment sets the kernel of OpenBLAS, the profile says so."""
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    assert "OPENBLAS_CORETYPE" not in run_cli("profile", "config.yaml", *QUICK).out
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    assert "OPENBLAS_CORETYPE=Prescott is set" in run_cli("profile", "config.yaml", *QUICK).out


def test_totals_are_those_of_the_whole_training():
    """400 · (10 + 2 / 5) seconds of steps and evaluations; a multiply-add is two floating-point operations."""
    lines = totals(profile_of(), by_threads(), TrainingConfig(epochs=400, log_every=5))
    assert (
        lines[0]
        == "minimum: the matrix products of 300 rows at 100 GFLOP/s, the rate of a large matrix product on this machine"
    )
    assert lines[1] == "an epoch of 1 step takes 10.0 s, an evaluation of the metrics 2.00 s"
    assert lines[2] == "400 epochs with metrics every 5 take about 4,160 s"
    lines = totals(profile_of(), by_threads(), TrainingConfig(epochs=400, log_every=2))
    assert lines[2] == "400 epochs with metrics every 2 take about 4,400 s, of which 9 % is evaluation"


@pytest.mark.parametrize(("divided", "epoch", "training"), [([2], "6.00", "2,560"), ([], "10.0", "4,160")])
def test_totals_are_those_on_the_threads_of_the_config(divided, epoch, training):
    """The parts are measured on one thread, but training divides its steps, if they are long enough."""
    lines = totals(profile_of(), by_threads(*divided), TrainingConfig(epochs=400, log_every=5, threads=2))
    assert lines[1] == f"an epoch of 1 step takes {epoch} s, an evaluation of the metrics 2.00 s"
    assert lines[2].startswith(f"400 epochs with metrics every 5 take about {training} s")
