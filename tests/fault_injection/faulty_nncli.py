"""The command line with the fault of ``INJECTED_FAULT``: ``python -m tests.fault_injection.faulty_nncli train ...``."""

import runpy

if __name__ == "__main__":
    runpy.run_module("nncli", run_name="__main__", alter_sys=True)  # importing this package has applied the fault
