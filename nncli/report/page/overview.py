"""The summary of a run as text, its metrics by split, and the settings that differ from the defaults."""

from collections.abc import Iterator
from typing import Any

from nncli.analysis.baseline import constant_prediction
from nncli.analysis.compared_run import ComparedRun
from nncli.analysis.evaluation import Measurement
from nncli.analysis.run_list import notes_of
from nncli.analysis.significance import proportion_interval
from nncli.experiment.defaults import resolve
from nncli.experiment.metric_columns import SPLITS, column, find_column, higher_is_better
from nncli.experiment.summary import split_rows, summarize
from nncli.registry import Model
from nncli.report.curves import run_curves
from nncli.report.page.blocks import Block, Column, Table, Text
from nncli.report.page.words import figure, listed
from nncli.report.trained_run import TrainedRun

ARROWS = {True: " ↑", False: " ↓", None: ""}
CLEARLY = 0.95  # the lowest loss relative to the last one, below which training went on for too long
DENSE = "dense"  # the type of the layers whose units are counted
UNSHOWN = {"columns", "metrics", "split_method"}  # they follow from others, or are shown elsewhere


def overview(entry: ComparedRun, trained: TrainedRun | None) -> list[Block]:
    """The verdict on a run, and its metrics; ``trained`` is None if its data or weights cannot be read."""
    warnings = [warning["message"] for warning in entry.run.warnings]
    sentences = [described(entry, trained), *_results(entry, trained), *_lowest(entry), *_notes(entry)]
    return [Text("", sentences, warnings), metrics_table(entry, trained)]


def described(entry: ComparedRun, trained: TrainedRun | None = None) -> str:
    """What was trained on what, in a sentence, and which epoch is shown."""
    run = entry.run
    layers = summarize(run.config, run.plan)
    widths = [layers[0].inputs, *(layer.outputs for layer in layers if layer.type == DENSE)]
    parameters = sum(layer.parameters for layer in layers)
    rows = split_rows(run.config, run.plan)
    data = listed([f"{count:,} {split}" for split, count in rows.items()])
    network = f"a network of {' → '.join(map(str, widths))} units with {parameters:,} parameters"
    training = f"trained with {run.config.optimizer.type} on {run.config.data.type} data ({data} rows)"
    shown = f"{'weights' if entry.is_final else 'metrics'} of epoch {entry.epoch:,}"
    if trained and trained.epoch != entry.epoch:
        shown += f"; predictions and weights are of epoch {trained.epoch:,}, the newest checkpoint"
    return f"{entry.label} is {network}, {training}; {entry.progress}, {shown}."


def _results(entry: ComparedRun, trained: TrainedRun | None) -> Iterator[str]:
    """How good it is on held-out rows, compared with a constant prediction, and whether it overfits."""
    split = next((name for name in reversed(SPLITS) if name in entry.scores), None)
    if split is not None:
        score = entry.scores[split]
        words = f"{score.metric.replace('_', ' ')} on the {split} set is {score.text}"
        if score.metric == "accuracy":
            low, high = proportion_interval(score.value, score.rows)
            words += f" (95% interval {low:.3f} to {high:.3f}, {score.rows:,} rows)"
        constant = _baseline(trained, split).get(score.metric) if trained else None
        if constant is not None:
            words += f"; a constant prediction has {score.format(constant)}"
        yield f"Its {words}."
    if entry.metrics:
        yield f"It {entry.description}."


def _baseline(trained: TrainedRun, split: str) -> dict[str, float]:
    """The metrics of a constant prediction on a split."""
    metrics: dict[str, float] = evaluated(trained, split)["baseline"]["metrics"]
    return metrics


def evaluated(trained: TrainedRun, split: str) -> dict[str, Any]:
    """What ``nncli evaluate --json`` prints of a split."""
    experiment, rows = trained.experiment, trained.predicted(split)
    constant = constant_prediction(experiment.data["training"])
    measurement = Measurement(experiment.network, experiment.metrics, trained.class_names or [], constant)
    return measurement.of(split, rows.examples, rows.encoded_outputs, None)


