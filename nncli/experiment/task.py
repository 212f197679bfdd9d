"""The task of a config, and the metrics that are applicable to it."""

from nncli.config.model import Config
from nncli.experiment.data_plan import DataPlan
from nncli.nn.metrics.metric import Task, task_of
from nncli.nn.shapes import widths
from nncli.registry import ComponentConfig, components


def task(config: Config, plan: DataPlan) -> Task:
    """The task of a config, inferred from its layers and its data."""
    outputs = widths([layer.build() for layer in config.layers], plan.schema.columns)[-1]
    return task_of(plan.schema.classes, outputs)


def is_applicable(metric: ComponentConfig, task: Task) -> bool:
    """Whether a metric is defined for a task."""
    return task in metric.component.target.tasks


def chosen_metrics(config: Config, plan: DataPlan) -> list[ComponentConfig]:
    """The metrics that a config names, or all that are applicable to its task; needs layers, data and metrics."""
    if config.metrics is not None:
        return list(config.metrics)
    wanted = task(config, plan)
    return [entry.model.model_validate({}) for entry in components("metric") if wanted in entry.target.tasks]
