"""Where a config can have a key, outside of its layers."""

from collections.abc import Iterator
from typing import Any

from pydantic_core import ValidationError

from nncli.config.diagnostics import Path
from nncli.config.document import Node
from nncli.config.model import Config, EarlyStoppingConfig, Regularization, Seeds, TrainingConfig
from nncli.config.translation import parameter_names
from nncli.config.type_advice import component_at
from nncli.registry import Model, components, validated

MODELS: dict[Path, type[Model]] = {  # the sections that are no components, by path
    (): Config,
    ("training",): TrainingConfig,
    ("training", "early_stopping"): EarlyStoppingConfig,
    ("regularization",): Regularization,
    ("seeds",): Seeds,
}
NOT_HOMES = {("seeds",)}  # its keys are named after what has other keys, such as dropout
COMPONENT_SECTIONS = {"optimizer": "optimizer", "schedule": "schedule", "clipping": "clipping", "data": "dataset"}


def homes(key: str, root: Node) -> Iterator[Path]:
    """The paths outside of layers at which a config can have this key."""
    return (path for path in all_homes(root) if path[-1] == key)


def all_homes(root: Node | None) -> Iterator[Path]:
    """The paths outside of layers at which this config, or else any, can have a key."""
    for path, model in MODELS.items():
        if path in NOT_HOMES:
            continue
        yield from ((*path, name) for name in model.model_fields)
    for section, kind in COMPONENT_SECTIONS.items():
        if component := root and component_at(root, (section,), kind):
            yield from ((section, name) for name in parameter_names(component))
        elif section == "optimizer":
            yield from ((section, name) for each in components(kind) for name in parameter_names(each))


def is_valid(section: dict[str, Any], path: Path) -> bool:
    """Whether the value at a path is valid in its section, whatever else is wrong there."""
    try:
        validated(section, Config.model_fields[str(path[0])].annotation)
    except ValidationError as error:
        return not any(each["loc"] and each["loc"][-1] == path[-1] for each in error.errors(include_url=False))
    return True
