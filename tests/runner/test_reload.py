"""The experiment of a run rebuilt: its data are those that it was trained on."""

import json

import pytest

from nncli.errors import RunError
from nncli.experiment.assembly import assemble
from nncli.runner.reload import require_same_data
from nncli.store.run_reader import Run
from nncli.version import __version__
from tests.examples import LATE_TEST, put_record, train_config


@pytest.fixture
def trained(workdir):
    """A run whose test set was sampled after training, and is therefore described in evaluation.json."""
    return train_config(workdir / "config.yaml", LATE_TEST).path


def experiment(run):
    """The experiment of a run, all its data sets sampled."""
    rebuilt = assemble(run.config)
    rebuilt.data["test"] = rebuilt.data["validation"]  # any other rows than those of the run
    return rebuilt


def test_test_set_that_is_sampled_after_training_is_compared(trained):
    """With its description in evaluation.json."""
    run = Run(trained)
    with pytest.raises(RunError, match="the test data differs from what the run was trained on"):
        require_same_data(run, experiment(run))


@pytest.mark.parametrize("maker", [__version__, "0.4.1"])
def test_another_version_is_named_as_the_possible_reason(trained, maker):
    """This version is none."""
    record = json.loads((trained / "run.json").read_text(encoding="utf-8"))
    record["versions"]["nncli"] = maker
    put_record(trained / "run.json", record)
    run = Run(trained)
    with pytest.raises(RunError) as error:
        require_same_data(run, experiment(run))
    reason = "" if maker == __version__ else "; the run was made with nncli 0.4.1"
    assert str(error.value).endswith(f"differs from what the run was trained on{reason}")
