"""``nncli init``: write a config to start from."""

import json
import os
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import nncli.experiment.loading  # noqa: F401 (registers the components)
from nncli.config.model import Config
from nncli.registry import components


def test_starter_is_valid(workdir, run_cli):
    """The config is valid as it is, and the message says how to train it."""
    result = run_cli("init", "new.yaml")
    assert (result.code, result.err) == (0, "")
    assert result.out == "new.yaml: written; train it with: nncli train new.yaml\n"
    assert run_cli("check", "new.yaml").code == 0


def test_starter_is_printed(workdir, run_cli):
    """The path - is standard output; no file is written, and the config is that of a file."""
    Path("config.yaml").unlink()
    printed = run_cli("init", "-")
    assert (printed.code, printed.err) == (0, "")
    assert not Path("-").exists()
    assert run_cli("init").code == 0
    assert printed.out == Path("config.yaml").read_text(encoding="utf-8")


def test_starter_trains(workdir, run_cli):
    """Shortened, it ends as a finished run named after its file."""
    assert run_cli("init", "new.yaml").code == 0
    result = run_cli("train", "new.yaml", "training.epochs=20", "training.early_stopping.patience=5", "--json")
    assert result.code == 0
    assert json.loads(result.out)["run"] == "runs/new"


def test_starter_has_its_own_name_and_the_common_keys(workdir, run_cli):
    """The commands in its comments can be copied; every key that a beginner needs is in it."""
    assert run_cli("init", "configs/new.yaml").code == 0
    text = (workdir / "configs" / "new.yaml").read_text(encoding="utf-8")
    assert "#   nncli train configs/new.yaml " in text
    assert "{{" not in text
    sections = {line.partition(":")[0] for line in text.splitlines() if line[:1].isalpha()}
    assert sections == set(Config.model_fields) - {
        "rng",
        "seeds",
        "dtype",
        "test",
        "split_method",
        "metrics",
        "schedule",
        "clipping",
    }


def test_commented_out_keys_of_the_starter_are_valid(workdir, run_cli):
    """Each line that is commented out can be used as it is."""
    assert run_cli("init", "new.yaml").code == 0
    path = workdir / "new.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    taken = [line.replace("# ", "", 1) if line.lstrip().startswith("# ") and line[0] == " " else line for line in lines]
    assert sum(old != new for old, new in zip(lines, taken, strict=True)) == 4
    path.write_text("\n".join(taken), encoding="utf-8")
    assert run_cli("check", path).code == 0


def test_starter_refers_editors_to_the_schema_of_the_package(workdir, run_cli):
    """The first line names a file that is the schema, as a URL."""
    assert run_cli("init", "new.yaml").code == 0
    reference = schema_of("new.yaml")
    assert reference.startswith("file:///")
    assert "definitions" in json.loads(Path(unquote(urlsplit(reference).path)).read_text(encoding="utf-8"))


def test_starter_beside_a_copy_of_the_schema_refers_to_it(workdir, run_cli):
    """A relative path, which is valid wherever the directory is."""
    assert run_cli("schema", "--write").code == 0
    assert run_cli("init", "new.yaml").code == 0
    assert schema_of("new.yaml") == "nncli.schema.json"
    assert run_cli("init", "below/new.yaml").code == 0
    assert schema_of("below/new.yaml").startswith("file:///")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [(".venv/lib", ".venv/lib/config.schema.json"), ("my env", "file://{}/my%20env/config.schema.json")],
)
def test_starter_above_the_package_refers_to_it_by_a_relative_path(
    workdir, run_cli, monkeypatch, environment, expected
):
    """A project can be moved with the environment in it; editors read no path with a space, but a URL."""
    monkeypatch.setattr("nncli.cli.commands.init.SCHEMA", workdir / environment / "config.schema.json")
    assert run_cli("init", "new.yaml").code == 0
    assert schema_of("new.yaml") == expected.format(workdir)


