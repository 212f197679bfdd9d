"""The config that is suggested for a path that does not exist."""

from pathlib import Path

import pytest

from nncli.config.similar_file import similar_config


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("bas.yaml", "base.yaml"),
        ("base", "base.yaml"),
        ("base.yml", "base.yaml"),
        ("./bas.yaml", "base.yaml"),
        ("configs/adm.yaml", "configs/adam.yaml"),
        ("confgs/adam.yaml", "configs/adam.yaml"),
        ("confgs/adm.yml", "configs/adam.yaml"),
        ("sgd.yaml", None),
        ("notes.txt", None),
        ("elsewhere/base.yaml", None),
        ("a/b/c/base.yaml", None),
        ("base.yaml/x.yaml", None),
    ],
)
def test_config_with_a_similar_name(tmp_path, monkeypatch, path, meant):
    """In the same directory, or in a similar one; the suffix does not count, and other files are no configs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()
    for name in ("base.yaml", "configs/adam.yaml", "configs/base.json", "notes.md"):
        (tmp_path / name).touch()
    assert similar_config(Path(path)) == (meant and Path(meant))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "confg.yaml"], "confg.yaml: no such file; did you mean 'config.yaml'?"),
        (["explain", "confg.yaml"], "confg.yaml: no such file; did you mean 'config.yaml'?"),
        (["show", "seed=3"], "seed=3: no such file; an override follows its config, as in: nncli show CONFIG seed=3"),
        (
            ["check", "config.yaml", "seed=3"],
            "seed=3: check takes no overrides; to check a config with one: nncli show config.yaml seed=3",
        ),
        (["check", "my own.yaml"], "my own.yaml: no such file; write one to start from with: nncli init 'my own.yaml'"),
    ],
)
def test_config_that_does_not_exist_is_reported_with_a_fix(workdir, run_cli, arguments, message):
    """A similar one, or the command that writes one."""
    result = run_cli(*arguments)
    assert (result.code, result.out, result.err) == (2, "", f"{message}\n")
