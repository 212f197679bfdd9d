"""The task of a config, and the metrics that are applicable to it."""

import pytest

from nncli.experiment.loading import load
from nncli.experiment.task import is_applicable, task
from nncli.nn.metrics.metric import Task
from nncli.registry import components, names
from tests.examples import BINARY, SINE

TWO_OUTPUTS = (*BINARY, "layers[2].units=2", "metrics=[accuracy]")
KNOWN = {  # at least
    Task.CLASSES: {"accuracy"},
    Task.BINARY: {"accuracy", "precision", "recall", "f1", "auc"},
    Task.REGRESSION: {"r2", "mean_absolute_error", "root_mean_squared_error", "regression_accuracy"},
}


@pytest.fixture
def resolved(workdir):
    """Load the small config with overrides, resolved."""
    return lambda *overrides: load(workdir / "config.yaml", overrides).config


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ((), Task.CLASSES),
        (TWO_OUTPUTS, Task.CLASSES),
        (("loss=binary_crossentropy", "layers[3]=sigmoid"), Task.CLASSES),
        (BINARY, Task.BINARY),
        ((*BINARY, "loss=mean_squared_error"), Task.BINARY),
        (SINE, Task.REGRESSION),
    ],
)
def test_applicable_metrics_are_the_default(workdir, changes, expected):
    """If the config names no metrics, all that are applicable to the task are measured."""
    loaded = load(workdir / "config.yaml", (*changes, "metrics=null"))
    measured = [metric.type for metric in loaded.config.metrics]
    assert task(loaded.config, loaded.plan) is expected
    assert measured == [metric.name for metric in components("metric") if expected in metric.target.tasks]
    assert KNOWN[expected] <= set(measured)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("[]", []),
        ("[auc]", ["auc"]),
        ("[f1, accuracy]", ["f1", "accuracy"]),
        ("[{type: recall, threshold: 0.25}]", ["recall"]),
        ("[Accuracy_Categorical]", ["accuracy"]),
    ],
)
def test_given_metrics_are_kept(resolved, written, found):
    """A list of metrics is used unchanged, in its order, with its parameters."""
    config = resolved(*BINARY, f"metrics={written}")
    assert [metric.type for metric in config.metrics] == found
    assert [metric.threshold for metric in config.metrics if metric.type == "recall"] == (
        [0.25] if "0.25" in written else [0.5] * found.count("recall")
    )


@pytest.mark.parametrize("entry", components("metric"), ids=lambda entry: entry.name)
def test_every_metric_is_applicable_to_a_task(entry):
    """A metric declares at least one task."""
    given = entry.model.model_validate({})
    assert [each for each in Task if is_applicable(given, each)] == [
        each for each in Task if each in entry.target.tasks
    ]
    assert entry.target.tasks


def test_metrics_have_book_aliases():
    """Both accuracies of the book are known by its class names."""
    assert names("metric")["Accuracy_Categorical"].name == "accuracy"
    assert names("metric")["Accuracy_Regression"].name == "regression_accuracy"
