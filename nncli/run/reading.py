"""A run directory as its readers see it: nothing is taken on trust, nothing is written, no lock is held."""

import csv
import hashlib
import io
import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeVar
from zipfile import BadZipFile

import numpy as np
from pydantic import ValidationError

from nncli.errors import RunError
from nncli.nn.parameters import Array, Parameters
from nncli.registry import entered
from nncli.run import storage
from nncli.run.assembly import resolve
from nncli.run.checkpoint import Checkpoint, unpack
from nncli.run.checks import cross_check
from nncli.run.directory import checkpoints
from nncli.run.records import EvaluationRecord, RunRecord, unpacked
from nncli.spec.problems import path_words
from nncli.spec.schema import Sections
from nncli.spec.sections import Spec

Known = TypeVar("Known", RunRecord, EvaluationRecord)

LARGEST = 2**31  # bytes; no small network's file is larger


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
            raise RunError(f"{path}: no such run directory")
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

    @cached_property
    def spec(self) -> Spec:
        """The resolved spec, in which everything fits together."""
        spec = resolve(self.record.spec)
        wrong = next(cross_check(Sections(**dict(spec))), None)
        if wrong:
            raise RunError(f"{self.path / 'run.json'}: damaged: spec.{path_words(wrong[0])}: {wrong[1]}")
        return spec

    @property
    def fingerprints(self) -> dict[str, str]:
        """The fingerprint of each split's data."""
        return {name: data.sha256 for name, data in self.record.data.items()}

    def rows(self, split: str) -> int:
        """How many rows a split has; 0 where the run has none such."""
        return next((data.rows for name, data in self.record.data.items() if name == split), 0)

    @cached_property
    def evaluation(self) -> EvaluationRecord | None:
        """What evaluation.json says; None where the run is not finished."""
        finished = all((self.path / name).is_file() for name in ("weights.npz", "evaluation.json"))
        if not finished:
            return None
        evaluation = self._record("evaluation.json", EvaluationRecord)
        if set(evaluation.splits) != set(self.record.data):
            raise RunError(f"{self.path / 'evaluation.json'}: damaged: it has other splits than run.json")
        return evaluation

    @cached_property
    def metrics(self) -> list[dict[str, float]]:
        """The rows of metrics.csv; a last line that is still being written is left out."""
        text = self._read("metrics.csv").decode("utf-8", "replace")
        rows = csv.reader(io.StringIO(text[: text.rfind("\n") + 1], newline=""))
        try:
            header = next(rows, [])
            found = [dict(zip(header, map(float, row), strict=True)) for row in rows]
        except (ValueError, csv.Error) as error:
            raise RunError(f"{self.path / 'metrics.csv'}: damaged: {error}") from None
        if header and not {"epoch", "loss"} <= set(header):
            raise RunError(f"{self.path / 'metrics.csv'}: damaged: its first line does not name the columns")
        return found

    @property
    def status(self) -> str:
        """In words, from the lock and the files alone: running, finished, diverged or interrupted."""
        if storage.is_locked(self.path / "lock"):
            return "running"
        if self.evaluation is not None:
            return "finished"
        if self.metrics and not math.isfinite(self.metrics[-1]["loss"]):
            return f"diverged at epoch {self.metrics[-1]['epoch']:.0f}"
        return f"interrupted at epoch {self.checkpoint.position.epoch}"

    @property
    def checkpoint(self) -> Checkpoint:
        """The newest checkpoint.

        Raises:
            RunError: there is none, or it is damaged.
        """
        found = checkpoints(self.path)
        if not found:
            raise RunError(f"{self.path}: neither finished nor with a checkpoint")
        data = self._read(f"checkpoints/{found[-1].name}")
        try:
            return unpack(data)
        except RunError as error:
            raise RunError(f"{found[-1]}: {error}") from None

    def load_weights(self, parameters: Parameters) -> int:
        """Fill ``parameters`` with the run's weights; returns the epoch that they are of.

        Raises:
            RunError: the weights are damaged, or are those of another network.
        """
        if self.evaluation is None:
            checkpoint = self.checkpoint
            self._fill({"values": checkpoint.vectors.get("values")}, {"values": parameters.values})
            return checkpoint.position.epoch
        data, recorded = self._read("weights.npz"), self.evaluation.weights
        if len(data) != recorded.bytes or hashlib.sha256(data).hexdigest() != recorded.sha256:
            raise RunError(f"{self.path / 'weights.npz'}: damaged: its digest is not the one in evaluation.json")
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                arrays = dict(archive)
        except (ValueError, OSError, EOFError, TypeError, BadZipFile) as error:
            raise RunError(f"{self.path / 'weights.npz'}: damaged: {error or 'empty'}") from None
        self._fill(arrays, parameters.views(parameters.values))
        return self.evaluation.epoch

    def _fill(self, arrays: Mapping[str, Array | None], views: Mapping[str, Array]) -> None:
        found, wanted = ({name: _form(array) for name, array in each.items()} for each in (arrays, views))
        if found != wanted:
            wrong = next(name for name in {**wanted, **found} if found.get(name) != wanted.get(name))
            raise RunError(
                f"{self.path}: weights do not fit: {wrong} is {found.get(wrong)}, expected {wanted.get(wrong)}"
            )
        for name, view in views.items():
            view[...] = arrays[name]

    def _record(self, name: str, model: type[Known]) -> Known:
        try:
            return model.model_validate(unpacked(self._read(name)))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = path_words(tuple(step for step in first["loc"] if not entered(step))) or "as a whole"
            what = first["msg"].removeprefix("Value error, ").lower()
            raise RunError(f"{self.path / name}: damaged: {where}: {what}") from None
        except ValueError as error:
            raise RunError(f"{self.path / name}: damaged: {error}") from None

    def _read(self, name: str) -> bytes:
        path = self.path / name
        try:
            if path.stat().st_size > LARGEST:
                raise RunError(f"{path}: larger than any file of a run")
            return path.read_bytes()
        except FileNotFoundError:
            raise RunError(f"{path}: missing") from None
        except OSError as error:
            raise RunError(f"{path}: {error.strerror}") from None


def _form(array: Array | None) -> tuple[tuple[int, ...], str] | None:
    return None if array is None else (array.shape, array.dtype.str)
