"""Damaged run directories: the message of each command names the cause and the fix."""

import json
import shutil

import pytest

from nncli.store.run_files import RunFiles, is_run, signature


def edit_metrics(run):
    lines = (run / "metrics.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    lines[2] = "10,0.05\n"
    (run / "metrics.csv").write_text("".join(lines), encoding="utf-8")


def remove(name):
    return lambda run: (run / name).unlink()


FINISHED, RESUME = "finished", "'nncli train --resume runs/one'"
# the damage: the status in runs, the checks of verify that fail, and the words of evaluate
DAMAGES = {
    "run.json deleted": (remove("run.json"), "damaged", None, "runs/one: run.json is missing; not a complete run"),
    "weights.npz deleted": (remove("weights.npz"), "damaged, resumable", ["weights.npz"], f"{RESUME} writes it again"),
    "evaluation.json deleted": (remove("evaluation.json"), "not evaluated, resumable", [], ""),
    "weights and checkpoints deleted": (
        lambda run: [shutil.rmtree(run / "checkpoints"), remove("weights.npz")(run)],
        "damaged",
        ["weights.npz", "checkpoints", "data"],
        "its parameters; train it again: nncli train runs/one",
    ),
    "weights.npz edited": (
        lambda run: (run / "weights.npz").write_bytes(b"edited"),
        FINISHED,
        ["weights.npz"],
        f"checksum mismatch with evaluation.json; {RESUME} writes it again",
    ),
    "evaluation.json edited": (
        lambda run: (run / "evaluation.json").write_text("edited", encoding="utf-8"),
        "damaged, resumable",
        ["evaluation.json"],
        f"{RESUME} writes it again",
    ),
    "run.json edited": (
        lambda run: (run / "run.json").write_text("edited", encoding="utf-8"),
        "damaged",
        None,
        "train it again: nncli train runs/one/config.yaml",
    ),
    "metrics.csv deleted": (remove("metrics.csv"), FINISHED, ["metrics.csv"], ""),
    "metrics.csv edited": (
        edit_metrics,
        FINISHED,
        ["metrics.csv", "checkpoints/00000030.ckpt", "checkpoints"],
        "",
    ),
    "config.yaml deleted": (remove("config.yaml"), FINISHED, ["config.yaml"], ""),
    "config.original.yaml deleted": (remove("config.original.yaml"), FINISHED, ["config.original.yaml"], ""),
    "lock deleted": (remove("lock"), FINISHED, [], ""),
    "checkpoints deleted": (lambda run: shutil.rmtree(run / "checkpoints"), FINISHED, ["checkpoints"], ""),
    "renamed": (lambda run: shutil.copytree(run, run.with_name("two")), FINISHED, [], ""),
}


@pytest.mark.slow
@pytest.mark.parametrize(("damage", "status", "failing", "words"), DAMAGES.values(), ids=DAMAGES)
def test_damage_has_the_right_word(workdir, run_cli, damage, status, failing, words):
    """In the list of runs, in verify, where one cause is one line, and in evaluate."""
    assert run_cli("train", "config.yaml", "-q", "--name", "one").code == 0
    damage(workdir / "runs" / "one")
    listed = {run["path"]: run for run in json.loads(run_cli("runs", "--json").out)["runs"]}["runs/one"]
    assert listed["status"] == status
    assert (listed["problem"] is None) == ("damaged" not in status)
    verified = run_cli("verify", "one", "--json")
    if failing is None:
        assert words in verified.err
    else:
        assert [each["what"] for each in json.loads(verified.out)["checks"] if not each["holds"]] == failing
    evaluated = run_cli("evaluate", "one")
    assert (evaluated.code, words in evaluated.err) == (4 if words else 0, True)


def test_edited_row_is_named_with_its_line(workdir, run_cli):
    """The line, how many columns it has, and how many it should have."""
    assert run_cli("train", "config.yaml", "-q", "--name", "one").code == 0
    edit_metrics(workdir / "runs" / "one")
    checks = {each["what"]: each["words"] for each in json.loads(run_cli("verify", "one", "--json").out)["checks"]}
    assert checks["metrics.csv"] == "runs/one/metrics.csv: damaged: line 3: row of epoch 10 has 2 values, expected 8"


def test_missing_evaluation_is_told_by_each_command(workdir, run_cli):
    """The run is complete but for that file, and the metrics are those of the last checkpoint."""
    assert run_cli("train", "config.yaml", "-q", "--name", "one").code == 0
    remove("evaluation.json")(workdir / "runs" / "one")
    told = f"runs/one: training is complete, and {RESUME} writes the missing evaluation.json\n"
    assert run_cli("evaluate", "one").err == told
    assert run_cli("runs").out.endswith(f"\n{told}")
    last = run_cli("verify", "one").out.splitlines()[-1]
    assert last.endswith(f"checks passed, but the run is not evaluated: {told.removeprefix('runs/one: ').rstrip()}")


def test_resume_without_a_checkpoint_says_how_to_train_again(workdir, run_cli):
    """Neither a finished nor an interrupted run can be continued."""
    assert run_cli("train", "config.yaml", "-q", "--name", "one").code == 0
    shutil.rmtree(workdir / "runs" / "one" / "checkpoints")
    message = run_cli("train", "--resume", "one", "training.epochs=100").err
    assert message == "runs/one: no valid checkpoint to resume from; train it again: nncli train runs/one\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["evaluation.json", "weights.npz"])
def test_resume_writes_the_missing_file_again(workdir, run_cli, name):
    """After which the run is finished, and every check of verify passes."""
    assert run_cli("train", "config.yaml", "-q", "--name", "one").code == 0
    (workdir / "runs" / "one" / name).unlink()
    assert run_cli("train", "--resume").err == (
        "--resume needs a run; resumable in runs/: one ("
        + ("not evaluated" if name == "evaluation.json" else "damaged")
        + ")\n"
    )
    assert run_cli("train", "--resume", "one", "-q").code == 0
    assert run_cli("verify", "one").code == 0
    assert run_cli("train", "--resume").err == "--resume needs a run; resumable in runs/: none\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [(("run.json",), True), (("metrics.csv", "weights.npz"), True), (("metrics.csv",), False), ((), False)],
)
def test_directory_with_two_files_of_a_run_is_one(tmp_path, files, expected):
    """A single file may be that of another program, except for run.json."""
    for name in files:
        (tmp_path / name).touch()
    assert is_run(tmp_path) == expected


@pytest.mark.parametrize("name", ["config.yaml", "config.original.yaml", "spec.yaml"])
def test_config_of_a_damaged_run_is_read(tmp_path, name):
    """Its largest size does not depend on run.json."""
    (tmp_path / "run.json").write_text("damaged", encoding="utf-8")
    (tmp_path / name).write_text("seed: 0", encoding="utf-8")
    assert RunFiles(tmp_path).read(name) == b"seed: 0"


@pytest.mark.parametrize("name", ["run.json", "config.yaml", "metrics.csv", "weights.npz", "evaluation.json"])
def test_signature_changes_with_each_file(tmp_path, name):
    """If it appears, and if it is replaced."""
    before = signature(tmp_path)
    (tmp_path / name).write_text("a", encoding="utf-8")
    written = signature(tmp_path)
    (tmp_path / name).write_text("ab", encoding="utf-8")
    assert len({before, written, signature(tmp_path)}) == 3
