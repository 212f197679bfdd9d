"""What a network is asked for by its data, and what is measured for that."""

from typing import Any

from nncli.nn.metrics.metric import Task, task_of
from nncli.nn.shapes import widths
from nncli.registry import ComponentSpec, components


def task(spec: Any) -> Task:
    """The task of a spec, of which layers and data are needed."""
    source = spec.data.build()
    return task_of(source.classes, widths([layer.build() for layer in spec.layers], source.columns)[-1])


def suits(metric: ComponentSpec, asked: Task) -> bool:
    """Whether a metric means something for a task."""
    return asked in metric.component.target.tasks


def chosen_metrics(spec: Any) -> list[ComponentSpec]:
    """The metrics that a spec names, or all that suit its task; of a spec layers, data and metrics are needed."""
    if spec.metrics is not None:
        return list(spec.metrics)
    asked = task(spec)
    return [entry.model.model_validate({}) for entry in components("metric") if asked in entry.target.tasks]
