"""A run directory as its readers see it: nothing is taken on trust, nothing is written, no lock is held."""

import csv
import hashlib
import io
import json
import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

import nncli.run.assembly  # noqa: F401 (registers the components that a spec may name)
from nncli.errors import RunError
from nncli.nn.parameters import Array, Parameters
from nncli.run import storage
from nncli.run.checkpoint import Checkpoint, unpack
from nncli.run.directory import FORMAT
from nncli.spec.sections import Spec

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
        if not path.is_dir():
            raise RunError(f"{path}: no such run directory")
        if not (path / "run.json").is_file():
            raise RunError(f"{path}: no run directory: it has no run.json")

    @property
    def name(self) -> str:
        """The directory's own name."""
        return self.path.resolve().name

    @cached_property
    def description(self) -> dict[str, Any]:
        """What run.json says."""
        return self._json("run.json")

    @cached_property
    def spec(self) -> Spec:
        """The resolved spec."""
        try:
            return Spec.model_validate(self.description["spec"])
        except (KeyError, ValidationError) as error:
            raise RunError(f"{self.path / 'run.json'}: damaged: {str(error).splitlines()[0]}") from None

    @property
    def fingerprints(self) -> dict[str, str]:
        """The fingerprint of each split's data."""
        return {name: data["sha256"] for name, data in self.description["data"].items()}

    def rows(self, split: str) -> int:
        """How many rows a split has."""
        return int(self.description["data"][split]["rows"])

    @cached_property
    def evaluation(self) -> dict[str, Any] | None:
        """What evaluation.json says; None where the run is not finished."""
        finished = all((self.path / name).is_file() for name in ("weights.npz", "evaluation.json"))
        return self._json("evaluation.json") if finished else None

    @cached_property
    def metrics(self) -> list[dict[str, float]]:
        """The rows of metrics.csv; a last line that is still being written is left out."""
        text = self._read("metrics.csv").decode("utf-8", "replace")
        rows = csv.reader(io.StringIO(text[: text.rfind("\n") + 1]))
        header = next(rows, [])
        try:
            return [dict(zip(header, map(float, row), strict=True)) for row in rows]
        except ValueError as error:
            raise RunError(f"{self.path / 'metrics.csv'}: damaged: {error}") from None

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
        names = sorted(path.name for path in (self.path / "checkpoints").glob("*.ckpt"))
        if not names:
            raise RunError(f"{self.path}: neither finished nor with a checkpoint")
        try:
            return unpack(self._read(f"checkpoints/{names[-1]}"))
        except RunError as error:
            raise RunError(f"{self.path / 'checkpoints' / names[-1]}: {error}") from None

    def load_weights(self, parameters: Parameters) -> int:
        """Fill ``parameters`` with the run's weights; returns the epoch that they are of.

        Raises:
            RunError: the weights are damaged, or are those of another network.
        """
        if self.evaluation is None:
            checkpoint = self.checkpoint
            self._fill({"values": checkpoint.vectors["values"]}, {"values": parameters.values})
            return checkpoint.position.epoch
        data, recorded = self._read("weights.npz"), self.evaluation["weights"]
        if len(data) != recorded["bytes"] or hashlib.sha256(data).hexdigest() != recorded["sha256"]:
            raise RunError(f"{self.path / 'weights.npz'}: damaged: its digest is not the one in evaluation.json")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            self._fill(dict(arrays), parameters.views(parameters.values))
        return int(self.evaluation["epoch"])

    def _fill(self, arrays: Mapping[str, Array], views: Mapping[str, Array]) -> None:
        found, wanted = ({name: (a.shape, a.dtype.str) for name, a in each.items()} for each in (arrays, views))
        if found != wanted:
            wrong = next(name for name in {**wanted, **found} if found.get(name) != wanted.get(name))
            raise RunError(
                f"{self.path}: weights do not fit: {wrong} is {found.get(wrong)}, expected {wanted.get(wrong)}"
            )
        for name, view in views.items():
            view[...] = arrays[name]

    def _json(self, name: str) -> dict[str, Any]:
        try:
            value = json.loads(self._read(name), parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise RunError(f"{self.path / name}: damaged: {error}") from None
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise RunError(f"{self.path / name}: damaged, or written by another version of nncli")
        return value

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


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
