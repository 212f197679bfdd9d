"""Commands and options of other tools: the message says what to write instead."""

import pytest

from nncli.cli.usage_errors import COMMANDS

NO_ADVICE = ("command 'frobnicate'", "option '--config'", "option '-s'", "option '--trainer.max'")


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        ("fit config.yaml", "Write: nncli train CONFIG"),
        ("resume a", "Write: nncli train --resume RUN"),
        ("infer a rows.csv", "Write: nncli predict RUN FILE"),
        ("config.yaml seed=3", "Write: nncli train config.yaml seed=3"),
        ("missing.yml", "Write: nncli train missing.yml"),
        ("config", "Write: nncli train config"),
        ("trian config.yaml", "Did you mean 'train'?"),
        ("train --config config.yaml", "The config is an argument: nncli train CONFIG"),
        ("show -c config.yaml", "The config is an argument: nncli show CONFIG"),
        ("evaluate --run a", "The run is an argument: nncli evaluate RUN"),
        ("train config.yaml --output_dir x", "Runs are in the directory of --runs-dir."),
        ("train config.yaml --set seed=1", "Overrides are written without an option: seed=1"),
        ("train config.yaml --lr 0.1", "Values of the config are set without dashes: optimizer.learning_rate=0.1"),
        ("train config.yaml --n-jobs=2", "Values of the config are set without dashes: training.threads=2"),
        ("train config.yaml --lr --quiet", "set without dashes: optimizer.learning_rate=VALUE"),
        ("train config.yaml --lr=0.1 seed=3", "set without dashes: optimizer.learning_rate=0.1"),
        ("train config.yaml --output-dir x", "Runs are in the directory of --runs-dir."),
        ("train config.yaml --optimizer.decay 0.1", "set without dashes: optimizer.decay=0.1"),
        ("train config.yaml --gpu", "nncli computes on the processor; remove it."),
        ("train config.yaml -v", "Progress is shown unless --quiet is given."),
    ],
)
def test_message_says_what_to_write(workdir, run_cli, words, fix):
    """Exit code 2, and the fix ends the last line."""
    (workdir / "config").touch()
    result = run_cli(*words.split())
    assert (result.code, result.out) == (2, "")
    assert result.err.rstrip().endswith(fix)


@pytest.mark.parametrize(
    "words", ["frobnicate", "runs --config x", "compare a b -s 1", "train config.yaml --trainer.max 3"]
)
def test_no_advice_that_does_not_fit(workdir, run_cli, words):
    """An option is explained only for a command that has what is meant."""
    result = run_cli(*words.split())
    assert result.code == 2
    assert result.err.rstrip().splitlines()[-1] in {f"Error: No such {each}." for each in NO_ADVICE}


def test_no_command_is_explained_that_exists(run_cli):
    """A command that is added later is removed from the table."""
    from nncli.cli.main import nncli as group

    assert not set(COMMANDS) & set(group.commands)
