"""The data sources of a config, opened once, and their schemas."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from nncli.config.diagnostics import Finding, path_text
from nncli.config.model import Config, Fraction
from nncli.data.dataset import DataSchema
from nncli.data.source import Source, SourceError
from nncli.registry import ComponentConfig


class DataPlan(NamedTuple):
    """The data of a config before any row is sampled, by section: data, and validation and test if they have a source.

    Args:
        schemas: the schema of each source.
        sources: the opened sources; none if the schemas were recorded by a run.
    """

    schemas: Mapping[str, DataSchema]
    sources: Mapping[str, Source] = MappingProxyType({})

    @property
    def is_open(self) -> bool:
        """Whether all sources are opened."""
        return self.sources.keys() == self.schemas.keys()

    @property
    def schema(self) -> DataSchema:
        """The schema of the section ``data``."""
        return self.schemas["data"]


class CheckedConfig(NamedTuple):
    """A config without errors, and its data plan."""

    config: Config
    plan: DataPlan


def source_sections(config: Config) -> dict[str, ComponentConfig]:
    """The sections that name a data source, in the order data, validation, test."""
    sections = {name: getattr(config, name, None) for name in ("data", "validation", "test")}
    return {name: section for name, section in sections.items() if isinstance(section, ComponentConfig)}


def fractions(config: Config) -> dict[str, float]:
    """The fractions of ``data`` that are split off, by section."""
    sections = {"validation": config.validation, "test": config.test}
    return {name: section.fraction for name, section in sections.items() if isinstance(section, Fraction)}


def try_to_open(config: Config, recorded: CheckedConfig | None = None) -> tuple[DataPlan, list[Finding]]:
    """Open each data source; return the plan of those that were opened, and a finding for each that cannot be.

    Args:
        config: a config, which may be partial.
        recorded: the config of a run, whose schemas are reused for equal sections instead of opening their sources.
    """
    schemas, sources, findings = dict[str, DataSchema](), dict[str, Source](), list[Finding]()
    for name, section in source_sections(config).items():
        if recorded and getattr(recorded.config, name) == section:
            schemas[name] = recorded.plan.schemas[name]
            continue
        source: Source = section.build()
        try:
            schemas[name], sources[name] = source.open(), source
        except SourceError as error:
            findings.append(Finding((name, error.key) if error.key else (name,), str(error)))
    return DataPlan(schemas, sources), findings


def open_data(config: Config) -> DataPlan:
    """Open the data sources of a config.

    Raises:
        SourceError: one cannot be opened.
    """
    plan, findings = try_to_open(config)
    if findings:
        raise SourceError("\n".join(f"{path_text(path)}: {message}" for path, message in findings))
    return plan