def _lowest(entry: ComparedRun) -> Iterator[str]:
    """When the validation loss was lowest, if that was long before the end."""
    curves = run_curves(entry.run)
    loss = curves.of("loss")
    values = next((each.values for each in loss.series if each.split == "validation"), None) if loss else None
    if loss is None or values is None or not len(values) or entry.run.config.training.early_stopping:
        return
    lowest, end = float(values.min()), float(values[-1])
    if lowest < CLEARLY * end:
        epoch = f"{loss.best_epoch:,} ({figure(lowest)})"
        fix = "early stopping would keep those weights"
        yield f"The validation loss was lowest at epoch {epoch}, and is {figure(end)} at the end: {fix}."


def _notes(entry: ComparedRun) -> Iterator[str]:
    """The note and the tags of a run."""
    notes, _ = notes_of(entry.run.path)
    if notes.note:
        yield f"Note: {notes.note}"
    if notes.tags:
        yield f"Tags: {', '.join(notes.tags)}."


def metrics_table(entry: ComparedRun, trained: TrainedRun | None) -> Table:
    """The metrics of a run by split, with those of a constant prediction."""
    splits = [split for split in SPLITS if split in entry.run.data]
    names = list(dict.fromkeys(find_column(header).name for header in entry.metrics))
    rows = [
        [f"{name}{ARROWS[_direction(name)]}", *(entry.metrics.get(column(split, name)) for split in splits)]
        for name in names
    ]
    if trained:
        baselines = {split: _baseline(trained, split) for split in splits if split in trained.experiment.data}
        constant = list(dict.fromkeys(name for metrics in baselines.values() for name in metrics))
        rows += [
            [f"constant prediction: {name}", *(baselines.get(split, {}).get(name) for split in splits)]
            for name in constant
        ]
    message = f"Of the weights of epoch {entry.epoch:,}; arrows point to better values."
    return Table("Metrics", message, [Column("metric"), *(Column(split, "number") for split in splits)], rows)


def _direction(name: str) -> bool | None:
    return find_column(name).higher_is_better if find_column(name).split else higher_is_better(name)


def settings_table(entry: ComparedRun) -> Table:
    """The keys of the config that differ from the defaults, and those without a default."""
    spec = entry.run.config
    defaults = resolve(_with_defaults(spec), entry.run.plan)
    rows = [[key, _shown(value), default] for key, value, default in _settings(spec, defaults, "")]
    message = "Settings that differ from the defaults; all others have their default values."
    columns = [Column("key"), Column("value", "code"), Column("default", "code")]
    return Table("Settings", message, columns, rows)


def _with_defaults(model: Any) -> Any:
    """A config in which all that has a default has this default."""
    if isinstance(model, list):
        return [_with_defaults(each) for each in model]
    if not isinstance(model, Model):
        return model
    kept = {name: getattr(model, name) for name, field in model.model_fields.items() if field.default is ...}
    defaults = {name: field.default for name, field in model.model_fields.items() if field.default is not ...}
    return type(model)(**{**defaults, **{name: _with_defaults(value) for name, value in kept.items()}})


def _settings(model: Model, other: object, path: str) -> Iterator[tuple[str, Any, str | None]]:
    """Key, value and default of each setting that differs from the default, or that has none."""
    for name, field in model.model_fields.items():
        key, value, default = f"{path}{name}", getattr(model, name), getattr(other, name, field.default)
        if name == "type":
            yield path.rstrip("."), value, None
        elif isinstance(value, Model):
            if value != default:
                yield from _settings(value, default if type(default) is type(value) else None, f"{key}.")
        elif field.default is ... and isinstance(value, list) and isinstance(value[0], Model):
            others = default if isinstance(default, list) else [None] * len(value)
            for index, (item, its_default) in enumerate(zip(value, others, strict=True)):
                yield from _settings(item, its_default, f"{key}[{index}].")
        elif field.default is ...:
            yield key, value, None
        elif value != default and name not in UNSHOWN:
            yield key, value, None if default is None else _shown(default)


def _shown(value: Any) -> str:
    """A value as a config has it, in a line."""
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
