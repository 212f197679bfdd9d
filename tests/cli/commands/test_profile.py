"""``nncli profile``: a table, JSON, and words on what takes the time."""

import json
from contextlib import nullcontext

import pytest

from nncli.analysis.profiling import Part, Profile
from nncli.cli.render.profile import advice, show_profile, totals
from nncli.config.model import TrainingConfig

pytestmark = pytest.mark.slow

QUICK = ("--seconds", 1)


def found(floor=1.0, update=1.0, step=10.0, layer=2.0):
    parts = [Part("0 dense", layer / 2, layer / 2, floor), Part("update", None, update)]
    return Profile(parts, step, 300, 1, 2.0, 5e10)


def test_a_row_for_each_part_and_one_for_the_step(workdir, run_cli):
    """The table has the layers in their order, and what is around them; nothing is left behind."""
    before = sorted(workdir.rglob("*"))
    result = run_cli("profile", "config.yaml", *QUICK)
    assert (result.code, result.err) == (0, "")
    rows = [line.split("  ")[0].strip() for line in result.out.splitlines()]
    parts = ["batch", "0 dense", "1 relu", "2 dense", "3 softmax", "loss", "update", "between them", "step"]
    assert [row for row in rows if row in parts] == parts
    assert "30 epochs with metrics every 10 take about" in result.out
    assert sorted(workdir.rglob("*")) == before


def test_json_is_one_document(workdir, run_cli):
    """Every figure in seconds, parts by their names, the floor in sum."""
    result = run_cli("profile", "config.yaml", "training.batch_size=7", "--json", *QUICK)
    document = json.loads(result.out)
    assert document["config"] == "config.yaml"
    assert [part["name"] for part in document["parts"]][:2] == ["batch", "0 dense"]
    assert document["floor"] == pytest.approx(sum(part["floor"] for part in document["parts"]))
    assert (document["rows"], document["steps"]) == (60 / 9, 9)  # on average
    assert document["step"] > document["floor"] > 0


@pytest.mark.parametrize("seconds", ["0", "-1", "4000", "nan", "soon"])
def test_seconds_that_cannot_be_are_refused(workdir, run_cli, seconds):
    """The command line is wrong, which is exit code 2."""
    result = run_cli("profile", "config.yaml", "--seconds", seconds)
    assert result.code == 2
    assert "--seconds" in result.err


def test_a_wrong_spec_is_told_as_everywhere(workdir, run_cli):
    """Place and cure, exit code 3."""
    result = run_cli("profile", "config.yaml", "layers[0].units=0", *QUICK)
    assert result.code == 3
    assert "layers[0].units" in result.err


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        pytest.param(found(floor=8.0), "hardly more than its matrix products", id="products"),
        pytest.param(found(update=3.0), "update takes 30 % of the step; it is the same however many rows", id="update"),
        pytest.param(found(layer=4.0), "0 dense takes 30 % of the step beyond its products", id="a layer"),
        pytest.param(found(floor=0.0, layer=4.0), "0 dense takes 40 % of the step", id="a layer without products"),
        pytest.param(found(), "share the time", id="a bit of each"),
        pytest.param(found(step=5e-5, layer=3e-5, floor=1e-6), "mostly calls of NumPy", id="small arrays"),
    ],
)
def test_the_largest_share_is_named(profile, words):
    """What takes most of the step, and what would change it."""
    assert words in advice(profile, TrainingConfig(epochs=1))


def test_threads_are_advised_where_there_are_more_cores(monkeypatch):
    """Not where the spec asks for as many threads as there are cores."""
    monkeypatch.setattr("nncli.cli.render.profile.cores", lambda: 2)
    assert "training.threads" in advice(found(floor=8.0), TrainingConfig(epochs=1))
    assert "training.threads" not in advice(found(floor=8.0), TrainingConfig(epochs=1, threads=2))


def test_a_profile_is_taken_on_the_threads_of_the_spec(workdir, run_cli, monkeypatch):
    """As many as training would take."""
    asked = []
    monkeypatch.setattr(
        "nncli.runner.blas_threads.blas_threads", lambda threads, _: asked.append(threads) or nullcontext()
    )
    assert run_cli("profile", "config.yaml", "training.threads=2", *QUICK).code == 0
    assert asked == [2]


def test_shares_are_of_the_step(capsys):
    """A part of two seconds in a step of ten is 20 %."""
    show_profile(found(), TrainingConfig(epochs=1))
    (row,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("0 dense")]
    assert row.split() == ["0", "dense", "1.00", "s", "1.00", "s", "20", "%", "1.00", "s", "2.0"]


def test_a_network_without_products_has_no_floor(workdir, run_cli):
    """What only scales its inputs is profiled like any other."""
    plain = ("data.classes=2", "validation=null", "layers=[batch_normalization, softmax]")
    result = run_cli("profile", "config.yaml", *plain, *QUICK)
    assert (result.code, result.err) == (0, "")
    assert "–" in next(line for line in result.out.splitlines() if line.startswith("step"))


def test_a_kernel_that_is_set_is_named(workdir, run_cli, monkeypatch):
    """Where the environment chooses OpenBLAS's kernel, the processor may have a better one."""
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    assert "OPENBLAS_CORETYPE" not in run_cli("profile", "config.yaml", *QUICK).out
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    assert "OPENBLAS_CORETYPE=Prescott is set" in run_cli("profile", "config.yaml", *QUICK).out


def test_totals_are_those_of_the_whole_training():
    """400 · (10 + 2 / 5) seconds of steps and of rows of metrics; a multiply-add is two operations."""
    told = totals(found(), TrainingConfig(epochs=400, log_every=5))
    assert told[0] == "floor: the matrix products of 300 rows at 100 GFLOP/s, a product of two large matrices here"
    assert told[1] == "an epoch, which is one step, takes 10.0 s, a row of metrics 2.00 s"
    assert told[2] == "400 epochs with metrics every 5 take about 4,160 s"
    told = totals(found(), TrainingConfig(epochs=400, log_every=2))
    assert told[2] == "400 epochs with metrics every 2 take about 4,400 s; 9 % of it measures"
