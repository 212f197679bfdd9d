"""What an export did with a run."""

from enum import StrEnum


class Change(StrEnum):
    """Whether a run is new in the target, was changed there, or was there already."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
