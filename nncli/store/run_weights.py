"""The weights of a run: those in weights.npz after training, and those of a checkpoint before."""

import hashlib
from shlex import quote

import numpy as np

from nncli.errors import RunError, UnsupportedVersionError
from nncli.nn.parameters import Array, Parameters
from nncli.store import safe_read as files
from nncli.store import size_limits as limits
from nncli.store.checkpoint import Checkpoint, checkpoints
from nncli.store.npz import WEIGHTS_FORMAT, Signature, read_npz, require_same_arrays, signatures
from nncli.store.records import EvaluationRecord, require_format
from nncli.store.run_files import RunFiles, how_to_write_again


def require_parameters(run: RunFiles) -> None:
    """Compare the parameters in run.json with file sizes, before arrays of their size are allocated.

    Raises:
        RunError: neither weights.npz nor a checkpoint is large enough.
    """
    needed = limits.parameter_bytes(run.record.spec, run.record.parameters)
    if all(files.size(path) < needed for path in (run.path / "weights.npz", *checkpoints(run.path))):
        sizes = f"neither weights.npz nor a checkpoint has the {needed:,} bytes of its parameters"
        raise RunError(f"{run.path}: {sizes}; train it again: nncli train {quote(str(run.path))}")


def read_weights(run: RunFiles, evaluation: EvaluationRecord) -> bytes:
    """The bytes of weights.npz.

    Raises:
        RunError: their checksum is not the one in evaluation.json.
        UnsupportedVersionError: they have a newer format version.
    """
    path = run.path / "weights.npz"
    try:
        require_format(run.record.file_format("weights.npz"), WEIGHTS_FORMAT)
    except UnsupportedVersionError as error:
        raise UnsupportedVersionError(f"{path}: {error}") from None
    data = run.read("weights.npz")
    if len(data) != evaluation.weights.bytes or hashlib.sha256(data).hexdigest() != evaluation.weights.sha256:
        fix = how_to_write_again(run.path)
        raise RunError(f"{path}: damaged: checksum mismatch with evaluation.json{fix}")
    return data


def expected_arrays(run: RunFiles) -> dict[str, Signature]:
    """The shape and the dtype of each array that run.json lists."""
    return {each.name: (tuple(each.shape), each.dtype) for each in run.record.parameters}


def read_arrays(run: RunFiles, evaluation: EvaluationRecord) -> dict[str, Array]:
    """The arrays in weights.npz, which are those that run.json lists.

    Raises:
        RunError, UnsupportedVersionError: as for ``read_weights``.
        RunError: the file has other arrays.
    """
    try:
        return read_npz(read_weights(run, evaluation), expected_arrays(run))
    except ValueError as error:
        raise RunError(f"{run.path / 'weights.npz'}: damaged: {error}") from None


def load_final_weights(run: RunFiles, evaluation: EvaluationRecord, parameters: Parameters) -> None:
    """Copy the weights in weights.npz into ``parameters``.

    Raises:
        RunError, UnsupportedVersionError: as for ``read_arrays``; RunError also if they do not fit the parameters.
    """
    arrays, views = read_arrays(run, evaluation), parameters.views(parameters.values)
    try:
        require_same_arrays(signatures(arrays), signatures(views))
    except ValueError as error:
        raise RunError(f"{run.path / 'weights.npz'}: damaged: {error}") from None
    for name, view in views.items():
        view[...] = arrays[name]


def load_checkpoint_weights(run: RunFiles, checkpoint: Checkpoint, parameters: Parameters) -> None:
    """Copy the weights of a checkpoint into ``parameters``.

    Raises:
        RunError: they do not fit.
    """
    saved = {"values": checkpoint.state.vectors.get("values", np.empty(0))}
    try:
        require_same_arrays(signatures(saved), signatures({"values": parameters.values}))
    except ValueError as error:
        raise RunError(f"{run.path}: {error}") from None
    parameters.values[...] = saved["values"]
