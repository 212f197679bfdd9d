"""Arguments and options that several commands share, each with one help text."""

import os
import re
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from nncli.cli.paths import RUNS
from nncli.errors import CommandLineError

CACHE_DIR = "NNCLI_CACHE_DIR"

if TYPE_CHECKING:
    from collections.abc import Callable

    from nncli.cli.completion import Items
    from nncli.registry import Component


def examples(*commands: str) -> str:
    """The end of a help page: commands to copy."""
    return "\n".join(["\b", "Examples:" if len(commands) > 1 else "Example:", *(f"  {each}" for each in commands)])


def completed_by(name: str) -> "Callable[[click.Context, click.Parameter, str], Items]":
    """The function ``complete_NAME`` of nncli.cli.completion, which is imported when a shell asks for completions."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> "Items":
        from nncli.cli import completion

        items: Items = getattr(completion, f"complete_{name}")(context, parameter, incomplete)
        return items

    return complete


class Integer(click.IntRange):
    """An integer within bounds, whose errors say what is expected."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> int:
        """The integer that a text stands for."""
        try:
            number: int = super().convert(value, parameter, context)
        except click.BadParameter:
            bounds = f"of at least {self.min}" if self.max is None else f"from {self.min} to {self.max}"
            self.fail(f"expected an integer {bounds}, got {value!r}", parameter, context)
        return number


def check_overrides(
    _context: click.Context, _parameter: click.Parameter, overrides: tuple[str, ...]
) -> tuple[str, ...]:
    """Refuse overrides that the shell has split into words.

    Raises:
        CommandLineError: an override is not quoted, or has spaces around '='.
    """
    for start, text in enumerate(overrides):
        if joined := _joined(overrides[start:]):
            raise CommandLineError(f"invalid override {text!r}: the value has spaces; quote it: {quote(joined)}")
        if joined := _without_spaces(*overrides[start : start + 3]):
            raise CommandLineError(f"invalid override {text!r}: write it without spaces around '=': {joined}")
    return overrides


def _joined(words: tuple[str, ...]) -> str | None:
    """The override that the shell has split into the first of these words; None if it has not split it."""
    for stop in range(1, len(words) + 1):
        joined = " ".join(words[:stop])
        if all(joined.count(left) <= joined.count(right) for left, right in ("{}", "[]")):
            return joined if stop > 1 and "=" in words[0] else None
    return None


def _without_spaces(word: str, following: str = "", last: str = "") -> str | None:
    """The override of which these words are the parts before, at and after '='; None if the first is complete."""
    if following == "=":
        return f"{word}={last or 'VALUE'}"
    is_split = word.endswith("=") and following and "=" not in following
    if is_split or ("=" not in word and following.startswith("=")):
        return word + following
    return f"{word}={following}" if following and not re.search("[=:]", word + following) else None


config_argument = click.argument(
    "config",
    type=click.Path(path_type=Path),
    shell_complete=completed_by("config"),
    help="YAML file that describes the network and its training, or a run, whose config is taken.",
)


def overrides_argument_completed_by(name: str) -> "Callable[[Callable[..., Any]], Callable[..., Any]]":
    """The argument of overrides, completed by ``complete_NAME``."""
    return click.argument(
        "overrides",
        nargs=-1,
        callback=check_overrides,
        shell_complete=completed_by(name),
        help="KEY=VALUE pairs that change the config: optimizer.learning_rate=0.1 layers[0].units=128",
    )


def runs_argument(text: str = "Paths or names of runs.") -> "Callable[[Callable[..., Any]], Callable[..., Any]]":
    """The argument RUN... with this help."""
    return click.argument(
        "runs", metavar="RUN...", nargs=-1, required=True, shell_complete=completed_by("run"), help=text
    )


overrides_argument = overrides_argument_completed_by("override")
run_argument = click.argument("run", shell_complete=completed_by("run"), help="Path or name of a run.")
different_data_option = click.option("--different-data", is_flag=True, help="Allow runs whose data differs.")
runs_dir_option = click.option(
    "--runs-dir",
    metavar="DIR",
    type=click.Path(path_type=Path),
    envvar="NNCLI_RUNS",
    show_envvar=True,
    shell_complete=completed_by("directory"),
    help=f"Directory that holds the runs.  [default: {RUNS}]",
)


def _use_cache_dir(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    """Name the cache directory for this process and those it starts."""
    if value:
        os.environ[CACHE_DIR] = value


cache_dir_option = click.option(
    "--cache-dir",
    metavar="DIR",
    type=click.Path(),
    envvar=CACHE_DIR,
    show_envvar=True,
    expose_value=False,
    callback=_use_cache_dir,
    shell_complete=completed_by("directory"),
    help="Directory that keeps the parsed rows of large data files.  [default: ~/.cache/nncli]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Output JSON.")
exact_option = click.option(
    "--exact", is_flag=True, help="Print all digits of numbers.  [default: 4 significant digits]"
)
note_option = click.option("--note", "text", metavar="TEXT", help="A note, which 'nncli runs' shows.")
tag_option = click.option(
    "--tag", "tags", metavar="TAG", multiple=True, help="A word by which 'nncli runs --where tag=TAG' finds the run."
)
sort_option = click.option(
    "--sort", metavar="METRIC", shell_complete=completed_by("metric"), help="Sort the runs by a metric, best first."
)


def components_named(word: str) -> "list[Component]":
    """The components that a word names, in any spelling that a config may use."""
    import nncli.experiment.loading  # noqa: F401 (registers the components)
    from nncli.config.normalization import find_component
    from nncli.registry import kinds

    return [found for kind in kinds() if (found := find_component(kind, word))]


def component_names() -> list[str]:
    """The names of all components."""
    import nncli.experiment.loading  # noqa: F401 (registers the components)
    from nncli.registry import components, kinds

    return [component.name for kind in kinds() for component in components(kind)]


def digits_of(exact: bool) -> int | None:
    """The significant digits to print; None for all of them."""
    from nncli.cli.render.format import DIGITS

    return None if exact else DIGITS


def find_run(text: str, runs: Path | None) -> Path:
    """Find a run by its path, or by its name: first in the directory of runs if one is given.

    Raises:
        RunError: there is no such run.
        StorageError: the operating system refuses to read the directory of runs.
    """
    from nncli.store.find_run import find_run as find

    return find(text, runs)


def find_run_or_group(text: str, runs: Path | None) -> Path:
    """Find a run or a group by its path, or by its name: first in the directory of runs if one is given.

    Raises:
        RunError: there is no such run or group.
        StorageError: the operating system refuses to read the directory of runs.
    """
    from nncli.errors import RunError
    from nncli.store.group_files import is_group
    from nncli.store.run_files import is_run

    path = find_run(text, runs)
    if not is_group(path) and not is_run(path):
        raise RunError(f"{path}: not a run or a group: neither run.json nor group.json is there", path)
    return path
