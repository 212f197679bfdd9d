"""A run directory as its readers see it: nothing is taken on trust, nothing is written, no lock is held."""

import csv
import hashlib
import io
import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from pydantic_core import ValidationError

from nncli.errors import RunError
from nncli.nn.network import shapes, statistics
from nncli.nn.parameters import Array, Parameters
from nncli.registry import names
from nncli.run import storage
from nncli.run.checkpoint import Checkpoint, checkpoints, unpack
from nncli.run.checks import cross_check
from nncli.run.evaluation import columns, measured_names, plausible
from nncli.run.loading import resolve
from nncli.run.records import DataRecord, EvaluationRecord, RunRecord, identity, unpacked
from nncli.spec.messages import entered
from nncli.spec.problems import path_words, shown
from nncli.spec.schema import Sections
from nncli.spec.sections import Spec

Form: TypeAlias = tuple[tuple[int, ...], str]
Known = TypeVar("Known", RunRecord, EvaluationRecord)

FIRST_METRICS = [names("metric")["accuracy"].model.model_validate({})]  # all that version 0.1 knew, and did not write
LARGEST = 2**31  # bytes; no small network's file is larger
LONGEST_EPOCH = 15  # digits; a number of more is not exact in double precision


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
            there, is_run = path.is_dir(), (path / "run.json").is_file()
        except OSError as error:
            raise RunError(f"{path}: {error.strerror}") from None
        if not there:
            raise RunError(f"{path}: no such run directory, nor is there one of that name in runs")
        if not is_run:
            raise RunError(f"{path}: no run directory: it has no run.json")

    @property
    def name(self) -> str:
        """The directory's own name."""
        return self.path.resolve().name

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
        wrong = next(cross_check(Sections(**vars(spec)), machine=False), None)
        if wrong:
            raise RunError(f"{self.path / 'run.json'}: damaged: spec.{path_words(wrong[0])}: {wrong[1]}")
        layers, inputs = [layer.build() for layer in spec.layers], spec.data.build().columns
        implied = {**shapes(layers, inputs), **statistics(layers, inputs)}
        if {each.name: tuple(each.shape) for each in self.record.parameters} != implied:
            raise RunError(f"{self.path / 'run.json'}: damaged: its parameters are not those of its spec")
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
        finished = all((self.path / name).is_file() for name in ("weights.npz", "evaluation.json"))
        if not finished:
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
        text = self.read("metrics.csv").decode("utf-8", "replace")
        lines = csv.reader(io.StringIO(text[: text.rfind("\n") + 1], newline=""))
        try:
            header = next(lines, None)
            rows = [_metrics_row(header or [], line) for line in lines]
        except (ValueError, csv.Error) as error:
            raise RunError(f"{self.path / 'metrics.csv'}: damaged: {error}") from None
        if header is not None and header != ["epoch", *columns(self.spec)]:
            raise RunError(f"{self.path / 'metrics.csv'}: damaged: its first line does not name the columns")
        if any(math.isnan(row["loss"]) for row in rows[:-1]):
            raise RunError(f"{self.path / 'metrics.csv'}: damaged: a row before the last has no numbers")
        epochs = [row["epoch"] for row in rows]
        if epochs != sorted(epochs) or max(epochs, default=0) > self.record.spec.training.epochs:
            raise RunError(f"{self.path / 'metrics.csv'}: damaged: its epochs do not rise, or are more than the spec's")
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
        return checkpoint

    def load_weights(self, parameters: Parameters) -> int:
        """Fill ``parameters`` with the run's weights; returns the epoch that they are of.

        Raises:
            RunError: the weights are damaged, or are those of another network.
        """
        if self.evaluation is None:
            checkpoint = self.checkpoint
            self._fill({"values": checkpoint.vectors.get("values", np.empty(0))}, {"values": parameters.values})
            return checkpoint.position.epoch
        data, told = self.read("weights.npz"), self.evaluation.weights
        if len(data) != told.bytes or hashlib.sha256(data).hexdigest() != told.sha256:
            raise RunError(f"{self.path / 'weights.npz'}: damaged: its digest is not the one in evaluation.json")
        self._fill(_unzipped(self.path / "weights.npz", data), parameters.views(parameters.values))
        return self.evaluation.epoch

    def _fill(self, arrays: Mapping[str, Array], views: Mapping[str, Array]) -> None:
        found, wanted = ({name: _form(array) for name, array in each.items()} for each in (arrays, views))
        if found != wanted:
            wrong = next(name for name in {**wanted, **found} if found.get(name) != wanted.get(name))
            given, due = found.get(wrong, "missing"), wanted.get(wrong, "none")
            raise RunError(f"{self.path}: the weights do not fit: {wrong} is {given}, expected {due}")
        for name, view in views.items():
            view[...] = arrays[name]

    def _record(self, name: str, model: type[Known]) -> Known:
        try:
            return model.model_validate(unpacked(self.read(name)))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = path_words(tuple(step for step in first["loc"] if not entered(step))) or "as a whole"
            what = first["msg"].removeprefix("Value error, ").lower()
            raise RunError(f"{self.path / name}: damaged: {where}: {what}") from None
        except ValueError as error:
            raise RunError(f"{self.path / name}: damaged: {error}") from None

    def read(self, name: str) -> bytes:
        """The bytes of one of its files.

        Raises:
            RunError: it is missing, cannot be read, or is larger than any file of a run.
        """
        path = self.path / name
        try:
            if path.stat().st_size > LARGEST:
                raise RunError(f"{path}: larger than any file of a run")
            return path.read_bytes()
        except FileNotFoundError:
            raise RunError(f"{path}: missing") from None
        except OSError as error:
            raise RunError(f"{path}: {error.strerror}") from None


def _unzipped(path: Path, data: bytes) -> dict[str, Array]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except MemoryError:
        raise
    except Exception as error:  # what bytes that are no archive lead np.load to raise is not documented
        raise RunError(f"{path}: damaged: {error or 'empty'}") from None
    if not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise RunError(f"{path}: damaged: it holds something else than arrays")
    return arrays


def _form(array: Array) -> Form:
    return array.shape, array.dtype.str


def _metrics_row(header: list[str], line: list[str]) -> dict[str, float]:
    if not (line and line[0].isdecimal() and len(line[0]) <= LONGEST_EPOCH):
        raise ValueError(f"{shown(','.join(line))} does not begin with an epoch")
    row = dict(zip(header, map(float, line), strict=True))
    measured = {name: value for name, value in row.items() if name != "epoch"}
    if not (plausible(measured) or all(map(math.isnan, measured.values()))):
        raise ValueError(f"the row of epoch {line[0]} holds what no training measures")
    return row
