"""The run directory on disk: formats, atomic writes, locks, safe reads."""
