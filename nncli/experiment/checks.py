"""Checks of a config across its sections."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from nncli.config.diagnostics import Finding, Path, counted, shown
from nncli.config.model import Config
from nncli.data.dataset import DataSchema
from nncli.data.split import split_sizes
from nncli.experiment.available_memory import available_memory, format_bytes
from nncli.experiment.data_plan import DataPlan
from nncli.experiment.dtype_checks import rounded_constants, weights_stuck_at_zero
from nncli.experiment.memory import memory_bytes
from nncli.experiment.metric_columns import find_column, metrics_bytes
from nncli.experiment.sections import fractions
from nncli.experiment.summary import step_rows, training_rows
from nncli.experiment.task import chosen_metrics, is_applicable, task
from nncli.nn.activations import Softmax
from nncli.nn.losses.loss import Loss
from nncli.nn.metrics.metric import Task
from nncli.nn.shapes import widths
from nncli.registry import components, names

TASK_DESCRIPTIONS = {
    Task.CLASSES: "a network with one output per class",
    Task.BINARY: "a network with one output for two classes",
    Task.REGRESSION: "real-valued targets",
}
MULTICLASS, MULTICLASS_LOSS = 3, "categorical_crossentropy"  # the loss for this number of classes and more
METRICS_COPIES = 3  # of the bytes of metrics.csv, while it is read
MINIMUM_MEMORY = 2**25  # bytes; a process that has imported NumPy has at least this much
DEFAULT_THRESHOLD = 0.5

CheckFunction = Callable[[Config, DataPlan], Iterator[Finding]]
NEW_RUN, THIS_MACHINE = "a new run", "this machine"  # the scopes of a check


class Check(NamedTuple):
    """A check, the sections that it needs, and the scope to which it is limited, if any."""

    sections: Sequence[str]
    scope: str | None
    function: CheckFunction


_checks: list[Check] = []


def check(*sections: str, only: str | None = None) -> Callable[[CheckFunction], CheckFunction]:
    """Register a check, which is made if the named sections are valid.

    Args:
        sections: the sections that the check reads.
        only: NEW_RUN or THIS_MACHINE, the scope to which the check is limited.
    """

    def add(function: CheckFunction) -> CheckFunction:
        _checks.append(Check(sections, only, function))
        return function

    return add


def cross_check(config: Config, plan: DataPlan, skipped: Collection[str] = ()) -> Iterator[Finding]:
    """Yield the findings of every check whose sections are valid.

    Args:
        config: a config, which may be partial.
        plan: its data.
        skipped: the scopes of the checks to skip: NEW_RUN for a run of an earlier version, which accepted its config;
            THIS_MACHINE if the config is not trained on this machine.
    """
    for each in _checks:
        if _has(config, *each.sections) and each.scope not in skipped:
            yield from each.function(config, plan)


def _has(config: Config, *sections: str) -> bool:
    """Whether the sections of a config, which may be partial, are valid."""
    return all(name in vars(config) for name in sections)


@check("layers")
def check_network(config: Config, plan: DataPlan) -> Iterator[Finding]:
    """The network has trainable parameters and a deterministic output."""
    layers = [layer.build() for layer in config.layers]
    if not any(layer.shapes(1) for layer in layers):
        yield Finding(("layers",), "no trainable layer; add a dense layer")
    if layers[-1].stochastic:
        message = f"{config.layers[-1].type} as the last layer drops outputs at random; move it before a dense layer"
        yield Finding(("layers", len(layers) - 1), message)


@check("layers", "loss")
def check_last_layer(config: Config, plan: DataPlan) -> Iterator[Finding]:
    """The loss accepts the outputs of the last layer."""
    loss = config.loss.build()
    if loss.needs_classes and _has(config, "data") and plan.schema.classes is None:
        return  # check_loss_of_targets reports that another loss is needed
    deterministic = [layer for layer in config.layers if not layer.component.target.stochastic]
    last = (deterministic or config.layers)[-1].type
    if loss.last_layers and last not in loss.last_layers:
        needed = " or ".join(loss.last_layers)
        classes = plan.schema.classes if _has(config, "data") else None
        fix = _many_classes_fix(classes, config.loss.type, last) or _last_layer_fix(last, needed)
        yield Finding(("loss",), f"{config.loss.type} needs {needed} as the last layer, got {last}; {fix}")


def _last_layer_fix(last: str, needed: str) -> str:
    suitable = " or ".join(each.name for each in components("loss") if last in each.target.last_layers)
    return f"use {suitable}, or replace {last} with {needed}" if suitable else f"add '- {needed}' to layers"


def _many_classes_fix(classes: int | None, loss: str, last: str) -> str:
    """What three classes or more need: one probability per class, which sum to 1; empty for fewer."""
    if not classes or classes < MULTICLASS:
        return ""
    fixes = [] if loss == MULTICLASS_LOSS else [f"write loss: {MULTICLASS_LOSS}"]
    if last == "sigmoid":
        fixes.append("write softmax instead of sigmoid")
    elif last != "softmax":
        fixes.append("add '- softmax' to layers")
    return f"for {classes} classes {' and '.join(fixes)}"


@check("data", "loss")
def check_loss_of_targets(config: Config, plan: DataPlan) -> Iterator[Finding]:
    """A loss that needs class labels is not used with real-valued targets."""
    if plan.schema.classes is None and config.loss.build().needs_classes:
        mismatch = f"{config.loss.type} needs class labels, but the targets of {config.data.type} are real values"
        yield Finding(("loss",), f"{mismatch}; use mean_squared_error or mean_absolute_error")


@check("layers", "data")
def check_outputs(config: Config, plan: DataPlan) -> Iterator[Finding]:
    """The network has one output per class, one for two classes, or one per target column."""
    schema, layers = plan.schema, [layer.build() for layer in config.layers]
    outputs = widths(layers, schema.columns)[-1]
    loss = config.loss.build() if _has(config, "loss") else Loss()
    valid = loss.widths(schema.classes) if schema.classes else (schema.target_columns,)
    fixed_width = [index for index, layer in enumerate(layers) if layer.width(1) == layer.width(2)]
    if outputs not in valid:
        mismatch = f"the network has {counted(outputs, 'output')}, but the data has {_target_text(schema)}"
        fix = f"units: {' or '.join(map(str, valid))}{_sigmoid_fix(config, schema.classes)}"
        if fixed_width:
            yield Finding(("layers", fixed_width[-1], "units"), f"{mismatch}; write {fix}")
        elif any(layer.shapes(1) for layer in layers):
            yield Finding(("layers",), f"{mismatch}; add a dense layer with {fix}")
    elif outputs == 1 and isinstance(layers[-1], Softmax):
        fix = "write sigmoid" if schema.classes else "write linear"
        message = f"softmax of a single output is always 1, so nothing can be learned; {fix}"
        yield Finding(("layers", len(layers) - 1), message)


def _sigmoid_fix(config: Config, classes: int | None) -> str:
    """The rest of the fix if a network for two classes is used with more, which sigmoids would predict separately."""
    if not classes or classes < MULTICLASS or config.layers[-1].type != "sigmoid":
        return ""
    return f", softmax instead of sigmoid, and loss: {MULTICLASS_LOSS}"


@check("layers", "data", "metrics")
def check_metrics(config: Config, plan: DataPlan) -> Iterator[Finding]:
    """Each metric is applicable to the task, and is named once."""
    this_task = task(config, plan)
    description = TASK_DESCRIPTIONS[this_task]
    types = [metric.type for metric in config.metrics or ()]
    for index, metric in enumerate(config.metrics or ()):
        if metric.type in types[:index]:
            yield Finding(("metrics", index), f"duplicate metric {metric.type}; remove one")
        if not is_applicable(metric, this_task):
            applicable = ", ".join(entry.name for entry in components("metric") if this_task in entry.target.tasks)
            message = f"{metric.type} is not applicable to {description}; applicable: {applicable}"
            yield Finding(("metrics", index), message)
        elif this_task is not Task.BINARY and getattr(metric, "threshold", DEFAULT_THRESHOLD) != DEFAULT_THRESHOLD:
            message = f"a threshold applies to a single output, not to {description}; remove it"
            yield Finding(("metrics", index, "threshold"), message)


@check("data", "validation", "test")
def check_fractions(config: Config, plan: DataPlan) -> Iterator[Finding]:
    """The fractions leave rows of each class for training."""
    held_out, schema = fractions(config), plan.schema
    exhausted = [count for count in schema.class_counts if split_sizes(count, held_out)["training"] <= 0]
    if held_out and exhausted:
        largest = max(held_out, key=held_out.__getitem__)
        listed = " and ".join(f"{name} {fraction:g}" for name, fraction in held_out.items())
        rows = f"{exhausted[0]} rows of a class" if schema.classes else f"{exhausted[0]} rows"
        message = f"the fractions ({listed}) leave none of the {rows} for training"
        yield Finding((largest, "fraction"), f"{message}; use smaller fractions or more samples")


@check("data", "validation", "test")
def check_schemas(config: Config, plan: DataPlan) -> Iterator[Finding]:
    """Validation and test set have the features and targets of the training set."""
    expected = _schema_text(plan.schema)
    for name, schema in plan.schemas.items():
        if _schema_text(schema) != expected:
            yield Finding((name,), f"has {_schema_text(schema)}, but data has {expected}")


@check("data", "validation", "test", "training")
def check_batch_size(config: Config, plan: DataPlan) -> Iterator[Finding]:
    """A batch is no larger than the training set."""
    rows, size = training_rows(config, plan), config.training.batch_size
    if size is not None and size > rows > 0:
        message = f"{size} is more than the {rows} rows of the training set; write {rows} or less, or omit it"
        yield Finding(("training", "batch_size"), message)


@check("layers", "data", "validation", "test", "training")
def check_smallest_batch(config: Config, plan: DataPlan) -> Iterator[Finding]:
    """The smallest batch, which is the last of an epoch, has as many rows as each layer needs."""
    rows, size = training_rows(config, plan), step_rows(config, plan)
    smallest = (rows % size or size) if rows > 0 else 0
    for index, layer in enumerate(config.layers):
        needed = layer.component.target.min_batch_size
        if 0 < smallest < needed:
            found = f"the last batch of an epoch has {smallest} of the {rows} rows; change batch_size"
            found = f"the training set has {rows}" if rows < needed else found
            yield Finding(("layers", index), f"{layer.type} needs at least {needed} rows per batch, but {found}")


@check("training", "validation")
def check_early_stopping(config: Config, plan: DataPlan) -> Iterator[Finding]:
    """The monitored metric is measured, and often enough."""
    stopping = config.training.early_stopping
    if stopping is None:
        return
    path: Path = ("training", "early_stopping")
    prefix = "validation_" if find_column(stopping.metric).split == "validation" else ""
    name, measured = stopping.metric.removeprefix(prefix), ["loss", *_measured_metrics(config, plan)]
    if name in names("metric") and name not in measured:
        yield Finding((*path, "metric"), f"{name} is not measured; measured: {', '.join(measured)}")
    elif name not in measured and stopping.metric != "data_loss":
        from nncli.config.hints import suggestion

        known = [*measured, "data_loss", *(f"validation_{name}" for name in measured)]
        message = f"unknown metric {shown(stopping.metric)}{suggestion(stopping.metric, known)}"
        yield Finding((*path, "metric"), message)
    elif prefix and config.validation is None:
        fix = "write a line such as validation: {fraction: 0.2}"
        yield Finding((*path, "metric"), f"{stopping.metric!r} needs a validation set; {fix}, or metric: {name}")
    interval = config.training.log_interval
    if stopping.patience < interval:
        message = f"{stopping.patience} epochs, but metrics are measured only every {interval} epochs"
        yield Finding((*path, "patience"), f"{message}; write at least {interval}, or a smaller log_every")


@check("dtype", only=NEW_RUN)
def check_constants(config: Config, plan: DataPlan) -> Iterator[Finding]:
    """No constant underflows to 0 or overflows to infinity in the dtype of the config."""
    yield from rounded_constants(config)


@check("layers", "dtype", only=NEW_RUN)
def check_initial_weights(config: Config, plan: DataPlan) -> Iterator[Finding]:
    """A gradient reaches the weights of every layer."""
    yield from weights_stuck_at_zero(config)


@check("layers", "data", "validation", "test", "dtype", "loss", "optimizer", "training", only=THIS_MACHINE)
def arrays_fit_into_memory(config: Config, plan: DataPlan) -> Iterator[Finding]:
    """The arrays of a run fit into the memory that is available to this process."""
    if excess := _memory_excess(memory_bytes(config, plan)):
        fewer = "fewer training.snapshots, " if config.training.snapshots else ""
        fix = f"use {fewer}fewer units, fewer rows or a smaller batch_size"
        yield Finding(("layers",), f"training needs about {excess}; {fix}")


@check("layers", "data", "validation", "metrics", "training", only=THIS_MACHINE)
def metrics_fit_into_memory(config: Config, plan: DataPlan) -> Iterator[Finding]:
    """The file metrics.csv can be read into the memory that is available to this process."""
    measured = config.model_copy({"metrics": chosen_metrics(config, plan)})
    if excess := _memory_excess(METRICS_COPIES * metrics_bytes(measured)):
        fix = "write a larger log_every, or fewer epochs"
        yield Finding(("training", "log_every"), f"reading metrics.csv can need up to {excess}; {fix}")


def _memory_excess(needed: int) -> str | None:
    """How much memory is needed and how much is available, if that is less."""
    if needed <= MINIMUM_MEMORY or needed <= (available := available_memory()).bytes:
        return None
    return f"{format_bytes(needed)} of memory, but {available.owner} has {format_bytes(available.bytes)}"


def _measured_metrics(config: Config, plan: DataPlan) -> list[str]:
    """The measured metrics; all known ones if an invalid section leaves the task open."""
    if _has(config, "layers", "data", "metrics"):
        return [metric.type for metric in chosen_metrics(config, plan)]
    return [metric.name for metric in components("metric")]


def _schema_text(schema: DataSchema) -> str:
    """The numbers of features and targets of a data set as text."""
    return f"{counted(schema.columns, 'feature')} and {_target_text(schema)}"


def _target_text(schema: DataSchema) -> str:
    return counted(schema.classes, "class") if schema.classes else counted(schema.target_columns, "real-valued target")
