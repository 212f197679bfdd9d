"""``nncli show``: the resolved config, and a summary of the network."""

import json

import pytest

from nncli.experiment.loading import load
from tests.examples import BINARY, LATE_TEST, NORMALIZED, SINE, WARM_COSINE

LAYERS = "[{type: Layer_Dense, units: 8, l2: 1e-9}, relu, {type: dropout, rate: 0.1}, {type: dense, units: 3}, softmax]"
CHANGES = [
    [],
    ["rng=nnfs", "dtype=float64", "seed=4294967295"],
    [f"layers={LAYERS}", "regularization={l1: 0.1, bias_l2: 5e-4}"],
    ["layers[0].initializer={type: normal, scale: 1e-300}", "layers[2].l2=0", "dtype=float64"],
    ["validation={fraction: 0.25}", "test={type: spiral, samples: 7, seed: 0}"],
    ["training={epochs: 50, batch_size: 16, early_stopping: {patience: 10, min_delta: 1e22}}"],
    ["optimizer={type: sgd, momentum: 0.9, decay: 1e-3}"],
    ["validation=null"],
    [*SINE],
    [*BINARY, "metrics=[{type: f1, threshold: 0.25}, auc]"],
    [*NORMALIZED],
    [*LATE_TEST],
    [WARM_COSINE, "clipping={type: value, limit: 1e-300}", "dtype=float64"],
    ["schedule=cosine", "training.batch_size=7"],
    ["metrics=[]"],
]


def shown_yaml(text):
    """The YAML of the output: everything before the first blank line."""
    return text.partition("\n\n")[0] + "\n"


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_printed_yaml_is_the_resolved_config(workdir, run_cli, change):
    """The printed YAML, used as a config, resolves to the same config, and is printed the same again."""
    result = run_cli("show", "config.yaml", *change)
    assert (result.code, result.err) == (0, "")
    (workdir / "again.yaml").write_text(shown_yaml(result.out), encoding="utf-8")
    assert (
        load(workdir / "again.yaml").config.model_dump()
        == load(workdir / "config.yaml", tuple(change)).config.model_dump()
    )
    assert run_cli("show", "again.yaml").out == result.out


def test_defaults_are_printed(workdir, run_cli):
    """The output has what the config leaves out: initializers, penalties, the constants of the optimizer."""
    out = run_cli("show", "config.yaml").out
    for text in ("initializer: {type: he}", "initializer: {type: glorot}", "beta_1: 0.9", "l2: 0.0", "dtype: float32"):
        assert text in out


def test_summary_has_one_row_per_layer_and_totals(workdir, run_cli):
    """One row per layer, then the totals."""
    out = run_cli("show", "config.yaml", "layers[0].units=2000").out
    rows = [line.split() for line in out.splitlines() if line[:1].isdigit()]
    assert ["0", "dense", "(N,", "2000)", "6,000", "4,000"] in rows
    assert ["2", "dense", "(N,", "3)", "6,003", "6,000"] in rows
    assert "12,003 parameters" in out
    assert "1,560,000 MACs per training step of 60 rows" in out


def test_json_has_the_config_and_the_summary(workdir, run_cli):
    """The resolved config with the summary, and nothing on standard error."""
    result = run_cli("show", "config.yaml", "--json")
    document = json.loads(result.out)
    assert result.err == ""
    assert document["spec"] == load(workdir / "config.yaml").config.model_dump()
    assert [layer["type"] for layer in document["layers"]] == ["dense", "relu", "dense", "softmax"]
    assert (document["parameters"], document["rows_a_step"], document["multiply_adds_a_step"]) == (51, 60, 6240)
    assert document["memory_bytes"] > 0


def test_show_writes_nothing(workdir, run_cli):
    """The directory stays as it is."""
    assert run_cli("show", "config.yaml").code == 0
    assert [path.name for path in workdir.iterdir()] == ["config.yaml"]


def test_invalid_config_is_exit_code_3(workdir, run_cli):
    """Exit code 3, with the location."""
    result = run_cli("show", "config.yaml", "layers[0].units=0")
    assert (result.code, result.out) == (3, "")
    assert "layers[0].units: must be at least 1, got 0" in result.err


@pytest.mark.parametrize(("changes", "updates"), [((), 30), (("training.batch_size=16",), 120)])
def test_default_length_of_a_schedule_is_printed(workdir, run_cli, changes, updates):
    """If the config leaves it out, it is the number of updates of the whole training."""
    cosine = run_cli("show", "config.yaml", "schedule=cosine", *changes)
    assert f"schedule: {{type: cosine, updates: {updates}, lowest: 0.0}}" in cosine.out
    after_warmup = run_cli("show", "config.yaml", WARM_COSINE, *changes)
    assert f"{{type: cosine, updates: {updates - 5}, lowest: 0.1}}" in after_warmup.out


def test_default_metrics_of_the_task_are_printed(workdir, run_cli):
    """A config without metrics shows which ones will be measured."""
    document = json.loads(run_cli("show", "config.yaml", *BINARY, "--json").out)
    assert [metric["type"] for metric in document["spec"]["metrics"]] == [
        "accuracy",
        "precision",
        "recall",
        "f1",
        "auc",
    ]


def test_running_statistics_are_not_trainable_parameters(workdir, run_cli):
    """A batch normalization layer of 8 features has 16 trainable parameters."""
    layers = json.loads(run_cli("show", "config.yaml", *NORMALIZED, "--json").out)["layers"]
    assert [layer["parameters"] for layer in layers] == [24, 16, 0, 27, 0]
