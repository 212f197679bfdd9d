"""What must fit together across the sections of a config."""

from collections.abc import Callable, Collection, Iterator

from nncli.config.diagnostics import Path, shown, suggestion
from nncli.config.model import Fraction
from nncli.config.validation import PartialConfig
from nncli.data.source import Source
from nncli.data.split import part_sizes
from nncli.experiment.available_memory import available_memory, in_units
from nncli.experiment.dtype_checks import rounded_constants, weights_stuck_at_zero
from nncli.experiment.metric_columns import find_column, metrics_bytes
from nncli.experiment.summary import memory_bytes, step_rows, training_rows
from nncli.experiment.task import chosen_metrics, suits, task
from nncli.nn.activations import Softmax
from nncli.nn.losses.loss import Loss
from nncli.nn.metrics.metric import Task
from nncli.nn.shapes import widths
from nncli.registry import ComponentConfig, components, names

TASK_WORDS = {
    Task.CLASSES: "a network with an output for each class",
    Task.BINARY: "a network with one output for two classes",
    Task.REGRESSION: "targets that are numbers",
}
FEWER = "fewer units, fewer rows or a smaller batch_size need less"
METRICS_COPIES = 3  # of the bytes of metrics.csv, while it is read
NO_THRESHOLD = 0.5  # the default, which does nothing where there are several outputs
Finding = tuple[Path, str]
Check = Callable[[PartialConfig], Iterator[Finding]]

NEW_RUN, THIS_MACHINE = "a new run", "this machine"  # what a check can be limited to

_checks: list[tuple[tuple[str, ...], str | None, Check]] = []


def cross_check(sections: PartialConfig, skipped: Collection[str] = ()) -> Iterator[Finding]:
    """Paths and messages from every check whose sections are right in themselves.

    Args:
        sections: those of a config that are right so far.
        skipped: checks to leave out: those of NEW_RUN for a run of an older version, which accepted what it accepted;
            those of THIS_MACHINE where it does not have to train it.
    """
    for needed, only, check in _checks:
        if sections.has(needed) and only not in skipped:
            yield from check(sections)


def needs(*names: str, only: str | None = None) -> Callable[[Check], Check]:
    """Enter a check, to be asked once the named sections are right, limited to NEW_RUN or THIS_MACHINE if given."""

    def enter(check: Check) -> Check:
        _checks.append((names, only, check))
        return check

    return enter


@needs("layers")
def layers_make_a_network(sections: PartialConfig) -> Iterator[Finding]:
    """Something learns, and the last layer tells what it knows."""
    layers = [layer.build() for layer in sections.layers]
    if not any(layer.shapes(1) for layer in layers):
        yield ("layers",), "no layer has anything to train; add a dense layer"
    if layers[-1].stochastic:
        last = len(layers) - 1
        yield (
            ("layers", last),
            f"{sections.layers[-1].type} as the last layer hides outputs at random; put it before the last dense layer",
        )


@needs("layers", "loss")
def loss_fits_the_last_layer(sections: PartialConfig) -> Iterator[Finding]:
    """The loss understands what comes out."""
    loss = sections.loss.build()
    if loss.needs_classes and sections.has(["data"]) and sections.data.build().classes is None:
        return  # another loss is needed, and said so
    fitting = loss.last_layers
    lasting = [layer for layer in sections.layers if not layer.component.target.stochastic]
    last = (lasting or sections.layers)[-1]
    if fitting and last.type not in fitting:
        other = last.type in {name for each in components("loss") for name in each.target.last_layers}
        cure = f"write it instead of {last.type}" if other else f"add '- {fitting[0]}' to layers"
        yield ("loss",), f"{sections.loss.type} needs {' or '.join(fitting)} as the last layer, got {last.type}; {cure}"


@needs("data", "loss")
def loss_fits_the_targets(sections: PartialConfig) -> Iterator[Finding]:
    """A loss for classes gets classes."""
    if sections.data.build().classes is None and sections.loss.build().needs_classes:
        found = f"but the targets of {sections.data.type} are numbers"
        yield ("loss",), f"{sections.loss.type} needs classes, {found}; write mean_squared_error or mean_absolute_error"