def schema_of(config):
    """What the first line of a config refers an editor to."""
    line = Path(config).read_text(encoding="utf-8").splitlines()[0]
    return line.removeprefix("# yaml-language-server: $schema=")


@pytest.mark.parametrize("kind", ["optimizer", "schedule"])
def test_starter_names_every_component(workdir, run_cli, kind):
    """The comment behind the key of a kind lists all components that are registered."""
    assert run_cli("init", "new.yaml").code == 0
    text = (workdir / "new.yaml").read_text(encoding="utf-8")
    section = re.search(rf"^(?:# )?{kind}:.*\n(?: .*\n)*", text, re.MULTILINE)[0]
    listed = re.search(r"# (?:or|learning rate schedule:) (.*)", section)[1].split(", ")
    chosen = re.findall(r"^  type: (\w+)", section, re.MULTILINE)
    assert sorted([*chosen, *listed]) == sorted(each.name for each in components(kind))


def test_default_path_is_config_yaml(tmp_path, monkeypatch, run_cli):
    """Without an argument the command writes config.yaml."""
    monkeypatch.chdir(tmp_path)
    assert run_cli("init").code == 0
    assert (tmp_path / "config.yaml").is_file()


def test_existing_file_is_not_overwritten(workdir, run_cli):
    """Exit code 6, and no byte changes."""
    before = (workdir / "config.yaml").read_bytes()
    result = run_cli("init", "config.yaml")
    assert (result.code, result.out) == (6, "")
    assert result.err == "config.yaml: already exists; choose another file name\n"
    assert (workdir / "config.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("path", "directory", "file"),
    [
        ("d", "d", "d/config.yaml"),
        ("d/", "d", "d/config.yaml"),
        (".", ".", "config.yaml"),
        ("", ".", "config.yaml"),
        ("..", "..", "../config.yaml"),
        ("/", "/", "/config.yaml"),
    ],
)
def test_directory_is_exit_code_2(workdir, run_cli, path, directory, file):
    """The message has a file name to use instead, and nothing is written."""
    (workdir / "d").mkdir()
    result = run_cli("init", path)
    assert (result.code, result.out) == (2, "")
    assert result.err == f"{directory}: is a directory; give a file name, such as {file}\n"
    assert list((workdir / "d").iterdir()) == []


@pytest.mark.parametrize(
    "path",
    [
        "config.yaml/new.yaml",
        pytest.param("a" * 300),
    ],
)
def test_impossible_path_is_exit_code_5(workdir, run_cli, path):
    """Exit code 5, with the reason."""
    result = run_cli("init", path)
    assert (result.code, result.out) == (5, "")
    assert "File exists" in result.err or "Not a directory" in result.err or "File name too long" in result.err


@pytest.mark.parametrize(
    "name", ["n\nm.yaml", "it's.yaml", "it's\r.yaml", "\u2028\x85.yaml", "\udc80\x1b[2J.yaml", "\\ \t.yaml"]
)
def test_starter_with_unusual_name_is_valid(workdir, run_cli, name):
    """A name with control characters is quoted for the shell in the comments."""
    result = run_cli("init", name)
    assert result.code == 0
    assert run_cli("check", name).code == 0
    word = (workdir / name).read_text(encoding="utf-8").splitlines()[3].partition(" train ")[2]
    assert word.isprintable()
    printed = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True).stdout
    assert os.fsdecode(printed).startswith(name)


def test_path_of_the_data_is_relative_to_the_config(workdir, run_cli):
    """So that both can be moved together."""
    (workdir / "configs").mkdir()
    (workdir / "data.csv").write_text("x,kind\n" + "1.5,a\n2.5,b\n" * 5, encoding="utf-8")
    assert run_cli("init", "configs/new.yaml", "--data", "data.csv", "--target", "kind").code == 0
    assert "\n  path: ../data.csv\n" in (workdir / "configs" / "new.yaml").read_text(encoding="utf-8")
