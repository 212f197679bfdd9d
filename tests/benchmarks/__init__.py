"""Timings and full-length trainings, none of which a test asserts; like nncli they compute on one thread."""

import tests.conftest  # noqa: F401 (sets the number of threads, which NumPy reads when it is imported)
