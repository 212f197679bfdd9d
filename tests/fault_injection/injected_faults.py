"""The faults that the harnesses must find: mutations of what stores, resumes, reads and checks."""

import errno
import hashlib
import os
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path

from nncli.errors import NncliError, RunError, StorageError
from tests.mutations.patching import MutationSet, Patch

FAULTS = MutationSet()
ATOMIC_WRITE, APPEND_LOG, SAFE_READ, LOCK, CHECKPOINT = (
    f"nncli.store.{name}" for name in ("atomic_write", "append_log", "safe_read", "lock", "checkpoint")
)
RESUME = "nncli.runner.resume"
TRAINER = "nncli.training.loop:Trainer"
LARGE_ALLOCATION = 2**29  # bytes


# Storage ------------------------------------------------------------------------------------------------------------


def _fsync_unless(patch: Patch, is_skipped) -> None:
    """Skip ``os.fsync`` in ``atomic_write`` for some descriptors."""

    def fsync(descriptor: int) -> None:
        if not is_skipped(os.fstat(descriptor).st_mode):
            os.fsync(descriptor)

    patch.module(f"{ATOMIC_WRITE}:os", fsync=fsync)


@FAULTS.add
def no_fsync_of_files(patch: Patch) -> None:
    """Names of files become durable before their bytes."""
    _fsync_unless(patch, stat.S_ISREG)


@FAULTS.add
def no_fsync_of_directories(patch: Patch) -> None:
    """Renames are not durable."""
    _fsync_unless(patch, stat.S_ISDIR)


@FAULTS.add
def files_are_written_in_place(patch: Patch) -> None:
    """A file is overwritten instead of replaced."""

    def write_atomic(path, data):
        from nncli.store.atomic_write import fsync_directory
        from nncli.store.safe_read import storage_errors

        with storage_errors(path):
            with path.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fsync_directory(path.parent)

    patch.function(f"{ATOMIC_WRITE}:write_atomic", write_atomic)


@FAULTS.add
def oldest_checkpoint_is_removed_first(patch: Patch) -> None:
    """All checkpoints are removed before the new one is written."""

    def make(original):
        def save(self):
            for path in (self.path / "checkpoints").glob("*.ckpt"):
                path.unlink()
            return original(self)

        return save

    patch.replace("nncli.store.run_writer:RunWriter.save", make)


@FAULTS.add
def metrics_are_not_synced(patch: Patch) -> None:
    """A checkpoint counts on rows of metrics that are not durable."""
    patch.function(f"{APPEND_LOG}:AppendLog.sync", lambda self: None)


@FAULTS.add
def failed_fsync_of_metrics_is_ignored(patch: Patch) -> None:
    """An error of fsync is not reported."""

    def make(original):
        def sync(self):
            with suppress(StorageError):
                original(self)

        return sync

    patch.replace(f"{APPEND_LOG}:AppendLog.sync", make)


@FAULTS.add
def metrics_are_not_truncated(patch: Patch) -> None:
    """A resume keeps rows of metrics that follow its checkpoint."""
    patch.module(f"{APPEND_LOG}:os", ftruncate=lambda descriptor, size: None)


@FAULTS.add
def run_directory_is_published_before_it_is_synced(patch: Patch) -> None:
    """The directory gets its name before the names in it are durable."""

    def commit(directory, target):
        if target.exists():
            return False
        directory.rename(target)
        return True

    patch.function(f"{ATOMIC_WRITE}:commit", commit)


@FAULTS.add
def temporary_files_are_left_behind(patch: Patch) -> None:
    """A failed write leaves its temporary file."""

    def make(original):
        def unlink(self, missing_ok=False):
            if not self.name.startswith("."):
                original(self, missing_ok)

        return unlink

    patch.replace("pathlib:Path.unlink", make)


@FAULTS.add
def staging_directories_are_left_behind(patch: Patch) -> None:
    """A run directory that was never published is not removed."""
    patch.function(f"{ATOMIC_WRITE}:discard", lambda directory: None)


@FAULTS.add
def hard_links_are_required(patch: Patch) -> None:
    """There is no fallback for file systems without hard links."""

    def touch(self, mode=0o666, exist_ok=True):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    patch.function("pathlib:Path.touch", touch)


@FAULTS.add
def fsync_of_directories_is_required(patch: Patch) -> None:
    """A file system that cannot sync directories is a failure."""
    patch.value(f"{ATOMIC_WRITE}:NO_FSYNC", set())