@needs("layers", "data")
def outputs_fit_the_targets(sections: PartialConfig) -> Iterator[Finding]:
    """One output a class, or one for two classes, or one a number."""
    source = sections.data.build()
    layers = [layer.build() for layer in sections.layers]
    outputs = widths(layers, source.columns)[-1]
    loss = sections.loss.build() if sections.has(["loss"]) else Loss()
    fitting = loss.widths(source.classes) if source.classes else (source.target_columns,)
    deciding = [index for index, layer in enumerate(layers) if layer.width(1) == layer.width(2)]  # whatever goes in
    if outputs not in fitting:
        plural = "" if outputs == 1 else "s"
        mismatch = f"the network ends with {outputs} output{plural}, but the data has {_target_words(source)}"
        cure = " or ".join(map(str, fitting))
        if deciding:
            yield ("layers", deciding[-1], "units"), f"{mismatch}; write units: {cure}"
        elif any(layer.shapes(1) for layer in layers):
            yield ("layers",), f"{mismatch}; add a dense layer with units: {cure}"
    elif outputs == 1 and isinstance(layers[-1], Softmax):
        cure = "write sigmoid" if source.classes else "write linear"
        yield ("layers", len(layers) - 1), f"softmax of one output is always 1, and nothing is learned; {cure}"


@needs("layers", "data", "metrics")
def metrics_suit_the_task(sections: PartialConfig) -> Iterator[Finding]:
    """Each metric means something for these outputs, and has a column of its own."""
    asked = task(sections)
    named = [metric.type for metric in sections.metrics or ()]
    for index, metric in enumerate(sections.metrics or ()):
        if metric.type in named[:index]:
            yield ("metrics", index), f"{metric.type} stands twice; a metric has one column"
        if not suits(metric, asked):
            fitting = ", ".join(entry.name for entry in components("metric") if asked in entry.target.tasks)
            yield ("metrics", index), f"{metric.type} is not for {TASK_WORDS[asked]}; these are: {fitting}"
        elif asked is not Task.BINARY and getattr(metric, "threshold", NO_THRESHOLD) != NO_THRESHOLD:
            yield (
                ("metrics", index, "threshold"),
                f"it is for one output, and not for {TASK_WORDS[asked]}; leave it out",
            )


@needs("data", "validation", "test")
def fractions_leave_rows(sections: PartialConfig) -> Iterator[Finding]:
    """Something is left to train on."""
    parts, source = _fractions(sections), sections.data.build()
    spent = [count for count in source.class_counts if part_sizes(count, parts)["training"] <= 0]
    if parts and spent:
        largest = max(parts, key=parts.__getitem__)
        shares = " and ".join(f"{name} {share:g}" for name, share in parts.items())
        rows = f"{spent[0]} rows of a class" if source.classes else f"{spent[0]} rows"
        message = f"the fractions ({shares}) leave none of the {rows}"
        yield (largest, "fraction"), f"{message} to train on; write smaller ones or draw more rows"


@needs("data", "validation", "test")
def sets_are_of_one_kind(sections: PartialConfig) -> Iterator[Finding]:
    """Validation and test rows look like training rows."""
    source = sections.data.build()
    for name in ("validation", "test"):
        part = getattr(sections, name)
        if isinstance(part, ComponentConfig):
            other = part.build()
            seen, wanted = map(_form, (other, source))
            if seen != wanted:
                yield (name,), f"has {seen}, but data has {wanted}"


@needs("data", "validation", "test", "training")
def batches_fit_the_rows(sections: PartialConfig) -> Iterator[Finding]:
    """A batch is no larger than the training set."""
    rows = training_rows(sections)
    size = sections.training.batch_size
    if size is not None and size > rows > 0:
        yield (
            ("training", "batch_size"),
            f"{size} rows per step, but the training set has {rows}; write {rows} or less, or leave it out",
        )


@needs("layers", "data", "validation", "test", "training")
def batches_suffice(sections: PartialConfig) -> Iterator[Finding]:
    """No batch, the last of an epoch least of all, has fewer rows than a layer needs."""
    rows, size = training_rows(sections), step_rows(sections)
    smallest = (rows % size or size) if rows > 0 else 0
    for index, layer in enumerate(sections.layers):
        fewest = layer.component.target.min_batch_size
        if 0 < smallest < fewest:
            found = f"but the last batch of an epoch has {smallest} of the {rows} rows; write another batch_size"
            alone = f"but the training set has {rows}"
            yield (
                ("layers", index),
                f"{layer.type} needs {fewest} rows in every batch, {alone if rows < fewest else found}",
            )


