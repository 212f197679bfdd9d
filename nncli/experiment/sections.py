"""The sections data, validation and test of a config: which are sources, and which are parts of the data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from nncli.config.diagnostics import Path as KeyPath
from nncli.config.diagnostics import path_text
from nncli.config.document import Node
from nncli.config.model import Config, Fold, Fraction, OtherFile, Part
from nncli.config.yaml_output import to_yaml_value
from nncli.registry import ComponentConfig

ConfigType = TypeVar("ConfigType", bound=Config)
HELD_OUT = ("validation", "test")


def source_sections(config: Config) -> dict[str, ComponentConfig]:
    """The sections that name a data source, in the order data, validation, test."""
    sections = {name: getattr(config, name, None) for name in ("data", *HELD_OUT)}
    return {name: section for name, section in sections.items() if isinstance(section, ComponentConfig)}


def parts(config: Config) -> dict[str, Part]:
    """The sections that take rows of ``data``."""
    sections = {name: getattr(config, name, None) for name in HELD_OUT}
    return {name: section for name, section in sections.items() if isinstance(section, Part)}


def fractions(config: Config) -> dict[str, float]:
    """The random fractions of ``data`` that are split off, by section."""
    return {
        name: each.fraction for name, each in parts(config).items() if isinstance(each, Fraction) and each.is_random
    }


def validation_fold(config: Config) -> Fold | None:
    """The fold that is the validation set, if it is one."""
    section = getattr(config, "validation", None)
    return section if isinstance(section, Fold) else None


def from_end(config: Config) -> set[str]:
    """The parts that take their rows from the end of a random permutation."""
    return set() if config.split_method == "consecutive" else {"test"}


def with_paths(config: ConfigType, directory: Path) -> ConfigType:
    """The config with absolute paths of files, and with a source for each section that is another file.

    Args:
        config: a config, which may be partial.
        directory: where relative paths start.
    """
    sections: dict[str, Any] = {
        name: _with_absolute_paths(section, directory) for name, section in source_sections(config).items()
    }
    data = sections.get("data")
    for name in HELD_OUT:
        other = getattr(config, name, None)
        if isinstance(other, OtherFile) and data is not None and hasattr(data, "path"):
            sections[name] = data.model_copy({"path": _absolute(other.path, directory)})
    return config.model_copy(sections)


def path_overrides(config: Config, document: Node) -> list[str]:
    """The overrides that give a document the absolute paths of its config, so that it can be used elsewhere.

    Args:
        config: what ``with_paths`` returns.
        document: the tree of the document.
    """
    return [
        f"{path_text(path)}={to_yaml_value(str(value))}"
        for path, value in _file_paths(config).items()
        if document.find(path).value != str(value)
    ]


def without_path_overrides(overrides: Sequence[str], config: Config) -> list[str]:
    """The overrides of a config that are not the paths of its files."""
    keys = {path_text(path) for path in _file_paths(config)}
    return [each for each in overrides if each.partition("=")[0] not in keys]


def _file_paths(config: Config) -> dict[KeyPath, Path]:
    """The paths of files in the data sources of a config, by the path of their key."""
    return {
        (name, key): value
        for name, section in source_sections(config).items()
        for key, value in vars(section).items()
        if isinstance(value, Path)
    }


def with_recorded_columns(config: ConfigType, recorded: Config) -> ConfigType:
    """The config with the types of the columns of tables that a run has recorded, unless it states them itself."""
    known = getattr(recorded.data, "columns", None) or {}
    tables = {name: each for name, each in source_sections(config).items() if hasattr(each, "columns")}
    return config.model_copy(
        {name: each.model_copy({"columns": {**known, **(each.columns or {})}}) for name, each in tables.items()}
    )


def _with_absolute_paths(section: ComponentConfig, directory: Path) -> ComponentConfig:
    paths = {key: value for key, value in vars(section).items() if isinstance(value, Path)}
    return section.model_copy({key: _absolute(path, directory) for key, path in paths.items()}) if paths else section


def _absolute(path: Path, directory: Path) -> Path:
    return (directory / path).absolute()
