"""The console of rich, in a terminal of any size."""

import pytest

from nncli.cli.render.console import Output


@pytest.mark.slow
@pytest.mark.parametrize("columns", ["1", "2", "7", "0", "-3", "²", "99999999999999", ""])
def test_unusual_terminal_widths_are_accepted(workdir, run_cli, monkeypatch, columns):
    """Narrow lines are wrapped; a width that is no ordinary integer is ignored."""
    for name in ("a", "b"):
        assert run_cli("train", "config.yaml", "training.epochs=1", "-q", "--name", name).code == 0
    for command in ("explain dense", "explain config.yaml", "components loss", "runs", "compare a b", "verify a", "-h"):
        monkeypatch.setenv("COLUMNS", columns)
        monkeypatch.setenv("LINES", columns)
        result = run_cli(*command.split())
        assert (result.code, result.err) == (0, "")


def test_text_is_sanitized_and_style_is_not(capsys, monkeypatch):
    """In a terminal the sequences of rich surround a text that has none."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    Output().print("\x1b]52;c;aGk=\x07x", style="bold")
    text = capsys.readouterr().out
    assert text == "\x1b[1m�]52;c;aGk=x\x1b[0m\n"


def test_brackets_are_no_markup(capsys):
    """A text is printed unchanged."""
    Output().print("[bold]x[/bold]")
    assert capsys.readouterr().out == "[bold]x[/bold]\n"


def test_broken_pipe_is_raised():
    """Its exit code is decided in ``main``."""
    with pytest.raises(BrokenPipeError):
        Output().on_broken_pipe()
