"""Completions of the words of a command line, computed at each press of the tab key.

Nothing slow is imported. Keys, values, components and metrics are read from the JSON Schema of a config, and the status
of a run from its small files. The config itself is read for overrides only.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from click import Context, Parameter
from click.shell_completion import CompletionItem

from nncli.cli import config_keys
from nncli.cli.paths import RUNS
from nncli.cli.topics import topic_names, topics
from nncli.cli.unvalidated_runs import ends, json_object, status
from nncli.errors import NncliError

Items = list[CompletionItem[str]]

CONFIG_SUFFIXES = (".yaml", ".yml", ".json")
SPLITS = ("training", "validation", "test")
STATE = ("epoch", "learning_rate")  # columns of metrics.csv that measure no split
OWN_KEYS = ("status", "name", "tag", "epoch", "note")  # of conditions, besides metrics and keys of a config
STATUSES = ("finished", "running", "interrupted", "diverged", "failed", "damaged")
EXPORTS = {"tensorboard": "Event files in a directory.", "mlflow": "Runs on a tracking server, by its address."}


def complete_config(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """Files that may be configs, directories and runs; overrides too if ``train --resume`` needs no config."""
    overrides = complete_override(context, parameter, incomplete) if context.params.get("run") else []
    runs = [] if "/" in incomplete else complete_run(context, parameter, incomplete)
    return _items(dict.fromkeys(paths(incomplete, CONFIG_SUFFIXES), ""), incomplete) + runs + overrides


def complete_subject(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """Components, topics, and configs."""
    described = {**_components(), **{topic.name: topic.summary for topic in topics()}}
    return _items(described, incomplete) + complete_config(context, parameter, incomplete)


def complete_explained(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """After a topic configs, after a component its parameters, and overrides after a config."""
    subject, given = context.params.get("subject"), context.params.get("overrides") or ()
    if subject in _components():
        keys = config_keys.parameters(subject)
        return _items({f"{name}=": text for name, text in keys.items()}, incomplete)
    if subject in topic_names() and not given:
        return complete_config(context, parameter, incomplete)
    return complete_override(context, parameter, incomplete)


def complete_kind(_context: Context, _parameter: Parameter, incomplete: str) -> Items:
    """Kinds of component, and components."""
    of_kinds = {kind: ", ".join(config_keys.components(kind)) for kind in config_keys.kinds()}
    return _items(of_kinds | _components(), incomplete)


def complete_command(context: Context, _parameter: Parameter, incomplete: str) -> Items:
    """Commands, each with its summary."""
    return context.find_root().command.shell_complete(context.find_root(), incomplete)


def complete_directory(_context: Context, _parameter: Parameter, incomplete: str) -> Items:
    """Directories."""
    return _items(dict.fromkeys(paths(incomplete, ()), ""), incomplete)


def complete_run(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """Runs that are not given yet with their status, by name; or any directory if the incomplete word has a slash."""
    if "/" in incomplete:
        return complete_directory(context, parameter, incomplete)
    given = _given_runs(context)
    runs = [run for run in _runs_in(_directory(context), incomplete) if run not in given]
    return [CompletionItem(run.name, help=status(run)) for run in runs]


def complete_split(context: Context, _parameter: Parameter, incomplete: str) -> Items:
    """The splits of the run; of any run if none is given."""
    return _items(dict.fromkeys(_splits(_first_run(context)), ""), incomplete)


def complete_column(context: Context, _parameter: Parameter, incomplete: str) -> Items:
    """Columns of the metrics of the runs that are given, or of those in the directory; of any run if there are none."""
    runs = _given_runs(context) or _runs_in(_directory(context), "")
    columns = dict.fromkeys((column for run in runs for column in _columns(run)), "") or _known_columns()
    return _items(columns, incomplete)


def complete_columns(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """Columns of the metrics of the runs after a comma."""
    start, comma, last = incomplete.rpartition(",")
    found = complete_column(context, parameter, last)
    return [CompletionItem(f"{start}{comma}{item.value}", help=item.help) for item in found]


def complete_metric(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """The columns that are metrics of a split."""
    return [item for item in complete_column(context, parameter, incomplete) if item.value not in STATE]


def complete_gate(context: Context, _parameter: Parameter, incomplete: str) -> Items:
    """Metrics, then metrics of one split, before the equals sign of a gate; the number after it is not completed."""
    if "=" in incomplete:
        return []
    run = _first_run(context)
    columns = (_columns(run) if run else []) or _known_columns()
    measured = [_split_and_name(column) for column in columns if column not in STATE]
    names = dict.fromkeys([*(name for _, name in measured), *("_".join(pair) for pair in measured)])
    return _items({f"{name}=": "" for name in names}, incomplete)


def complete_condition(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """Metrics and other values of runs before the operator of a condition; after it, the kinds of status."""
    if incomplete.startswith("status="):
        return _items({f"status={status}": "" for status in STATUSES}, incomplete)
    if re.search("[=<>!]", incomplete):
        return []
    metrics = [item.value for item in complete_metric(context, parameter, incomplete)]
    return _items(dict.fromkeys([f"{key}=" for key in OWN_KEYS], ""), incomplete) + _items(
        dict.fromkeys(metrics, ""), incomplete
    )


def complete_export(context: Context, parameter: Parameter, incomplete: str) -> Items:
    """The kinds of export, and directories."""
    return _items(EXPORTS, incomplete) + complete_directory(context, parameter, incomplete)


def complete_key(_context: Context, _parameter: Parameter, incomplete: str) -> Items:
    """The next key of a path in a config."""
    start = incomplete[: incomplete.rfind(".") + 1]
    keys = config_keys.continued(*config_keys.at(re.findall(r"\w+", start), {})) or {"type=": ""}
    return _items({start + key.rstrip("=."): text for key, text in keys.items()}, incomplete)


def complete_override(context: Context, _parameter: Parameter, incomplete: str) -> Items:
    """The next key of a path in the config or run that is given, or the values after the equals sign."""
    text = _config_text(context)
    if text is None:
        return []
    written, equals, _ = incomplete.partition("=")
    start = written if equals else written[: max(map(written.rfind, ".[")) + 1]
    path = [int(key) if key.isdecimal() else key for key in re.findall(r"\w+", start)]
    schemas, value = config_keys.at(path, _overridden(text, context.params.get("overrides") or ()))
    if equals:
        found = {f"{start}={each}": text for each, text in config_keys.values(schemas, value).items()}
    elif start.endswith("["):
        count = len(value) if isinstance(value, list) else 0
        items = (config_keys.below(schemas, value, index)[1] for index in range(count))
        found = {f"{start}{index}].": _type_of(item) for index, item in enumerate(items)}
    else:
        keys = config_keys.continued(schemas, config_keys.as_mapping(value))
        found = {start + key: text for key, text in keys.items()}
    return _items(found, incomplete)


def paths(incomplete: str, suffixes: Sequence[str] | None = None) -> list[str]:
    """Directories, with a slash, and files with one of the suffixes (None: any) whose paths begin with a word."""
    directory, slash, name = incomplete.rpartition("/")
    typed = directory + slash
    with suppress(OSError, RuntimeError), os.scandir(Path(typed or ".").expanduser()) as entries:
        return [
            f"{typed}{entry.name}{'/' * entry.is_dir()}"
            for entry in sorted(entries, key=lambda entry: entry.name)
            if entry.name.startswith(name) and entry.name.startswith(".") <= name.startswith(".")
            if entry.is_dir() or suffixes is None or entry.name.endswith(tuple(suffixes))
        ]
    return []


def _items(described: Mapping[str, str], incomplete: str) -> Items:
    """The words that begin with the incomplete one, each with the first sentence of its description."""
    return [
        CompletionItem(word, help=re.split(r"(?<!\.)[.;](?: |$)", text)[0] or None)
        for word, text in described.items()
        if word.startswith(incomplete)
    ]


def _components() -> dict[str, str]:
    """The descriptions of all components by name."""
    return {name: text for kind in config_keys.kinds() for name, text in config_keys.components(kind).items()}


def _directory(context: Context) -> Path:
    """The directory of runs."""
    return Path(context.params.get("directory") or context.params.get("runs_dir") or RUNS)


def _runs_in(directory: Path, start: str) -> list[Path]:
    """The directories in a directory whose names begin with ``start``, except hidden ones."""
    return [Path(path) for path in paths(f"{directory}/{start}", ()) if not Path(path).name.startswith(".")]


def _run(context: Context, name: str) -> Path:
    """A run by its path, or by its name in the directory of runs."""
    path, by_name = Path(name), _directory(context) / name
    is_path = path.name != name or not (context.params.get("runs_dir") and by_name.is_dir())
    return path if is_path and (path / "run.json").exists() else by_name


def _given_runs(context: Context) -> list[Path]:
    """The runs of a command that takes several."""
    given = context.params.get("runs")
    return [_run(context, name) for name in given] if isinstance(given, tuple) else []


def _first_run(context: Context) -> Path | None:
    given = context.params.get("run")
    return _run(context, given) if given else next(iter(_given_runs(context)), None)


def _splits(run: Path | None) -> list[str]:
    """The splits that the config of a run has."""
    spec = config_keys.as_mapping(json_object(run / "run.json").get("spec")) if run else {}
    return [split for split in SPLITS if not spec or split == SPLITS[0] or spec.get(split)]


def _columns(run: Path) -> list[str]:
    """The columns of metrics.csv and, once the run is finished, of the test set."""
    header = ends(run / "metrics.csv")[0].decode("utf-8", "replace").split(",")
    splits = config_keys.as_mapping(json_object(run / "evaluation.json").get("splits"))
    tested = config_keys.as_mapping(splits.get("test"))
    return [*filter(None, header[1:]), *(f"test_{name}" for name in tested)]


def _known_columns() -> dict[str, str]:
    """Every column that early stopping can monitor, and those of the test set."""
    schemas, value = config_keys.at(["training", "early_stopping", "metric"], {})
    columns = config_keys.values(schemas, value)
    tested = (name for split, name in map(_split_and_name, columns) if split == "validation")
    return columns | {f"test_{name}": "" for name in tested}


def _split_and_name(column: str) -> tuple[str, str]:
    """The split and the metric of a column."""
    split, _, name = column.partition("_")
    return (split, name) if split in SPLITS else (SPLITS[0], column)


def _config_text(context: Context) -> str | None:
    """The text of the config that is given, or the recorded config of the run; None if there is neither."""
    import json

    from nncli.config.document import MAX_CHARACTERS

    given = context.params.get("config") or context.params.get("subject") or context.params.get("run") or ""
    if given in topic_names():
        given = (context.params.get("overrides") or ("",))[0]
    with suppress(OSError, ValueError):
        if Path(given).is_file():
            with Path(given).open(encoding="utf-8") as file:
                return file.read(MAX_CHARACTERS)
    spec = json_object(_run(context, str(given)) / "run.json").get("spec")
    return json.dumps(spec) if spec else None


def _overridden(text: str, overrides: Iterable[str]) -> Any:
    """The config in a text, with those of the overrides that can be applied; empty if it is not valid YAML."""
    from nncli.config.diagnostics import SourceText
    from nncli.config.document import DocumentError, read
    from nncli.config.overrides import apply

    try:
        document = read(SourceText("", text))
    except DocumentError:
        return {}
    for override in overrides:
        with suppress(NncliError):
            apply(document, override)
    return document.root.plain()


def _type_of(value: Any) -> str:
    return str(config_keys.as_mapping(value).get("type", ""))
