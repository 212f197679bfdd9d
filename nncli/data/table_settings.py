"""What a config says about a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple


class TableSettings(NamedTuple):
    """The keys of the source ``table``, which documents them; ``targets`` has one or several columns."""

    path: Path
    targets: Sequence[str]
    columns: Mapping[str, Any]
    ignored: Sequence[str]
    id: str | None
    missing_values: Sequence[str] | None
    encoding: str | None
    delimiter: str | None
    header: Sequence[str] | None
    sample_weight: str | None
    class_weights: Literal["balanced"] | Mapping[str, float] | None