@FAULTS.add
def storage_errors_are_swallowed(patch: Patch) -> None:
    """An OSError ends a block silently."""

    @contextmanager
    def storage_errors(path: Path, _problem: str = "") -> Iterator[None]:
        with suppress(OSError):
            yield

    patch.function(f"{SAFE_READ}:storage_errors", storage_errors)


@FAULTS.add
def storage_errors_are_not_translated(patch: Patch) -> None:
    """An OSError becomes no StorageError."""
    patch.function(f"{SAFE_READ}:storage_errors", lambda *_: nullcontext())


@FAULTS.add
def unreadable_files_count_as_damaged(patch: Patch) -> None:
    """An OSError becomes a RunError."""

    @contextmanager
    def storage_errors(path: Path, _problem: str = "") -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RunError(f"{path}: {error.strerror or error}") from error

    patch.function(f"{SAFE_READ}:storage_errors", storage_errors)


@FAULTS.add
def runs_are_not_locked(patch: Patch) -> None:
    """Two processes train in one run."""
    import fcntl

    def without_lock(descriptor, command, argument=0):
        return argument if command == fcntl.F_OFD_SETLK else fcntl.fcntl(descriptor, command, argument)

    patch.module(f"{LOCK}:fcntl", fcntl=without_lock)


@FAULTS.add
def failed_writes_are_not_examined(patch: Patch) -> None:
    """A run that was moved is reported as a failing disk."""
    patch.function(f"{LOCK}:Lock.moves_reported", lambda self, path: nullcontext())


@FAULTS.add
def sigterm_is_not_caught(patch: Patch) -> None:
    """SIGTERM ends the process at once."""
    patch.value("nncli.runner.signals:CAUGHT", (signal.SIGINT, signal.SIGHUP))


# Resuming -----------------------------------------------------------------------------------------------------------


@FAULTS.add
def run_is_resumed_from_the_oldest_checkpoint(patch: Patch) -> None:
    """The order of checkpoints is reversed."""
    patch.after(f"{RESUME}:checkpoints", lambda paths, *_: paths[::-1])


@FAULTS.add
def unreadable_checkpoint_is_skipped(patch: Patch) -> None:
    """A checkpoint that cannot be read counts as damaged."""

    def make(original):
        def read_valid(*arguments):
            try:
                return original(*arguments)
            except NncliError as error:
                raise RunError(str(error)) from error

        return read_valid

    patch.replace(f"{RESUME}:read_valid", make)


@FAULTS.add
def extension_writes_no_checkpoint(patch: Patch) -> None:
    """More epochs are recorded, and metrics truncated, without a checkpoint that agrees."""
    patch.function(f"{RESUME}:write_checkpoint", lambda *_: None)


def _before_the_checkpoint_of_an_extension(patch: Patch, act) -> None:
    """Call ``act(run, metrics_bytes)`` before an extension writes its checkpoint."""

    def make(original):
        def write_checkpoint(run, training, identity, metrics_bytes, metrics_sha256):
            act(run, metrics_bytes)
            original(run, training, identity, metrics_bytes, metrics_sha256)

        return write_checkpoint

    patch.replace(f"{RESUME}:write_checkpoint", make)


@FAULTS.add
def extension_truncates_metrics_first(patch: Patch) -> None:
    """metrics.csv is truncated before the checkpoint is written."""
    _before_the_checkpoint_of_an_extension(patch, lambda run, size: os.truncate(run / "metrics.csv", size))


@FAULTS.add
def extension_removes_the_evaluation_first(patch: Patch) -> None:
    """evaluation.json is removed before the checkpoint is written."""
    _before_the_checkpoint_of_an_extension(patch, lambda run, size: (run / "evaluation.json").unlink(missing_ok=True))


@FAULTS.add
def dropout_rng_is_not_restored(patch: Patch) -> None:
    """Dropout masks start again from the beginning of the epoch."""
    patch.function("nncli.experiment.rng:DerivedRngs.restore", lambda self, state: None)


@FAULTS.add
def order_of_rows_is_drawn_from_another_state(patch: Patch) -> None:
    """The order of an epoch in progress is drawn from the state within the epoch, not from that at its start."""

    def make(original):
        def restore(self, state):
            if state.batch:
                state = state.model_copy({"rng_at_epoch_start": state.rng})
            return original(self, state)

        return restore

    patch.replace(f"{TRAINER}.restore", make)


@FAULTS.add
def update_count_is_not_restored(patch: Patch) -> None:
    """The optimizer counts its updates from 0."""

    def disturb(_, trainer, *__):
        trainer.optimizer.updates = 0

    patch.after(f"{TRAINER}.restore", disturb)


