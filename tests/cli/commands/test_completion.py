"""``nncli completion``: the script of each shell."""

import os
import shlex
import shutil
import subprocess
import sys

import pytest

from nncli.cli.shells import SHELLS


@pytest.mark.parametrize("shell", SHELLS)
def test_script_is_valid(run_cli, tmp_path, shell):
    """The shell reads the script without an error; it names the program and the variable."""
    script = run_cli("completion", shell)
    assert (script.code, script.err) == (0, "")
    assert f"_NNCLI_COMPLETE={shell}_complete" in script.out
    if shutil.which(shell):
        (tmp_path / "script").write_text(script.out, encoding="utf-8")
        command = [shell, "--no-execute" if shell == "fish" else "-n", str(tmp_path / "script")]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_script_is_loaded_as_the_help_says(workdir):
    """``eval "$(nncli completion bash)"`` defines the completion of nncli."""
    command = f'eval "$({shlex.quote(sys.executable)} -m nncli completion bash)" && complete -p nncli'
    done = subprocess.run(["bash", "-c", command], capture_output=True, encoding="utf-8", check=True, cwd=workdir)
    assert done.stdout == "complete -o nosort -F _nncli_completion nncli\n"


def test_other_shells_are_rejected(run_cli):
    """The message names those that there are."""
    result = run_cli("completion", "tcsh")
    assert (result.code, result.out) == (2, "")
    assert all(shell in result.err for shell in SHELLS)


def test_program_answers_the_shell(workdir):
    """The words are printed one per line, and nothing on standard error."""
    environment = {**os.environ, "_NNCLI_COMPLETE": "fish_complete", "COMP_LINE": "nncli co"}
    done = subprocess.run(
        [sys.executable, "-m", "nncli"], capture_output=True, encoding="utf-8", check=True, env=environment
    )
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["compare", "components", "completion"]
    assert done.stderr == ""


def test_every_shell_has_a_script():
    """The names that the command takes are those of the scripts."""
    from nncli.cli.commands.completion import completion
    from nncli.cli.shells import SHELLS

    assert list(completion.params[0].type.choices) == list(SHELLS)
