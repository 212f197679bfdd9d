"""The preprocessing of a run, read from preprocessing.json."""

import hashlib
from typing import TYPE_CHECKING

from nncli.errors import RunError
from nncli.store.records import from_json
from nncli.store.run_files import PREPROCESSING, RunFiles

if TYPE_CHECKING:
    from nncli.data.fitted_preprocessing import FittedPreprocessing
    from nncli.data.source import Source


def read_preprocessing(run: RunFiles) -> "FittedPreprocessing | None":
    """The preprocessing that was fitted to the training rows; None if its data was not read from a file.

    Raises:
        RunError: the file is missing or damaged.
        UnsupportedVersionError: a newer version wrote it.
    """
    recorded, path = run.record.preprocessing, run.path / PREPROCESSING
    if recorded is None:
        return None
    content = run.read(PREPROCESSING)
    if hashlib.sha256(content).hexdigest() != recorded.sha256:
        raise RunError(f"{path}: damaged: checksum mismatch with run.json")
    try:
        source: Source = run.record.spec.data.build()
        return source.restore_preprocessing(from_json(content))
    except ValueError as error:
        raise RunError(f"{path}: damaged: {error}") from None
