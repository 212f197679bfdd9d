"""Commands that take runs are given a group: they take its runs, or say which commands do."""

import json
from pathlib import Path

import pytest

from nncli.store.group_files import GroupRecord, create_group

MESSAGE = (
    "runs/group: is a group of 2 runs, not a run; name one, such as runs/group/0000;"
    " 'nncli compare runs/group' compares them, 'nncli worker runs/group' trains what is not finished\n"
)


@pytest.fixture
def group(workdir, run_cli):
    """The directory of a group with two runs."""
    path = create_group(Path("runs"), "group", GroupRecord(config="seed: 0\n", config_path=""), is_numbered=False)
    for seed in (0, 1):
        options = ("--runs-dir", path, "--name", f"000{seed}", "-q")
        assert run_cli("train", "config.yaml", f"seeds.weights={seed}", *options).code == 0
    return path


@pytest.mark.parametrize(
    "command",
    [
        ("evaluate", "{}"),
        ("predict", "{}", "config.yaml"),
        ("train", "--resume", "{}"),
        ("train", "{}"),
        ("show", "{}"),
        ("explain", "{}"),
        ("explain", "momentum", "{}"),
        ("gradcheck", "{}"),
        ("profile", "{}"),
    ],
)
@pytest.mark.parametrize("name", ["group", "runs/group"])
def test_command_of_one_run_names_the_commands_of_a_group(group, run_cli, command, name):
    """The message is the same for its name and for its path."""
    result = run_cli(*(each.format(name) for each in command))
    assert (result.code, result.out, result.err) == (4, "", MESSAGE)


def test_check_names_the_commands_of_a_group(group, run_cli):
    """It reports all problems at once, with its own exit code."""
    assert MESSAGE in run_cli("check", "group").err


def test_directory_of_the_same_name_does_not_hide_a_group(group, run_cli):
    """As it does not hide a run; a group in the current directory is found first."""
    Path("group").mkdir()
    assert run_cli("evaluate", "group").err == MESSAGE


def test_component_of_the_same_name_is_explained(group, run_cli):
    """A group of the name of a component does not hide it."""
    group.rename("runs/adam")
    assert run_cli("explain", "adam").code == 0


@pytest.mark.parametrize(
    "command", [("compare", "--top", "2"), ("compare", "--columns", "accuracy"), ("plot",), ("report",)]
)
def test_command_of_several_runs_takes_those_of_a_group(group, run_cli, command):
    """They have the same output as for the runs by their paths."""
    outputs = []
    for runs in (["group"], ["runs/group/0000", "runs/group/0001"]):
        result = run_cli(*command, *runs)
        assert (result.code, result.err) == (0, "")
        outputs.append(Path("report.html").read_text(encoding="utf-8") if command[0] == "report" else result.out)
    assert outputs[0] == outputs[1]
    assert "0001" in outputs[0]


def test_top_and_columns_list_runs_and_no_groups(group, run_cli):
    """They are rejected where runs are grouped by a key, or compared with a group."""
    for options in (["--top", "1", "--by", "seed"], ["--columns", "seed", "--baseline", "group"]):
        result = run_cli("compare", "runs/group/0000", "runs/group/0001", *options)
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("--top and --columns list single runs; ")


def test_latex_table_of_groups(group, run_cli):
    """A row for each group with numbers at the right, and the sentences as comments."""
    lines = run_cli("compare", "group", "--latex").out.splitlines()
    assert lines[0] == r"\begin{tabular}{lrrrrrrr}"
    assert lines[2].startswith(r"validation\_accuracy $\uparrow$ & n & mean $\pm$ std & min & max & ")
    assert lines[4].startswith("group & 2 & 0.")
    assert r" $\pm$ " in lines[4]
    assert lines[5:7] == [r"\bottomrule", r"\end{tabular}"]
    assert all(line.startswith("% ") for line in lines[7:])


@pytest.mark.parametrize("command", ["plot", "report", "verify", "evaluate"])
def test_group_without_runs_is_reported(workdir, run_cli, command):
    """The message says what trains them."""
    create_group(Path("runs"), "empty", GroupRecord(config="seed: 0\n", config_path=""), is_numbered=False)
    result = run_cli(command, "empty")
    assert result.code == 4
    assert result.err == (
        "runs/empty: is a group without runs yet, not a run; 'nncli worker runs/empty' trains what is not finished\n"
    )


def test_each_run_of_a_group_is_verified(group, run_cli):
    """One that cannot be read does not end the others; the exit code counts the worst."""
    result = run_cli("verify", "group")
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith("\nruns/group: 2 of 2 runs passed all checks\n")
    document = json.loads(run_cli("verify", "group", "--json").out)
    assert document == {
        "group": "runs/group",
        "holds": True,
        "runs": [json.loads(run_cli("verify", f"runs/group/000{seed}", "--json").out) for seed in (0, 1)],
    }
    (group / "0000" / "run.json").write_bytes(b"{}")
    result = run_cli("verify", "group")
    assert (result.code, result.err) == (4, "runs/group: 1 of 2 runs passed all checks\n")
    assert result.out.startswith("runs/group/0000/run.json: damaged: ")
    assert "\nruns/group/0001: 13 of 13 checks passed" in result.out
    document = json.loads(run_cli("verify", "group", "--json").out)
    assert [document["holds"], *(run["holds"] for run in document["runs"])] == [False, False, True]
    (group / "0000" / "run.json").unlink()
    (group / "0000" / "run.json").mkdir()
    assert run_cli("verify", "group").code in {4, 5}
