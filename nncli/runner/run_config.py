"""The config of a run as it was trained, with the comments of its file; it can be used wherever a config can."""

from contextlib import suppress
from pathlib import Path

from nncli.config.diagnostics import format_diagnostics, path_text
from nncli.config.document import Document
from nncli.config.model import Config
from nncli.errors import CommandLineError, ConfigError, RunError, StorageError
from nncli.experiment.checks import NEW_RUN
from nncli.experiment.config_diff import EPOCHS, differences, overrides_between, raising_overrides
from nncli.experiment.defaults import resolve
from nncli.experiment.loading import (
    LoadedConfig,
    apply_overrides,
    checked,
    load,
    load_content,
    parse,
    read_config_file,
    with_overrides,
)
from nncli.store.find_run import find_run, reject_group, reject_unknown_name
from nncli.store.records import CONFIG
from nncli.store.run_files import GIVEN, ORIGINAL, is_run
from nncli.store.run_reader import Run
from nncli.store.run_writer import name_from
from nncli.store.safe_read import exists


def run_of(source: Path, runs: Path | None = None) -> Path | None:
    """The run that an argument names which may be a config or a run; None if it is a config, or does not exist.

    Args:
        source: the path of a config, or the path or the name of a run.
        runs: the directory of runs, as for ``find_run``.
    """
    with suppress(RunError, StorageError):  # reading it as a config reports what is wrong
        if not source.is_file():
            found = find_run(str(source), runs)
            return found if is_run(found) else None
    return None


def load_any(source: Path, overrides: tuple[str, ...] = (), runs: Path | None = None) -> LoadedConfig:
    """Load a config, or the config of a run, for a new run.

    Args:
        source: the path of a config, or the path or the name of a run.
        overrides: values replaced in it.
        runs: the directory of runs, as for ``find_run``.

    Raises:
        CommandLineError: there is neither such a config nor such a run, or an override is invalid.
        ConfigError: all errors in the config, with their locations.
        RunError: the run is damaged, or is a group of runs.
        StorageError: a file cannot be read.
    """
    return load_named(source, overrides, runs)[0]


def load_named(source: Path, overrides: tuple[str, ...] = (), runs: Path | None = None) -> tuple[LoadedConfig, str]:
    """Like ``load_any``, with the default name of a new run: that of the run, or of the config file."""
    run = run_of(source, runs)
    if run is not None:
        return load_run(Run(run), overrides), run.name
    reject_group(source, runs)
    reject_unknown_name(source, runs)
    return load(source, overrides), name_from(source)


def load_run(run: Run, overrides: tuple[str, ...] = ()) -> LoadedConfig:
    """Load the config of a run as it was trained, comments included, for a new run.

    Values that this version of nncli would choose differently are written into it.

    Raises:
        CommandLineError: an override is invalid.
        ConfigError: all errors in the config, with their locations.
        RunError: the run is damaged, or its config was changed after training.
    """
    path, content = config_path(run), trained_content(run)
    document = recorded_document(run)
    given = checked(document, {NEW_RUN}, run.checked)
    changed = next(differences(document, given, run.config), None)
    if changed:
        key, fix = path_text(changed.path), f"'nncli train {path}' trains it as it is now"
        raise RunError(f"{path}: {key} is not what the run was trained with; {fix}")
    chosen = overrides_between(resolve(given.config, given.plan), run.config)
    return load_content(str(path), with_overrides(content, tuple(chosen)), overrides)


def config_path(run: Run) -> Path:
    """The file with the config of a run: as it was trained, or, of runs of nncli before 0.7, as it was given."""
    return run.path / (CONFIG if run.record.has_config_file else GIVEN)


def trained_content(run: Run) -> bytes:
    """The config as it was trained, with the comments of its file; made from the original file if it is missing.

    If the process ended while the number of epochs was raised, it has that of run.json, as a resume will write it.

    Raises:
        ConfigError: the file is not valid.
        RunError: it is missing.
    """
    path, epochs = config_path(run), run.config.training.epochs
    if path.name == GIVEN or not exists(path):
        given = GIVEN if path.name == GIVEN else ORIGINAL
        return with_overrides(run.read(given), tuple(run.record.overrides))
    content = run.read(path.name)
    if run.was_finished or parse(str(path), content).root.find(EPOCHS).value == epochs:
        return content
    return with_overrides(content, tuple(raising_overrides(run.config, epochs)))


def recorded_document(run: Run) -> Document:
    """The config as it was trained, with the locations of its file.

    Raises:
        ConfigError: the file is not valid.
        RunError: it is missing, or a recorded override is not valid.
    """
    path = config_path(run)
    return parse(str(path), trained_content(run)) if path.name == CONFIG else given_document(run)


def given_document(run: Run) -> Document:
    """The config as it was given, with the recorded overrides applied; messages name run.json as their origin.

    Raises:
        ConfigError: the file is not valid.
        RunError: it is missing, or an override is not valid.
    """
    origin, name = f"{run.path / 'run.json'}: overrides", ORIGINAL if run.record.has_config_file else GIVEN
    try:
        return parse(str(run.path / name), run.read(name), tuple(run.record.overrides), origin)
    except CommandLineError as error:
        raise RunError(f"{origin}: damaged: {error}") from None


def resolve_config(run: Run, config: Path | None, overrides: tuple[str, ...]) -> Config:
    """The run's config, with the number of epochs of the given config or overrides.

    Raises:
        ConfigError: it differs in other keys; each one is listed.
    """
    if config is None and not overrides:
        return run.config
    if config is None:
        document = recorded_document(run)
        apply_overrides(document, overrides)
    else:
        document = parse(str(config), read_config_file(config), overrides)
    given = checked(document, {NEW_RUN}, run.checked)
    diagnostics = list(differences(document, given, run.config))
    if diagnostics:
        raise ConfigError(format_diagnostics(diagnostics), diagnostics)
    training = run.config.training.model_copy({"epochs": given.config.training.epochs})
    return run.config.model_copy({"training": training})
