"""The error of a column whose parameters do not fit each other."""

from nncli.data.source import SourceError


class ColumnError(SourceError):
    """A column cannot be built as it is configured.

    Args:
        message: the reason, with a fix.
        key: the parameter that causes the error.
    """
