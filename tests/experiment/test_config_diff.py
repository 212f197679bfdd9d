"""Runs of an nncli that did not know ``split_method`` are read, verified and resumed with the rows that they have."""

import json
from functools import partial

import pytest

from nncli.experiment import loading
from nncli.experiment.checks import NEW_RUN, cross_check
from nncli.registry import Model
from nncli.store.records import RunRecord

FRACTIONS = ("validation={fraction: 0.25}", "test={fraction: 0.2}")


def without_method(record):
    """What is written of a run without the key."""
    dumped = Model.model_dump(record)
    del dumped["spec"]["split_method"]
    return dumped


@pytest.fixture
def old_run(workdir, run_cli, monkeypatch):
    """Train as nncli 0.4 did: fractions one after another, and no key in run.json that says so."""

    def trained(*overrides):
        with monkeypatch.context() as patch:
            patch.setattr(loading, "resolve", partial(loading.resolve, split_method="consecutive"))
            patch.setattr(loading, "cross_check", lambda sections, _: cross_check(sections, {NEW_RUN}))
            patch.setattr(RunRecord, "model_dump", without_method)
            assert run_cli("train", "config.yaml", *overrides, "--name", "old", "-q").code == 0
        run = workdir / "runs" / "old"
        assert "split_method" not in (run / "run.json").read_text(encoding="utf-8")
        return run

    return trained


@pytest.mark.parametrize(
    "overrides",
    [
        FRACTIONS,
        FRACTIONS[1:],
        FRACTIONS[:1],
        (*FRACTIONS, "rng=nnfs"),
        ("data.seed=4", "validation.seed=4"),
        ("data.seed=4", "validation.seed=4", "validation.samples=21"),
    ],
)
def test_an_old_run_is_evaluated_verified_and_resumed(old_run, run_cli, overrides):
    """Its rows are those that it was trained on, whether or not its splits share some."""
    run = old_run(*overrides)
    recorded = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))["splits"]
    evaluated = json.loads(run_cli("evaluate", "old", "--json").out)
    assert {name: part["metrics"] for name, part in evaluated["splits"].items()} == recorded
    verified = run_cli("verify", "old", "--json")
    assert verified.code == 0, verified.out
    resumed = run_cli("train", "--resume", "old", "config.yaml", *overrides, "training.epochs=40", "-q")
    assert resumed.code == 0, resumed.err
    assert "split_method" not in (run / "run.json").read_text(encoding="utf-8")
    assert run_cli("verify", "old").code == 0


def test_a_new_run_is_compared_with_an_old_one(old_run, run_cli):
    """The method is the difference of two runs with a test fraction, and none of any other runs."""
    old_run(*FRACTIONS)
    assert run_cli("train", "config.yaml", *FRACTIONS, "--name", "new", "-q").code == 0
    compared = run_cli("compare", "old", "new", "--different-data", "--json")
    assert json.loads(compared.out)["differences"] == {"split_method": ["consecutive", "independent"]}
    assert run_cli("train", "config.yaml", *FRACTIONS, "split_method=consecutive", "--name", "same", "-q").code == 0
    compared = run_cli("compare", "old", "same", "--json")
    assert (compared.code, json.loads(compared.out)["differences"]) == (0, {})


def test_another_method_than_that_of_a_run_is_a_difference(old_run, run_cli):
    """A config that asks for other rows cannot resume an old run; one that says the old method can."""
    old_run(*FRACTIONS)
    refused = run_cli("train", "--resume", "old", "config.yaml", *FRACTIONS, "split_method=independent")
    assert refused.code == 3
    assert 'split_method: is "independent" here, "consecutive" in the run' in refused.err
    assert run_cli("train", "--resume", "old", "config.yaml", *FRACTIONS, "split_method=consecutive").code == 0
