"""What must fit together across the sections of a spec."""

import os
from collections.abc import Callable, Iterator

from nncli.nn.network import widths
from nncli.registry import ComponentSpec
from nncli.run.evaluation import watchable
from nncli.run.summary import memory_bytes, training_rows
from nncli.spec.problems import Path, did_you_mean, shown
from nncli.spec.schema import Sections
from nncli.spec.sections import Fraction

Finding = tuple[Path, str]
Check = Callable[[Sections], Iterator[Finding]]

_checks: list[tuple[tuple[str, ...], Check]] = []


def cross_check(sections: Sections, machine: bool = True) -> Iterator[Finding]:
    """Paths and messages from every check whose sections are right in themselves.

    Args:
        sections: those of a spec that are right so far.
        machine: whether this machine has to be able to train it.
    """
    for needed, check in _checks:
        if sections.has(needed) and (machine or check is not everything_fits_into_memory):
            yield from check(sections)


def needs(*names: str) -> Callable[[Check], Check]:
    """Enter a check, to be asked once the named sections are right."""

    def enter(check: Check) -> Check:
        _checks.append((names, check))
        return check

    return enter


@needs("layers")
def layers_make_a_network(sections: Sections) -> Iterator[Finding]:
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
def loss_fits_the_last_layer(sections: Sections) -> Iterator[Finding]:
    """The loss understands what comes out."""
    fitting = sections.loss.build().last_layers
    lasting = [layer for layer in sections.layers if not layer.component.target.stochastic]
    last = (lasting or sections.layers)[-1].type
    if fitting and last not in fitting:
        words = " or ".join(fitting)
        yield (
            ("loss",),
            f"{sections.loss.type} needs {words} as the last layer, got {last}; add '- {fitting[0]}' to layers",
        )


@needs("layers", "data")
def outputs_fit_the_classes(sections: Sections) -> Iterator[Finding]:
    """One output a class."""
    source = sections.data.build()
    layers = [layer.build() for layer in sections.layers]
    columns = widths(layers, source.columns)
    if columns[-1] == source.classes:
        return
    trained = [index for index, layer in enumerate(layers) if layer.shapes(1)]
    if trained:
        mismatch = f"the network ends with {columns[-1]} outputs, but the data has {source.classes} classes"
        yield ("layers", trained[-1], "units"), f"{mismatch}; write units: {source.classes}"


@needs("data", "validation", "test")
def fractions_leave_rows(sections: Sections) -> Iterator[Finding]:
    """Something is left to train on."""
    parts = _fractions(sections)
    if parts and training_rows(sections) <= 0:
        source, largest = sections.data.build(), max(parts, key=parts.__getitem__)
        shares = " and ".join(f"{name} {share:g}" for name, share in parts.items())
        message = f"the fractions ({shares}) leave none of the {source.rows // source.classes} rows of a class"
        yield (largest, "fraction"), f"{message} to train on; write smaller ones or draw more rows"


@needs("data", "validation", "test")
def sets_are_of_one_kind(sections: Sections) -> Iterator[Finding]:
    """Validation and test rows look like training rows."""
    source = sections.data.build()
    for name in ("validation", "test"):
        part = getattr(sections, name)
        if isinstance(part, ComponentSpec):
            other = part.build()
            if (other.columns, other.classes) != (source.columns, source.classes):
                seen, wanted = (f"{s.columns} columns and {s.classes} classes" for s in (other, source))
                yield (name,), f"has {seen}, but data has {wanted}"


@needs("data", "validation", "test", "training")
def batches_fit_the_rows(sections: Sections) -> Iterator[Finding]:
    """A batch is no larger than the training set."""
    rows = training_rows(sections)
    size = sections.training.batch_size
    if size is not None and size > rows > 0:
        yield (
            ("training", "batch_size"),
            f"{size} rows per step, but the training set has {rows}; write {rows} or less, or leave it out",
        )


@needs("training", "validation")
def early_stopping_sees_its_metric(sections: Sections) -> Iterator[Finding]:
    """What early stopping watches is measured, and often enough."""
    stopping = sections.training.early_stopping
    if stopping is None:
        return
    path: Path = ("training", "early_stopping")
    known = watchable()
    if stopping.metric not in known:
        yield (*path, "metric"), f"unknown metric {shown(stopping.metric)}{did_you_mean(stopping.metric, known)}"
    elif stopping.metric.startswith("validation_") and sections.validation is None:
        yield (*path, "metric"), f"{stopping.metric!r} needs a section 'validation', and there is none"
    interval = sections.training.log_interval
    if stopping.patience < interval:
        cure = f"write at least {interval}, or a smaller log_every"
        yield (*path, "patience"), f"{stopping.patience} epochs, but metrics are measured every {interval}; {cure}"


@needs("layers", "data", "validation", "test", "dtype", "training")
def everything_fits_into_memory(sections: Sections) -> Iterator[Finding]:
    """The arrays of a run fit into this machine."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    needed = memory_bytes(sections)
    if needed > there:
        yield (
            ("layers",),
            f"training would need about {needed / 2**30:,.0f} GiB of memory, and this machine has {there / 2**30:,.0f}",
        )


def _fractions(sections: Sections) -> dict[str, float]:
    parts = {name: getattr(sections, name) for name in ("validation", "test")}
    return {name: part.fraction for name, part in parts.items() if isinstance(part, Fraction)}
