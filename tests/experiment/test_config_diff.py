"""Differences between a config and a run, and runs of versions without ``split_method``."""

import json

import pytest

from nncli.experiment import loading
from nncli.experiment.checks import NEW_RUN, cross_check
from nncli.experiment.defaults import resolve
from nncli.registry import Model
from nncli.store.records import RunRecord

FRACTIONS = ("validation={fraction: 0.25}", "test={fraction: 0.2}")


def resolve_as_version_0_4(config, plan):
    """The resolved config of a version that took consecutive fractions."""
    return resolve(config.model_copy({"split_method": "consecutive"}), plan)


def without_later_keys(record):
    """The content of run.json without the keys of later versions."""
    dumped = Model.model_dump(record)
    del dumped["spec"]["split_method"], dumped["schema"]
    return dumped


@pytest.fixture
def old_run(workdir, run_cli, monkeypatch):
    """Train as nncli 0.4 did: consecutive fractions, and neither the method nor the schema in run.json."""

    def trained(*overrides):
        with monkeypatch.context() as patch:
            patch.setattr(loading, "resolve", resolve_as_version_0_4)
            patch.setattr(loading, "cross_check", lambda config, plan, _: cross_check(config, plan, {NEW_RUN}))
            patch.setattr(RunRecord, "model_dump", without_later_keys)
            assert run_cli("train", "config.yaml", *overrides, "--name", "old", "-q").code == 0
        run = workdir / "runs" / "old"
        assert "split_method" not in (run / "run.json").read_text(encoding="utf-8")
        return run

    return trained


@pytest.mark.slow
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
def test_run_of_an_earlier_version_is_evaluated_verified_and_resumed(old_run, run_cli, overrides):
    """Its rows are those of its training, whether or not its splits share some."""
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


@pytest.mark.slow
def test_split_method_is_a_difference_of_runs_with_a_test_fraction(old_run, run_cli):
    """Runs with a test fraction differ in the method; a run with the earlier method does not."""
    old_run(*FRACTIONS)
    assert run_cli("train", "config.yaml", *FRACTIONS, "--name", "new", "-q").code == 0
    compared = run_cli("compare", "old", "new", "--different-data", "--json")
    assert json.loads(compared.out)["differences"] == {"split_method": ["consecutive", "independent"]}
    assert run_cli("train", "config.yaml", *FRACTIONS, "split_method=consecutive", "--name", "same", "-q").code == 0
    compared = run_cli("compare", "old", "same", "--json")
    assert (compared.code, json.loads(compared.out)["differences"]) == (0, {})


def test_other_split_method_prevents_resuming(old_run, run_cli):
    """A config with the other method cannot resume a run; one with the same method can."""
    old_run(*FRACTIONS)
    rejected = run_cli("train", "--resume", "old", "config.yaml", *FRACTIONS, "split_method=independent")
    assert rejected.code == 3
    assert 'split_method: differs from the run ("independent" vs "consecutive")' in rejected.err
    assert run_cli("train", "--resume", "old", "config.yaml", *FRACTIONS, "split_method=consecutive").code == 0