@needs("training", "validation")
def early_stopping_sees_its_metric(sections: PartialConfig) -> Iterator[Finding]:
    """What early stopping watches is measured, and often enough."""
    stopping = sections.training.early_stopping
    if stopping is None:
        return
    path: Path = ("training", "early_stopping")
    held_out = "validation_" if find_column(stopping.metric).split == "validation" else ""
    name, measured = stopping.metric.removeprefix(held_out), ["loss", *_measured(sections)]
    if name in names("metric") and name not in measured:
        yield (*path, "metric"), f"{name} is not measured; measured are: {', '.join(measured)}"
    elif name not in measured and stopping.metric != "data_loss":
        known = [f"{held_out}{each}" for each in measured] + ([] if held_out else ["data_loss"])
        yield (*path, "metric"), f"unknown metric {shown(stopping.metric)}{suggestion(stopping.metric, known)}"
    elif held_out and sections.validation is None:
        yield (*path, "metric"), f"{stopping.metric!r} needs a section 'validation', and there is none"
    interval = sections.training.log_interval
    if stopping.patience < interval:
        cure = f"write at least {interval}, or a smaller log_every"
        yield (*path, "patience"), f"{stopping.patience} epochs, but metrics are measured every {interval}; {cure}"


@needs("dtype", only=NEW_RUN)
def constants_survive_the_dtype(sections: PartialConfig) -> Iterator[Finding]:
    """No constant becomes 0 or infinite in the dtype of the config."""
    yield from rounded_constants(sections)


@needs("layers", "dtype", only=NEW_RUN)
def initial_weights_can_learn(sections: PartialConfig) -> Iterator[Finding]:
    """A gradient reaches the weights of every layer."""
    yield from weights_stuck_at_zero(sections)


@needs("layers", "data", "validation", "test", "dtype", "training", only=THIS_MACHINE)
def arrays_fit_into_memory(sections: PartialConfig) -> Iterator[Finding]:
    """The arrays of a run fit into the memory that this process can have."""
    lack = _lacking(memory_bytes(sections))
    if lack:
        yield ("layers",), f"training would need about {lack}; {FEWER}"


@needs("layers", "data", "validation", "metrics", "training", only=THIS_MACHINE)
def metrics_can_be_read(sections: PartialConfig) -> Iterator[Finding]:
    """What training writes into metrics.csv can be read again."""
    given = PartialConfig(**{**vars(sections), "metrics": chosen_metrics(sections)})
    lack = _lacking(METRICS_COPIES * metrics_bytes(given))
    if lack:
        yield (
            ("training", "log_every"),
            f"reading metrics.csv would need up to {lack}; write a larger log_every, or fewer epochs",
        )


def _lacking(needed: int) -> str | None:
    """How much memory is needed and how much there is, where that is less."""
    there = available_memory()
    if needed <= there.bytes:
        return None
    return f"{in_units(needed)} of memory, and {there.owner} has {in_units(there.bytes)}"


def _fractions(sections: PartialConfig) -> dict[str, float]:
    parts = {name: getattr(sections, name) for name in ("validation", "test")}
    return {name: part.fraction for name, part in parts.items() if isinstance(part, Fraction)}


def _measured(sections: PartialConfig) -> list[str]:
    """The metrics that are measured; where a mistake elsewhere leaves that open, all that there are."""
    if sections.has(["layers", "data", "metrics"]):
        return [metric.type for metric in chosen_metrics(sections)]
    return [metric.name for metric in components("metric")]


def _form(source: Source) -> str:
    """What the rows of a data set consist of, in words."""
    return f"{source.columns} column{'' if source.columns == 1 else 's'} and {_target_words(source)}"


def _target_words(source: Source) -> str:
    if source.classes:
        return f"{source.classes} classes"
    return "one number as a target" if source.target_columns == 1 else f"{source.target_columns} numbers as a target"
