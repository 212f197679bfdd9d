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
def test_overrides_that_the_shell_has_split_are_rejected_with_a_fix(workdir, run_cli, overrides, message):
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


@pytest.mark.slow
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
    assert command != "train" or (
        result.out == "runs/a-2\n" and "seed: 1" in Path("runs/a-2/config.yaml").read_text(encoding="utf-8")
    )


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
    """The parameters of each of these names have the same help text in all commands but one, and each is shared."""
    for name, other in {"as_json": "", "config": "sweep", "overrides": ""}.items():
        texts = [
            parameter.help
            for command in group.commands.values()
            for parameter in command.params
            if parameter.name == name and command.name != other
        ]
        assert len(texts) > 1
        assert len(set(texts)) == 1, name


@pytest.fixture
def elsewhere(workdir, run_cli):
    """Three runs in ``exp/``; the current directory and ``runs/`` have none of their names."""
    for name in ("one", "two", "three"):
        assert run_cli("train", "config.yaml", "-q", "--runs-dir", "exp", "-n", name).code == 0
    return workdir


TAKE_A_RUN = [
    *(["evaluate", "one"], ["verify", "one"], ["compare", "one", "two"], ["show", "one"], ["check", "one"]),
    *(["explain", "one"], ["gradcheck", "one"], ["profile", "one", "--seconds", "1"], ["train", "one", "-q"]),
    *(["train", "--resume", "one", "training.epochs=40", "-q"], ["runs", "--json"]),
]


@pytest.mark.slow
@pytest.mark.parametrize("command", TAKE_A_RUN, ids=" ".join)
def test_directory_of_runs_is_given_by_option_or_variable(elsewhere, run_cli, monkeypatch, command):
    """A name is found there, and only if the directory is given."""
    without = run_cli(*command)
    assert without.code != 0
    assert run_cli(*command, "--runs-dir", "exp").code == 0
    monkeypatch.setenv("NNCLI_RUNS", str(elsewhere / "exp"))
    given = ["training.epochs=50" if word == "training.epochs=40" else word for word in command]
    assert run_cli(*given).code == 0


def test_option_wins_over_the_variable(elsewhere, run_cli, monkeypatch):
    """The directory of ``runs`` as an argument wins as well; an empty variable is none."""
    monkeypatch.setenv("NNCLI_RUNS", "nowhere")
    assert run_cli("evaluate", "one", "--runs-dir", "exp").code == 0
    assert '"exp/one"' in run_cli("runs", "exp", "--json").out
    assert run_cli("evaluate", "one").code == 4
    monkeypatch.setenv("NNCLI_RUNS", "")
    message = (
        "run not found: one (looked in ./ and runs/); runs/ does not exist; for other directories pass --runs-dir DIR"
    )
    assert run_cli("evaluate", "one").err == f"{message}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (
            ["evaluate", "tow"],
            4,
            "run not found: tow (looked in ./ and exp/); did you mean 'two'? exp/ has: one, three",
        ),
        (["show", "one.more"], 2, "one.more: no such file; write one to start from with: nncli init one.more"),
        (["show", "xyz"], 2, "xyz: no such config, and no such run in exp/; exp/ has: one, three, two"),
        (["show", "confi"], 2, "confi: no such config, and no such run in exp/; did you mean 'config.yaml'?"),
        (["show", "thre"], 2, "thre: no such config, and no such run in exp/; did you mean 'three'?"),
        (["explain", "thre"], 2, "'thre' is neither a file, a run, a component nor a topic; did you mean 'three'?"),
        (["train", "--resume"], 2, "--resume needs a run; resumable in exp/: none"),
    ],
)
def test_messages_name_the_directory_of_runs(elsewhere, run_cli, command, code, message):
    """They list and suggest the runs of the directory that is given."""
    result = run_cli(*command, "--runs-dir", "exp")
    assert result.code == code
    assert message in result.err


def test_directory_of_runs_cannot_be_given_twice(elsewhere, run_cli):
    """``runs DIRECTORY --runs-dir DIR`` would ignore one of the two."""
    result = run_cli("runs", "exp", "--runs-dir", "other")
    assert (result.code, result.out) == (2, "")
    assert "use only one of DIRECTORY and --runs-dir" in result.err


@pytest.mark.parametrize(("option", "words"), [("--runs", "looked in ./ and exp/"), ("--runs-dir", "and exp/")])
def test_older_names_of_options_are_accepted(workdir, run_cli, option, words):
    """Commands in scripts stay valid."""
    assert words in run_cli("evaluate", "xyzzy", option, "exp").err


@pytest.mark.slow
@pytest.mark.parametrize(("older", "option"), [("--fail-under", "--fail-below"), ("--fail-over", "--fail-above")])
def test_older_names_of_gates_are_accepted(workdir, run_cli, older, option):
    """A bound that no accuracy reaches, in either direction, fails as with the new name."""
    assert run_cli("train", "config.yaml", "-q", "--name", "a").code == 0
    for bound in ("accuracy=-1", "accuracy=2"):
        old, new = (run_cli("evaluate", "a", each, bound) for each in (older, option))
        assert (old.code, old.err) == (new.code, new.err)


def test_override_split_at_its_equals_sign(workdir, run_cli):
    """Without a value, the fix has a placeholder."""
    for words, fix in ((("seed", "=", "3"), "seed=3"), (("seed", "="), "seed=VALUE")):
        assert run_cli("show", "config.yaml", *words).err.rstrip().endswith(f"without spaces around '=': {fix}")