@FAULTS.add
def optimizer_state_is_not_loaded_by_processes(patch: Patch) -> None:
    """Processes that divide the steps of a resumed training begin with the state of a new optimizer."""

    def load(shard):
        for whole, own in shard._views(shard._whole.values, shard.network.parameters.values):
            own[...] = whole

    patch.function("nncli.training.parallel_steps:_Shard.load", load)


@FAULTS.add
def workers_outlive_their_parent(patch: Patch) -> None:
    """A worker process sees the same parent for ever."""
    patch.module("nncli.processes:os", getppid=cache(os.getppid))


@FAULTS.add
def metrics_are_measured_again(patch: Patch) -> None:
    """An epoch that is logged already is logged again."""

    def disturb(_, trainer, *__):
        trainer.is_logged = False

    patch.after(f"{TRAINER}.restore", disturb)


@FAULTS.add
def best_epoch_is_not_restored(patch: Patch) -> None:
    """Early stopping starts again."""

    def disturb(_, trainer, *__):
        trainer.stopping.best = None

    patch.after(f"{TRAINER}.restore", disturb)


# Reading ------------------------------------------------------------------------------------------------------------


@FAULTS.add
def checkpoints_of_any_run_are_accepted(patch: Patch) -> None:
    """The identity in a checkpoint is not compared."""
    patch.after("nncli.store.run_checkpoints:unpack", lambda checkpoint, *_: checkpoint._replace(identity=None))


@FAULTS.add
def evaluations_of_any_run_are_accepted(patch: Patch) -> None:
    """The identity in evaluation.json is not compared."""
    patch.after(
        "nncli.store.run_files:parse_record",
        lambda record, value, model: (
            record.model_copy({"identity": None}) if model.__name__ == "EvaluationRecord" else None
        ),
    )


def _with_checksum(patch: Patch, compared: int) -> None:
    """Accept checkpoints whose checksum differs after its first ``compared`` bytes."""

    def make(original):
        def unpack(data):
            from nncli.store.checkpoint import DIGEST, MAGIC, VERSION

            first_line = MAGIC % VERSION
            start, end = len(first_line) + DIGEST, len(first_line) + compared
            digest = hashlib.sha256(first_line + data[start:]).digest()
            is_long = len(data) >= start and data.startswith(first_line)
            return original(data[:end] + digest[compared:] + data[start:] if is_long else data)

        return unpack

    patch.replace(f"{CHECKPOINT}:unpack", make)


@FAULTS.add
def checksum_of_checkpoints_is_not_compared(patch: Patch) -> None:
    """Any checksum is accepted."""
    _with_checksum(patch, 0)


@FAULTS.add
def last_byte_of_the_checksum_is_not_compared(patch: Patch) -> None:
    """A checksum with another last byte is accepted."""
    _with_checksum(patch, 31)


@FAULTS.add
def trailing_bytes_of_checkpoints_are_ignored(patch: Patch) -> None:
    """Bytes may follow the vectors."""

    def make(original):
        def vectors(records, data):
            return original(records, data[: _listed_bytes(records)])

        return vectors

    patch.replace(f"{CHECKPOINT}:_vectors", make)


@FAULTS.add
def sizes_in_checkpoints_are_trusted(patch: Patch) -> None:
    """Memory of the listed size is allocated before the size is compared with the file's."""

    def make(original):
        def vectors(records, data):
            import numpy as np

            assert np.ones(min(_listed_bytes(records), LARGE_ALLOCATION), np.uint8).all()
            return original(records, data)

        return vectors

    patch.replace(f"{CHECKPOINT}:_vectors", make)


def _listed_bytes(records) -> int:
    return sum(int(vector.dtype[-1]) * vector.length for vector in records)


@FAULTS.add
def invalid_records_in_checkpoints_are_not_caught(patch: Patch) -> None:
    """An error in a checkpoint's record is none that ``unpack`` reports."""

    def make(original):
        def parsed(*arguments):
            try:
                return original(*arguments)
            except ValueError as error:
                raise LookupError from error

        return parsed

    patch.replace(f"{CHECKPOINT}:parse_record", make)


def _open_without(patch: Patch, flag: int) -> None:
    """Open files of runs without a flag."""

    def open_(path, flags, *arguments, **options):
        return os.open(path, flags & ~flag, *arguments, **options)

    patch.module(f"{SAFE_READ}:os", open=open_)


