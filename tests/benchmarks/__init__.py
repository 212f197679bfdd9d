"""Timings and full-length trainings, none of which a test asserts; they use one thread by default.

Only ``os`` is imported here, because this module is part of every process that is measured.
"""

import os

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

for _variable in THREADS:  # NumPy reads them when it is imported
    os.environ.setdefault(_variable, "1")
