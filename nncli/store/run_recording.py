"""What a run has recorded while it was trained, read as untrusted input: snapshots.npz and health.csv."""

from collections.abc import Collection, Mapping

from nncli.errors import CommandLineError, RunError, UnsupportedVersionError
from nncli.nn.parameters import Array, Parameters
from nncli.store import health_csv, snapshots
from nncli.store.health_csv import Health
from nncli.store.npz import require_same_arrays, signatures
from nncli.store.records import FORMATS, HEALTH, SNAPSHOTS, require_format
from nncli.store.run_files import RunFiles
from nncli.store.run_weights import expected_arrays
from nncli.training.health import health_columns

LISTED = 4  # epochs that a message lists


def read_health(run: RunFiles, inputs: int) -> Health:
    """The rows of health.csv before the first invalid one; none of a run of nncli before 0.9.

    Args:
        run: the run.
        inputs: the number of inputs of its network.

    Raises:
        RunError: the file is missing, or its first line is damaged.
        UnsupportedVersionError: a newer version of nncli wrote it.
    """
    columns = health_columns([layer.build() for layer in run.record.spec.layers], inputs)
    data = _read(run, HEALTH) if run.record.has_health else health_csv.header(columns)
    try:
        return health_csv.parse(data, columns, run.record.spec.training.epochs)
    except ValueError as error:
        raise RunError(f"{run.path / HEALTH}: damaged: {error}") from None


def read_snapshots(run: RunFiles) -> dict[int, dict[str, Array]]:
    """The weights in snapshots.npz by epoch, and then by name.

    Raises:
        RunError: the file is missing or damaged.
        UnsupportedVersionError: a newer version of nncli wrote it.
    """
    training = run.record.spec.training
    data = _read(run, SNAPSHOTS)
    try:
        return snapshots.parse(data, expected_arrays(run), training.snapshots or 0, training.epochs)
    except ValueError as error:
        raise RunError(f"{run.path / SNAPSHOTS}: damaged: {error}") from None


def require_epoch(run: RunFiles, weights: Collection[int], epoch: int) -> None:
    """Require that there are weights of an epoch.

    Raises:
        CommandLineError: there are none; the message lists the nearest epochs.
    """
    if epoch not in weights:
        nearest = sorted(sorted(weights, key=lambda each: abs(each - epoch))[:LISTED])
        fix = f"the nearest are those of {', '.join(map(str, nearest))}" if nearest else "it has no snapshots"
        raise CommandLineError(f"{run.path}: has no weights of epoch {epoch}; {fix}")


def load_snapshot(
    run: RunFiles, weights: Mapping[int, Mapping[str, Array]], epoch: int, parameters: Parameters
) -> None:
    """Copy the weights of one epoch into ``parameters``.

    Raises:
        CommandLineError: there are none of this epoch.
        RunError: they do not fit the parameters.
    """
    require_epoch(run, weights, epoch)
    arrays, views = weights[epoch], parameters.views(parameters.values)
    try:
        require_same_arrays(signatures(arrays), signatures(views))
    except ValueError as error:
        raise RunError(f"{run.path / SNAPSHOTS}: damaged: {error}") from None
    for name, view in views.items():
        view[...] = arrays[name]


def _read(run: RunFiles, name: str) -> bytes:
    try:
        require_format(run.record.file_format(name), FORMATS[name])
    except UnsupportedVersionError as error:
        raise UnsupportedVersionError(f"{run.path / name}: {error}") from None
    return run.read(name)
