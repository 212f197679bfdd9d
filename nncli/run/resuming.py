"""Going on with a run, from the newest checkpoint that is whole, as if nothing had been between."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nncli.errors import RunError, SpecError
from nncli.registry import ComponentSpec
from nncli.run import storage
from nncli.run.assessment import require_same_data
from nncli.run.checkpoint import Checkpoint, checkpoints
from nncli.run.directory import RunDirectory, reached
from nncli.run.environment import environment
from nncli.run.loading import checked, parse, read_config, resolve
from nncli.run.reading import Run
from nncli.run.records import EvaluationRecord, packed
from nncli.run.training import Training
from nncli.spec.document import Document
from nncli.spec.problems import Path as Keys
from nncli.spec.problems import Problem, report
from nncli.spec.sections import Spec


class Resumption:
    """A run that is to go on: nobody else trains in it meanwhile, and nothing is changed before ``reopen``.

    ``told`` is what the user should know, a sentence each.

    Args:
        path: the run's directory.

    Raises:
        BusyError: another process is training in it.
        RunError: it is no run directory.
    """

    def __init__(self, path: Path) -> None:
        self.run, self.told = Run(path), list[str]()
        self._lock = storage.Lock(path / "lock")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def agree(self, config: Path | None, overrides: tuple[str, ...]) -> Spec:
        """The run's spec, resolved; with more epochs, where config or overrides ask for them.

        Args:
            config: a spec that must say what the run's says, but for more epochs; the run's own where it is None.
            overrides: values replaced in it.

        Raises:
            SpecError: it says something else; every key that differs is listed.
        """
        if config is None and not overrides:
            return self.run.spec
        if config is None:
            own = str(self.run.path / "spec.yaml")
            document = parse(own, self.run.read("spec.yaml"), (*self.run.record.overrides, *overrides))
        else:
            document = parse(str(config), read_config(config), overrides)
        given = checked(document)
        problems = list(_differences(document, given, self.run.spec))
        if problems:
            raise SpecError(report(problems))
        return _with_epochs(self.run.spec, given.training.epochs)

    def finished(self, spec: Spec) -> EvaluationRecord | None:
        """What a run was worth that has nothing left to train; None where it has."""
        evaluation = self.run.evaluation
        if evaluation is None or evaluation.epochs_trained == self.run.spec.training.epochs < spec.training.epochs:
            return None
        return evaluation

    def reopen(self, training: Training) -> RunDirectory:
        """The run's directory, with the training where its newest checkpoint that is whole has it.

        Checkpoints that are not whole get another name, metrics behind the checkpoint's are cut off, and more epochs
        are recorded.

        Raises:
            RunError: no checkpoint is whole, or the data is no longer that of the run.
            StorageError: the disk refuses.
        """
        require_same_data(self.run, training.experiment)
        path = self.run.path
        damaged, metrics = self._restored(training)
        for each in damaged:
            storage.set_aside(each)
        if training.settings.epochs > self.run.spec.training.epochs:
            self._record_epochs(training.settings.epochs)
        for folder in (path, path / "checkpoints"):
            storage.sweep(folder)
        self.told += [f"{path}: resumed at {reached(training)}", *self._surroundings()]
        return RunDirectory(path, self._lock, training, self.run.identity, metrics)

    def _restored(self, training: Training) -> tuple[list[Path], bytes]:
        """Restore the newest checkpoint that is whole; returns those that are not, and its metrics."""
        damaged: list[Path] = []
        for path in reversed(checkpoints(self.run.path)):
            try:
                checkpoint = self.run.read_checkpoint(path)
                metrics = self._metrics_of(checkpoint)
                training.restore(checkpoint)
            except (RunError, ValueError) as error:
                self.told.append(f"{error}; it is skipped, and kept as {path.name}.damaged")
                damaged.append(path)
            else:
                return damaged, metrics
        raise RunError("\n".join([f"{self.run.path}: no checkpoint is whole", *self.told]))

    def _metrics_of(self, checkpoint: Checkpoint) -> bytes:
        position = checkpoint.position
        metrics = self.run.read("metrics.csv")[: position.metrics_bytes]
        if position.metrics_sha256 is None:
            raise RunError("it was written by an nncli before 0.4, which did not keep all that a resumption needs")
        if hashlib.sha256(metrics).hexdigest() != position.metrics_sha256:
            raise RunError("metrics.csv no longer begins with what the checkpoint counts on")
        return metrics

    def _record_epochs(self, epochs: int) -> None:
        """Say in run.json how many epochs there are now; a finished run is so no longer, and says so first."""
        storage.remove(self.run.path / "evaluation.json")
        described = self.run.description
        described["spec"]["training"]["epochs"] = epochs
        described["overrides"].append(f"training.epochs={epochs}")
        storage.put(self.run.path / "run.json", packed(described))

    def _surroundings(self) -> Iterator[str]:
        """In which respects the machine is another than that of the run's start."""
        before, now = _named(vars(self.run.record)), _named(environment())
        different = [name for name in now if before.get(name) != now[name]]
        if different:
            why = f"another {', '.join(different)} than at its start"
            yield f"{self.run.path}: the last bits may differ from those of an uninterrupted run: {why}"


def _named(environment: Mapping[str, Any]) -> dict[str, Any]:
    """What results may depend on, by the names that a user knows."""
    blas, simd = environment["blas"], environment["simd"]
    return {"machine": environment["machine"], **environment["versions"], "BLAS": blas, "vector instructions": simd}


def _with_epochs(spec: Spec, epochs: int) -> Spec:
    return spec.model_copy({"training": spec.training.model_copy({"epochs": epochs})})


def _differences(document: Document, given: Spec, recorded: Spec) -> Iterator[Problem]:
    """Each key in which the given spec is not the recorded one, with its place."""
    asked, trained = given.training.epochs, recorded.training.epochs
    here, there = (dict(_leaves(spec.model_dump(), ())) for spec in (_filled(given, recorded), recorded))
    for keys in {**there, **here}:
        ours, theirs = here.get(keys), there.get(keys)
        if ours != theirs:
            message = f"is {json.dumps(ours)} here, {json.dumps(theirs)} in the run"
            yield Problem(document.root.find(keys).place, keys, message)
    if asked < trained:
        keys = ("training", "epochs")
        message = f"is {asked} here, {trained} in the run; it may be raised, not lowered"
        yield Problem(document.root.find(keys).place, keys, message)


def _filled(given: Spec, recorded: Spec) -> Spec:
    """The given spec resolved; what it leaves to the number of epochs is as the run has it."""
    training = given.training.model_copy(
        {
            "epochs": recorded.training.epochs,
            "log_every": given.training.log_every or recorded.training.log_every,
        }
    )
    schedule = _until(given.schedule, recorded.schedule) if given.schedule else None
    return resolve(given.model_copy({"training": training, "schedule": schedule}))


def _until(given: ComponentSpec, recorded: ComponentSpec | None) -> ComponentSpec:
    """A schedule that ends where the recorded one does, if it does not say where."""
    filled: dict[str, Any] = {}
    if getattr(given, "updates", 0) is None:
        filled["updates"] = getattr(recorded, "updates", None)
    if getattr(given, "then", None) is not None:
        filled["then"] = _until(given.then, getattr(recorded, "then", None))  # type: ignore[attr-defined]
    return given.model_copy(filled)


def _leaves(value: Any, keys: Keys) -> Iterator[tuple[Keys, Any]]:
    """Each value of a spec that is no mapping and no list, by its keys."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*keys, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*keys, index))
    else:
        yield keys, value
