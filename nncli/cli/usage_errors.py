"""Commands and options that do not exist, with what to write instead; imported when there is such an error."""

from collections.abc import Sequence
from pathlib import Path

import click

# Commands of other tools: what to write here.
COMMANDS = {
    **dict.fromkeys(("fit", "run", "start", "learn"), "Write: nncli train CONFIG"),
    **dict.fromkeys(("resume", "continue", "restart"), "Write: nncli train --resume RUN"),
    **dict.fromkeys(("test", "eval", "score"), "Write: nncli evaluate RUN"),
    **dict.fromkeys(("summary", "model", "print", "cat"), "Write: nncli show CONFIG"),
    **dict.fromkeys(("list", "ls", "experiments", "leaderboard"), "Write: nncli runs"),
    "diff": "Write: nncli compare RUN RUN",
    **dict.fromkeys(("visualize", "draw", "history", "curves"), "Write: nncli plot RUN"),
    **dict.fromkeys(("validate", "lint"), "Write: nncli check CONFIG"),
    **dict.fromkeys(("new", "create"), "Write: nncli init CONFIG"),
    **dict.fromkeys(("layers", "losses", "optimizers", "metrics"), "Write: nncli components KIND"),
    "infer": "Write: nncli predict RUN FILE",
}
# Options of other tools: the parameter that a command has if this is meant, and what to write here.
OPTIONS = {
    **dict.fromkeys(
        ("config", "file", "cfg", "c", "f"), ("config", "The config is an argument: nncli {command} CONFIG")
    ),
    **dict.fromkeys(("run", "model", "checkpoint"), ("run", "The run is an argument: nncli {command} RUN")),
    **dict.fromkeys(
        ("output_directory", "output_dir", "output", "out", "outdir", "logdir", "log_dir", "o"),
        ("runs_dir", "Runs are in the directory of --runs-dir."),
    ),
    **dict.fromkeys(
        ("set", "override", "overrides", "s"), ("overrides", "Overrides are written without an option: {value}")
    ),
    **dict.fromkeys(("verbose", "v"), ("quiet", "Progress is shown unless --quiet is given.")),
    **dict.fromkeys(
        ("gpu", "gpus", "device", "cuda", "accelerator"), ("overrides", "nncli computes on the processor; remove it.")
    ),
}


def explained(error: click.NoSuchCommand | click.NoSuchOption, words: Sequence[str]) -> click.UsageError:
    """The error with what to write instead, if that is known.

    Args:
        error: what click has found.
        words: the command line.
    """
    fix = _command(error.command_name, words) if isinstance(error, click.NoSuchCommand) else _option(error, words)
    return click.UsageError(f"{error.message} {fix}", error.ctx) if fix else error


def _command(name: str, words: Sequence[str]) -> str:
    """What to write instead of a command; the name of a file may be that of a config."""
    if Path(name).is_file() or Path(name).suffix in {".yaml", ".yml"}:
        return f"Write: nncli train {' '.join(words)}"
    return COMMANDS.get(name, "")


def _option(error: click.NoSuchOption, words: Sequence[str]) -> str:
    """What to write instead of an option: a value of the config is set without dashes."""
    command, name = error.ctx.command if error.ctx else None, error.option_name
    key, value = name.lstrip("-").replace("-", "_"), _value_of(name, words)
    if command is None:
        return ""
    takes = {parameter.name for parameter in command.params}
    if "overrides" in takes and (path := _path_of(key)):
        return f"Values of the config are set without dashes: {path}={value}"
    parameter, fix = OPTIONS.get(key, ("", ""))
    return fix.format(command=command.name, value=value) if parameter in takes else ""


def _path_of(key: str) -> str:
    """The path of a key of the config, or of a word that stands for one; empty if it is neither."""
    import nncli.data
    import nncli.nn  # noqa: F401 (with the import above, every component is registered)
    from nncli.config.key_advice import paths_of
    from nncli.config.model import Config

    paths = [key] if key.partition(".")[0] in Config.model_fields else paths_of(key)
    return paths[0] if paths else ""


def _value_of(option: str, words: Sequence[str]) -> str:
    """The value that was given to an option, as ``--option=value`` or as the next word."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word.startswith(f"{option}="):
            return word.removeprefix(f"{option}=")
        if word == option and following and not following.startswith("--"):
            return following
    return "VALUE"