@FAULTS.add
def symbolic_links_are_followed(patch: Patch) -> None:
    """A file of a run may be a link."""
    _open_without(patch, os.O_NOFOLLOW)


@FAULTS.add
def opening_a_pipe_blocks(patch: Patch) -> None:
    """A named pipe in place of a file is waited for."""
    _open_without(patch, os.O_NONBLOCK)


@FAULTS.add
def size_of_files_is_not_limited(patch: Patch) -> None:
    """A file of any size is read."""
    patch.replace(f"{SAFE_READ}:read", lambda original: lambda directory, name, most: original(directory, name, 2**62))


def _raise_context(patch: Patch, target: str, *kinds: type[BaseException]) -> None:
    """Let a function raise the error that it translates into a ValueError."""

    def make(original):
        def untranslated(*arguments):
            try:
                return original(*arguments)
            except ValueError as error:
                if isinstance(error.__context__, kinds):
                    raise error.__context__ from None
                raise

        return untranslated

    patch.replace(target, make)


@FAULTS.add
def errors_of_damaged_archives_are_not_caught(patch: Patch) -> None:
    """What zipfile raises leaves ``read_npz``."""
    from struct import error
    from zipfile import BadZipFile
    from zlib import error as zlib_error

    _raise_context(
        patch, "nncli.store.npz:read_npz", BadZipFile, error, zlib_error, OSError, EOFError, NotImplementedError
    )


@FAULTS.add
def depth_of_json_is_not_limited(patch: Patch) -> None:
    """A RecursionError leaves the JSON reader."""
    _raise_context(patch, "nncli.store.strict_json:load_strict_json", RecursionError)


@FAULTS.add
def checksum_of_weights_is_not_compared(patch: Patch) -> None:
    """weights.npz may have other bytes than evaluation.json says."""
    patch.function("nncli.store.run_weights:read_weights", lambda run, evaluation: run.read("weights.npz"))
    patch.function("zipfile:ZipExtFile._update_crc", lambda self, data: None)


@FAULTS.add
def control_characters_are_printed(patch: Patch) -> None:
    """Text is printed as it is."""
    patch.function("nncli.cli.output:sanitized", lambda text: text)


# Configs ------------------------------------------------------------------------------------------------------------


@FAULTS.add
def errors_of_the_yaml_parser_are_not_caught(patch: Patch) -> None:
    """A ValueError or OverflowError of PyYAML leaves the reader."""
    from nncli.config.document import DocumentError

    def make(original):
        def events(self):
            try:
                yield from original(self)
            except DocumentError as error:
                if isinstance(error.__context__, ValueError | OverflowError):
                    raise error.__context__ from None
                raise

        return events

    patch.replace("nncli.config.document:_Reader._parsed", make)


@FAULTS.add
def depth_of_configs_is_not_limited(patch: Patch) -> None:
    """Any depth of nesting is read."""
    patch.value("nncli.config.document:MAX_DEPTH", 10**9)


@FAULTS.add
def diagnostics_lack_the_column(patch: Patch) -> None:
    """The location of a diagnostic is file and line."""

    def without_column(text, diagnostic):
        place = diagnostic.place
        return text.replace(f"{place.source.name}:{place.line}:{place.column}", f"{place.source.name}:{place.line}", 1)

    patch.after("nncli.config.diagnostics:Diagnostic.__str__", without_column)


@FAULTS.add
def undefined_alias_is_looked_up(patch: Patch) -> None:
    """An alias without an anchor is a KeyError."""

    def make(original):
        def aliased(self, event, *arguments):
            assert self.anchors[event.anchor] is not None
            return original(self, event, *arguments)

        return aliased

    patch.replace("nncli.config.document:_Reader._aliased", make)


@FAULTS.add
def location_of_a_duplicate_key_is_lost(patch: Patch) -> None:
    """A duplicate key is a KeyError."""

    def disturb(_, reader, *__):
        if any("twice" in each.message or "duplicate" in each.message for each in reader.diagnostics):
            raise KeyError

    patch.after("nncli.config.document:_Reader._mapping", disturb)


@FAULTS.add
def data_leakage_is_not_checked(patch: Patch) -> None:
    """Splits may have rows in common."""
    patch.function("nncli.experiment.leakage:combinations", lambda *_: ())


@FAULTS.add
def snippets_are_not_sanitized(patch: Patch) -> None:
    """A snippet of a config is printed as it is."""
    patch.function("nncli.config.diagnostics:sanitized_line", lambda text: text)
