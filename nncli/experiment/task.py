"""What a network is asked for by its data, and what is measured for that."""

from typing import Any

from nncli.nn.metrics.metric import Task, task_of
from nncli.nn.shapes import widths
from nncli.registry import ComponentConfig, components


def task(config: Any) -> Task:
    """The task of a config, of which layers and data are needed."""
    source = config.data.build()
    return task_of(source.classes, widths([layer.build() for layer in config.layers], source.columns)[-1])


def suits(metric: ComponentConfig, asked: Task) -> bool:
    """Whether a metric means something for a task."""
    return asked in metric.component.target.tasks


def chosen_metrics(config: Any) -> list[ComponentConfig]:
    """The metrics that a config names, or all that suit its task; of a config layers, data and metrics are needed."""
    if config.metrics is not None:
        return list(config.metrics)
    asked = task(config)
    return [entry.model.model_validate({}) for entry in components("metric") if asked in entry.target.tasks]
