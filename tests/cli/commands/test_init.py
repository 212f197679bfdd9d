"""``nncli init``: a config to start from."""

import json
import os
import subprocess

import pytest

from nncli.config.model import Config


def test_the_starter_passes_check(workdir, run_cli):
    """What is written is right as it is, and the message says what to do with it."""
    result = run_cli("init", "new.yaml")
    assert (result.code, result.err) == (0, "")
    assert result.out == "new.yaml: written; train it with: nncli train new.yaml\n"
    assert run_cli("check", "new.yaml").code == 0


def test_the_starter_trains(workdir, run_cli):
    """Shortened, it ends as a finished run named after its file."""
    assert run_cli("init", "new.yaml").code == 0
    result = run_cli("train", "new.yaml", "training.epochs=20", "training.early_stopping.patience=5", "--json")
    assert result.code == 0
    assert json.loads(result.out)["run"] == "runs/new"


def test_the_starter_names_itself_and_shows_every_section(workdir, run_cli):
    """The commands in its comments can be copied; every section that a beginner needs is there."""
    assert run_cli("init", "folder/new.yaml").code == 0
    text = (workdir / "folder" / "new.yaml").read_text(encoding="utf-8")
    assert "#   nncli train folder/new.yaml " in text
    assert "{{" not in text
    sections = {line.partition(":")[0] for line in text.splitlines() if line[:1].isalpha()}
    assert sections == set(Config.model_fields) - {
        "rng",
        "dtype",
        "test",
        "split_method",
        "metrics",
        "schedule",
        "clipping",
    }


def test_what_the_starter_comments_out_is_right_too(workdir, run_cli):
    """Each line that is commented out can be taken in as it is."""
    assert run_cli("init", "new.yaml").code == 0
    path = workdir / "new.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    taken = [line.replace("# ", "", 1) if line.lstrip().startswith("# ") and line[0] == " " else line for line in lines]
    assert sum(old != new for old, new in zip(lines, taken, strict=True)) == 3
    path.write_text("\n".join(taken), encoding="utf-8")
    assert run_cli("check", path).code == 0


def test_without_a_name_it_is_config_yaml(tmp_path, monkeypatch, run_cli):
    """The shortest command writes config.yaml."""
    monkeypatch.chdir(tmp_path)
    assert run_cli("init").code == 0
    assert (tmp_path / "config.yaml").is_file()


def test_an_existing_file_is_left_alone(workdir, run_cli):
    """Exit code 6, and not a byte is changed."""
    before = (workdir / "config.yaml").read_bytes()
    result = run_cli("init", "config.yaml")
    assert (result.code, result.out) == (6, "")
    assert result.err == "config.yaml: already exists; choose another file name\n"
    assert (workdir / "config.yaml").read_bytes() == before


@pytest.mark.parametrize(
    "path",
    [
        "config.yaml/new.yaml",
        pytest.param("a" * 300),
    ],
)
def test_a_place_where_no_file_can_be_is_a_storage_error(workdir, run_cli, path):
    """Exit code 5, with the reason."""
    result = run_cli("init", path)
    assert (result.code, result.out) == (5, "")
    assert "File exists" in result.err or "Not a directory" in result.err or "File name too long" in result.err


@pytest.mark.parametrize(
    "name", ["n\nm.yaml", "it's.yaml", "it's\r.yaml", "\u2028\x85.yaml", "\udc80\x1b[2J.yaml", "\\ \t.yaml"]
)
def test_the_starter_is_right_whatever_its_name_is(workdir, run_cli, name):
    """A name with control characters stands in its comments as a shell reads it."""
    result = run_cli("init", name)
    assert result.code == 0
    assert run_cli("check", name).code == 0
    word = (workdir / name).read_text(encoding="utf-8").splitlines()[2].partition(" train ")[2]
    assert word.isprintable()
    printed = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True).stdout
    assert os.fsdecode(printed).startswith(name)
