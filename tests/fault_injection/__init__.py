"""Harnesses that inject faults into nncli from outside; README.md explains them.

If the environment variable ``INJECTED_FAULT`` names one of ``injected_faults.py``, it is applied to each process that
imports this package, before anything else in it.
"""

import os

FAULT_VARIABLE = "INJECTED_FAULT"

if os.environ.get(FAULT_VARIABLE):
    from nncli.cli.main import SINGLE_THREAD_ENV

    os.environ.update(SINGLE_THREAD_ENV)  # before NumPy is imported
    from tests.fault_injection.injected_faults import FAULTS

    FAULTS.apply(os.environ[FAULT_VARIABLE])
