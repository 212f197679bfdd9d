"""A run directory as its readers see it: nothing is taken on trust, nothing is written, no lock is held."""

import csv
import hashlib
import io
import math
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nncli.errors import RunError
from nncli.nn.network import shapes, statistics
from nncli.nn.parameters import Parameters
from nncli.registry import ComponentSpec, names
from nncli.run import files, limits, storage
from nncli.run.checkpoint import Checkpoint, checkpoints, unpack
from nncli.run.checks import cross_check
from nncli.run.evaluation import columns, measured_names, plausible
from nncli.run.loading import resolve
from nncli.run.records import DataRecord, EvaluationRecord, Known, RunRecord, identity, parsed, unpacked
from nncli.run.weights import forms, require_fit, unzipped
from nncli.spec.problems import harmless, path_words, shown
from nncli.spec.schema import Sections
from nncli.spec.sections import Spec

FIRST_METRICS = [names("metric")["accuracy"].model.model_validate({})]  # all that version 0.1 knew, and did not write
LONGEST_EPOCH = 15  # digits; a number of more is not exact in double precision
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?|nan")  # as training writes it


class Run:
    """One run directory.

    Args:
        path: the directory.

    Raises:
        RunError: it is missing, or is no run directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            is_folder = path.is_dir()
        except OSError as error:
            raise RunError(f"{path}: {error.strerror}") from None
        if not is_folder:
            raise RunError(f"{path}: no such run directory, nor is there one of that name in runs")
        if not files.is_there(path / "run.json"):
            raise RunError(f"{path}: no run directory: it has no run.json")

    @property
    def name(self) -> str:
        """The directory's own name."""
        return harmless(self.path.resolve().name)

    @cached_property
    def record(self) -> RunRecord:
        """What run.json says."""
        return self._record("run.json", RunRecord)

    @property
    def description(self) -> dict[str, Any]:
        """The value in run.json as it stands there, once it is known to be right."""
        self._record("run.json", RunRecord)
        return dict(unpacked(self.read("run.json")))

    @cached_property
    def identity(self) -> str:
        """What tells its files from those of other runs."""
        return identity(self.description)

    @cached_property
    def spec(self) -> Spec:
        """The resolved spec, in which everything fits together."""
        written = self.record.spec
        spec = resolve(written.model_copy(update={"metrics": FIRST_METRICS}) if written.metrics is None else written)
        wrong = next(cross_check(Sections(**vars(spec)), machine=False, is_new=False), None)
        if wrong:
            raise RunError(f"{self.path / 'run.json'}: damaged: spec.{path_words(wrong[0])}: {wrong[1]}")
        layers, inputs = [layer.build() for layer in spec.layers], spec.data.build().columns
        implied, dtype = {**shapes(layers, inputs), **statistics(layers, inputs)}, np.dtype(spec.dtype).str
        told = [(each.name, tuple(each.shape), each.dtype) for each in self.record.parameters]
        if told != [(name, shape, dtype) for name, shape in implied.items()]:
            raise RunError(f"{self.path / 'run.json'}: damaged: its parameters are not those of its spec")
        if not _drawn(spec, self.record.data):
            raise RunError(f"{self.path / 'run.json'}: damaged: its data is not what its spec draws")
        return spec

    @property
    def fingerprints(self) -> dict[str, str]:
        """The fingerprint of each split's data."""
        return {name: data.sha256 for name, data in self.data.items()}

    @property
    def data(self) -> dict[str, DataRecord]:
        """What is known of each split's data, that which was drawn after training included."""
        return {**self.record.data, **(self.evaluation.data if self.evaluation else {})}

    @cached_property
    def evaluation(self) -> EvaluationRecord | None:
        """What evaluation.json says; None where the run is not finished."""
        if not all(files.is_there(self.path / name) for name in ("weights.npz", "evaluation.json")):
            return None
        evaluation = self._record("evaluation.json", EvaluationRecord)
        drawn_last = {"test"} if self.record.spec.draws_test_last else set()
        if set(evaluation.data) != drawn_last or set(evaluation.splits) != {*self.record.data, *drawn_last}:
            raise RunError(f"{self.path / 'evaluation.json'}: damaged: it has other splits than run.json")
        for split, metrics in evaluation.splits.items():
            if set(metrics) != set(measured_names(self.spec, split)) or not plausible(metrics):
                raise RunError(f"{self.path / 'evaluation.json'}: damaged: splits.{split} is not what is measured")
        if evaluation.identity not in {None, self.identity}:
            raise RunError(f"{self.path / 'evaluation.json'}: damaged: it is that of another run")
        if not evaluation.epoch <= evaluation.epochs_trained <= self.record.spec.training.epochs:
            raise RunError(f"{self.path / 'evaluation.json'}: damaged: it has more epochs than the spec")
        return evaluation

    @cached_property
    def metrics(self) -> list[dict[str, float]]:
        """The rows of metrics.csv, without a last line that is still being written and a last row without numbers."""
        return self._rows[:-1] if self._diverged else self._rows

    @property
    def _diverged(self) -> bool:
        return bool(self._rows) and not math.isfinite(self._rows[-1]["loss"])

    @cached_property
    def _rows(self) -> list[dict[str, float]]:
        """The rows as they stand there; of a run that is not finished those before the first that is none.

        What follows the last checkpoint was not synced: a power cut may have torn it.
        """
        text = self.read("metrics.csv").decode("utf-8", "replace")
        lines = csv.reader(io.StringIO(text[: text.rfind("\n") + 1], newline=""))
        header, rows = ["epoch", *columns(self.spec)], list[dict[str, float]]()
        try:
            if next(lines, header) != header:
                raise RunError(f"{self.path / 'metrics.csv'}: damaged: its first line does not name the columns")
            for line in lines:
                row = _metrics_row(header, line)
                _require_order(rows[-1:], row, self.record.spec.training.epochs)
                rows.append(row)
        except (ValueError, csv.Error) as error:
            if self.evaluation is not None:
                raise RunError(f"{self.path / 'metrics.csv'}: damaged: {error}") from None
        return rows

    @property
    def status(self) -> str:
        """In words, from the lock and the files alone: running, finished, diverged or interrupted."""
        if storage.is_locked(self.path / "lock"):
            return "running"
        if self.evaluation is not None:
            return "finished"
        if self._diverged:
            return f"diverged at epoch {self._rows[-1]['epoch']:.0f}"
        return f"interrupted at epoch {self.checkpoint.position.epoch}"

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The newest checkpoint.

        Raises:
            RunError: there is none, or it is damaged.
        """
        while found := checkpoints(self.path):
            try:
                return self.read_checkpoint(found[-1])
            except RunError:
                if checkpoints(self.path) == found:  # else newer ones have taken its place meanwhile
                    raise
        raise RunError(f"{self.path}: neither finished nor with a checkpoint")

    def read_checkpoint(self, path: Path) -> Checkpoint:
        """One of its checkpoints.

        Raises:
            RunError: it is damaged, or that of another run.
        """
        data = self.read(f"checkpoints/{path.name}")
        try:
            checkpoint = unpack(data)
        except RunError as error:
            raise RunError(f"{path}: {error}") from None
        if checkpoint.identity not in {None, self.identity}:
            raise RunError(f"{path}: the checkpoint is that of another run")
        position = checkpoint.position
        if f"{position.updates:08}.ckpt" != path.name:
            raise RunError(f"{path}: damaged: it is the checkpoint after {position.updates} updates")
        if position.epoch > self.spec.training.epochs:
            raise RunError(f"{path}: damaged: it has more epochs than the spec")
        return checkpoint

    def load_weights(self, parameters: Parameters) -> int:
        """Fill ``parameters`` with the run's weights; returns the epoch that they are of.

        Raises:
            RunError: the weights are damaged, or are those of another network.
        """
        if self.evaluation is None:
            checkpoint = self.checkpoint
            held = {"values": checkpoint.vectors.get("values", np.empty(0))}
            try:
                require_fit(forms(held), forms({"values": parameters.values}))
            except ValueError as error:
                raise RunError(f"{self.path}: {error}") from None
            parameters.values[...] = held["values"]
            return checkpoint.position.epoch
        views = parameters.views(parameters.values)
        try:
            arrays = unzipped(self.packed_weights(self.evaluation), forms(views))
        except ValueError as error:
            raise RunError(f"{self.path / 'weights.npz'}: damaged: {error}") from None
        for name, view in views.items():
            view[...] = arrays[name]
        return self.evaluation.epoch

    def packed_weights(self, evaluation: EvaluationRecord) -> bytes:
        """The bytes of weights.npz.

        Raises:
            RunError: they are not those that the evaluation is of.
        """
        data, told = self.read("weights.npz"), evaluation.weights
        if len(data) != told.bytes or hashlib.sha256(data).hexdigest() != told.sha256:
            raise RunError(f"{self.path / 'weights.npz'}: damaged: its digest is not the one in evaluation.json")
        return data

    def read(self, name: str) -> bytes:
        """One of the run's files, named from its directory.

        Raises:
            RunError: it is missing, is no file of the run's own, or is larger than this run can have it.
        """
        return files.read(self.path, name, self._most(name))

    def _most(self, name: str) -> int:
        """How many bytes a file of this run can have."""
        if name in {"run.json", "evaluation.json"}:
            return limits.RECORD
        if name == "spec.yaml":
            return limits.SPEC
        if name == "metrics.csv":
            return limits.metrics_bytes(self.spec)
        if name == "weights.npz":
            return limits.weights_bytes(self.spec, self.record.parameters)
        return limits.checkpoint_bytes(self.spec, self.record.parameters)

    def _record(self, name: str, model: type[Known]) -> Known:
        try:
            return parsed(self.read(name), model)
        except ValueError as error:
            raise RunError(f"{self.path / name}: damaged: {error}") from None


def _drawn(spec: Spec, data: Mapping[str, DataRecord]) -> bool:
    """Whether data sets have as many rows, columns and classes as the spec says, which is known before any is drawn."""
    parts = {"validation": spec.validation, "test": spec.test}
    own = [part for name, part in parts.items() if name in data and isinstance(part, ComponentSpec)]
    sources = [part.build() for part in (spec.data, *own)]
    forms = {(source.columns, source.classes) for source in sources}
    return forms == {(each.columns, each.classes) for each in data.values()} and sum(
        source.rows for source in sources
    ) == sum(each.rows for each in data.values())


def _metrics_row(header: list[str], line: list[str]) -> dict[str, float]:
    if not (line and line[0].isdecimal() and len(line[0]) <= LONGEST_EPOCH):
        raise ValueError(f"{shown(','.join(line))} does not begin with an epoch")
    wrong = next((text for text in line if not NUMBER.fullmatch(text)), None)
    if wrong is not None:
        raise ValueError(f"{shown(wrong)} is no number")
    row = dict(zip(header, map(float, line), strict=True))
    measured = {name: value for name, value in row.items() if name != "epoch"}
    if not (plausible(measured) or all(map(math.isnan, measured.values()))):
        raise ValueError(f"the row of epoch {line[0]} holds what no training measures")
    return row


def _require_order(before: list[dict[str, float]], row: dict[str, float], epochs: int) -> None:
    """A row may follow the one before it, if there is one."""
    if any(math.isnan(each["loss"]) for each in before):
        raise ValueError("a row before the last has no numbers")
    has_numbers = not math.isnan(row["loss"])  # the row of a divergence may be of the same epoch
    if any(each["epoch"] + has_numbers > row["epoch"] for each in before) or row["epoch"] > epochs:
        raise ValueError("its epochs do not rise, or are more than the spec's")
