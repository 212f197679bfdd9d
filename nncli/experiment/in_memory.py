"""Configs of data sets that are in memory: all sections but ``data`` are given as a mapping."""

from collections.abc import Mapping
from typing import Any

from nncli.config.diagnostics import path_text
from nncli.config.model import Config
from nncli.config.validation import validate
from nncli.config.yaml_output import to_yaml
from nncli.data.source import Source
from nncli.errors import ConfigError
from nncli.experiment.checks import cross_check
from nncli.experiment.data_plan import DataPlan
from nncli.experiment.defaults import resolve
from nncli.experiment.loading import MAPPING_NAME, parse, with_location
from nncli.registry import Component


class InMemory(Source):
    """Rows in memory; a config file cannot name them."""

    is_read = True


DATA = Component("dataset", "in_memory", None, InMemory).model(type="in_memory")


def load_in_memory(sections: Mapping[str, Any], plan: DataPlan) -> Config:
    """Validate, check and resolve a config for data in memory.

    Args:
        sections: all sections but ``data``.
        plan: schema and split sizes of the data.

    Raises:
        ConfigError: all errors in the sections, each with its key.
    """
    try:
        document = parse(MAPPING_NAME, to_yaml(sections))
    except TypeError as error:
        raise ConfigError(str(error)) from None
    config, diagnostics = validate(document, {"data": DATA})
    diagnostics += with_location(document, cross_check(config, plan))
    if diagnostics:
        messages = [f"{path_text(each.path)}: {each.message}" for each in diagnostics]
        raise ConfigError("\n".join(messages), diagnostics)
    return resolve(config.complete(), plan)
