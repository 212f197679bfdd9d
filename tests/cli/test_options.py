"""Arguments and options that several commands share: help, and mistakes on the command line."""

from pathlib import Path

import pytest

from nncli.cli.main import nncli as group


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data.2d=3"], "invalid override 'data.2d=3': expected KEY=VALUE"),
        (["{type:", "sgd}"], "invalid override '{type:': expected KEY=VALUE"),
        (["seed", "=", "1"], "invalid override 'seed': write it without spaces around '=': seed=1"),
        (["seed", "=1"], "invalid override 'seed': write it without spaces around '=': seed=1"),
        (["seed=", "1"], "invalid override 'seed=': write it without spaces around '=': seed=1"),
        (["seed", "1"], "invalid override 'seed': write it without spaces around '=': seed=1"),
        (["optimizer={type:", "sgd,", "decay:", "0}", "seed=1"], "quote it: 'optimizer={type: sgd, decay: 0}'"),
        (["metrics=[accuracy,", "auc]"], "quote it: 'metrics=[accuracy, auc]'"),
    ],
)
def test_overrides_that_the_shell_has_split_are_refused_with_a_fix(workdir, run_cli, overrides, message):
    """Exit code 2, with what to write instead."""
    result = run_cli("show", "config.yaml", *overrides)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


@pytest.mark.parametrize("override", ["optimizer={type: sgd", "loss='{}'", "seed="])
def test_overrides_with_an_error_of_yaml_are_errors_of_the_config(workdir, run_cli, override):
    """A complete word is left to the reader of the config, which reports its location."""
    result = run_cli("show", "config.yaml", override)
    assert result.code == 3
    assert result.err.startswith("command line:1:")


@pytest.mark.parametrize("name", ["a", "runs/a"])
@pytest.mark.parametrize("command", ["show", "check", "explain", "profile", "gradcheck", "train"])
def test_run_is_taken_where_a_config_is(workdir, run_cli, command, name):
    """By name and by path, and further overrides may follow, but for check."""
    assert run_cli("train", "config.yaml", "-q", "--name", "a", "training.epochs=3").code == 0
    overrides = [] if command == "check" else ["seed=1"]
    options = {"profile": ["--seconds", "1"], "train": ["-q"]}.get(command, [])
    result = run_cli(command, name, *overrides, *options)
    assert (result.code, result.err) == (0, "")
    assert command != "show" or "epochs: 3" in result.out
    assert command != "train" or (result.out == "runs/a-2\n" and "seed: 1" in Path("runs/a-2/config.yaml").read_text())


@pytest.mark.parametrize("command", ["show", "train", "explain"])
def test_misspelt_run_is_suggested(workdir, run_cli, command):
    """Where a config or a run is wanted, a name without suffix may be that of a run."""
    assert run_cli("train", "config.yaml", "-q", "--name", "first").code == 0
    result = run_cli(command, "frist")
    assert (result.code, "did you mean 'first'?" in result.err) == (2, True), result.err


def test_directory_without_run_json_is_reported_by_its_reader(workdir, run_cli):
    """A directory of that name is found, and the message says what is missing in it."""
    (workdir / "runs" / "notes").mkdir(parents=True)
    result = run_cli("evaluate", "notes")
    assert result.code == 4
    assert result.err.startswith("runs/notes: ")
    assert "run.json" in result.err


def test_shared_options_have_one_help_text():
    """The parameters of each of these names have the same help text in all commands, and each is shared."""
    for name in ("as_json", "config", "overrides", "sort"):
        texts = [
            parameter.help
            for command in group.commands.values()
            for parameter in command.params
            if parameter.name == name
        ]
        assert len(texts) > 1
        assert len(set(texts)) == 1, name
