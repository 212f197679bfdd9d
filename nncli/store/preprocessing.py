"""The preprocessing of a run, read from preprocessing.json."""

import hashlib
from typing import TYPE_CHECKING

from nncli.errors import RunError
from nncli.store.records import from_json
from nncli.store.run_files import PREPROCESSING, RunFiles

if TYPE_CHECKING:
    from nncli.data.preprocessing import Preprocessing


def read_preprocessing(run: RunFiles) -> "Preprocessing | None":
    """The preprocessing that was fitted to the training rows; None if the data of the run is no table.

    Raises:
        RunError: the file is missing or damaged.
        UnsupportedVersionError: a newer version wrote it.
    """
    recorded, path = run.record.preprocessing, run.path / PREPROCESSING
    if recorded is None:
        return None

    from nncli.data.preprocessing import Preprocessing

    content = run.read(PREPROCESSING)
    if hashlib.sha256(content).hexdigest() != recorded.sha256:
        raise RunError(f"{path}: damaged: checksum mismatch with run.json")
    columns = {name: each.build() for name, each in vars(run.record.spec.data)["columns"].items()}
    try:
        return Preprocessing.restore(columns, from_json(content))
    except ValueError as error:
        raise RunError(f"{path}: damaged: {error}") from None
