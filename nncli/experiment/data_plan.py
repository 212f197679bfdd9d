"""The data sources of a config, opened once, and their schemas."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from nncli.config.diagnostics import Finding, Path, path_text
from nncli.config.model import Config, Fold, OtherFile
from nncli.data.dataset import DataSchema, Dataset
from nncli.data.source import Source, SourceError
from nncli.data.sources.table import TableSource
from nncli.experiment.preparation import fit_preprocessing, splits
from nncli.experiment.rng import rngs
from nncli.experiment.sections import HELD_OUT, parts, source_sections
from nncli.registry import ComponentConfig

if TYPE_CHECKING:
    from nncli.data.fitted_preprocessing import FittedPreprocessing


class DataPlan(NamedTuple):
    """The data of a config before any row is sampled, by section: data, and validation and test if they have a source.

    Args:
        schemas: the schema of each source, after preprocessing.
        sources: the opened sources; none if the schemas were recorded by a run.
        rows: the number of rows of each split, if it does not follow from the fractions of a config.
        splits: the data set of each split of data that is read from files, not encoded.
        preprocessing: that of data which is read from a file, fitted to its training rows.
    """

    schemas: Mapping[str, DataSchema]
    sources: Mapping[str, Source] = MappingProxyType({})
    rows: Mapping[str, int] | None = None
    splits: Mapping[str, Dataset] | None = None
    preprocessing: "FittedPreprocessing | None" = None

    @property
    def is_open(self) -> bool:
        """Whether all sources are opened."""
        return self.sources.keys() == self.schemas.keys()

    @property
    def inferred(self) -> dict[str, str]:
        """The type of each column of a table that was inferred, by name."""
        table = self.sources.get("data")
        return table.file.inferred_types if isinstance(table, TableSource) else {}

    @property
    def warnings(self) -> list[str]:
        """What may be wrong with data from files and its splits, one sentence each."""
        source = self.sources.get("data")
        if not self.splits or not self.preprocessing:
            return []
        from nncli.data.table_warnings import equal_rows, type_warnings, warnings_of_splits

        inputs: dict[str, Any] = {name: split.inputs for name, split in self.splits.items()}
        if not isinstance(source, TableSource):
            return list(equal_rows({name: rows.hashes() for name, rows in inputs.items()})) if len(inputs) > 1 else []
        columns, targets = list(self.preprocessing.columns), source.file.settings.targets
        return [*type_warnings(source.file.read), *warnings_of_splits(inputs, columns, targets)]

    @property
    def schema(self) -> DataSchema:
        """The schema of the section ``data``."""
        return self.schemas["data"]


class CheckedConfig(NamedTuple):
    """A config without errors, and its data plan."""

    config: Config
    plan: DataPlan


def try_to_open(config: Config, recorded: CheckedConfig | None = None) -> tuple[DataPlan, list[Finding]]:
    """Open each data source; return the plan of those that were opened, and a finding for each that cannot be.

    Args:
        config: a config, which may be partial.
        recorded: the config of a run, whose schemas are reused for equal sections instead of opening their sources.
    """
    schemas, sources = dict[str, DataSchema](), dict[str, Source]()
    findings = [*_unknown_files(config), *_impossible_folds(config)]
    for name, section in source_sections(config).items():
        if recorded and getattr(recorded.config, name) == section:
            schemas[name] = recorded.plan.schemas[name]
            continue
        try:
            source: Source = section.build()
            if "data" in sources:
                source.follow(sources["data"])
            schemas[name], sources[name] = source.open(), source
        except SourceError as error:
            findings.append(Finding((name, *_cause(section, error)), str(error)))
    if findings or "data" not in sources or not sources["data"].is_read:
        return DataPlan(schemas, sources), findings
    try:
        seeded = _with_random_numbers(config)
        data = splits(seeded, sources, rngs(seeded), schemas["data"].class_names)
        preprocessing = fit_preprocessing(config, sources["data"], data["training"])
    except SourceError as error:
        where = error.key if error.key in parts(config) else "data"
        return DataPlan(schemas, sources), [Finding((where or "data",), str(error))]
    rows = {name: len(each) for name, each in data.items()}
    encoded = {name: preprocessing.encoded_schema(each) for name, each in schemas.items()}
    return DataPlan(encoded, sources, rows, data, preprocessing), []


def _with_random_numbers(config: Config) -> Config:
    """The config, with a default for each key that decides how rows are split and whose value is invalid."""
    invalid = [key for key in ("seed", "seeds", "rng", "split_method") if not hasattr(config, key)]
    return config.model_copy({key: Config.model_fields[key].default for key in invalid}) if invalid else config


def _cause(section: ComponentConfig, error: SourceError) -> Path:
    """The path within a section of the key that causes an error: in one of its components, if that cannot be built."""
    for path, component in _components(vars(section)):
        try:
            component.build()
        except SourceError as inner:
            return (*path, *_cause(component, inner))
    return (error.key,) if error.key is not None and hasattr(section, error.key) else ()


def _components(value: Any, path: Path = ()) -> Iterator[tuple[Path, ComponentConfig]]:
    """The components among the values of a mapping, and of the mappings within it, with their paths."""
    if isinstance(value, ComponentConfig):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _components(inner, (*path, key))


def _unknown_files(config: Config) -> Iterator[Finding]:
    """The sections that are another file, although the data has no path that it could stand for."""
    for name in HELD_OUT:
        if isinstance(getattr(config, name, None), OtherFile) and "data" in vars(config):
            message = f"{config.data.type} has no path that another file could stand for; write a source with its type"
            yield Finding((name,), message)


def _impossible_folds(config: Config) -> Iterator[Finding]:
    """A fold with a number that there is not, and a test set that is a fold."""
    for name, section in parts(config).items():
        if not isinstance(section, Fold):
            continue
        if name != "validation":
            yield Finding((name,), "folds are for validation; write test: {fraction: 0.2}, which is taken out before")
        elif section.fold >= section.folds:
            last = section.folds - 1
            yield Finding((name, "fold"), f"there is no fold {section.fold}; {section.folds} folds are 0 to {last}")


def open_data(config: Config) -> DataPlan:
    """Open the data sources of a config.

    Raises:
        SourceError: one cannot be opened.
    """
    plan, findings = try_to_open(config)
    if findings:
        raise SourceError("\n".join(f"{path_text(path)}: {message}" for path, message in findings))
    return plan
