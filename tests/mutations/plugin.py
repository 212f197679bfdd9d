"""A pytest plugin that applies one mutation: ``MUTATION=... python -m pytest -p tests.mutations.plugin``.

``MUTATION`` is the name of a mutation of ``network.py``, or "none" for the control: every function that a mutation
replaces is wrapped, and does what it did.
"""

import os

ENVIRONMENT_VARIABLE = "MUTATION"
CONTROL = "none"


def pytest_configure() -> None:
    """Apply the mutation after ``conftest.py`` has limited the threads of BLAS, and before tests are imported."""
    from tests.mutations.network import MUTATIONS
    from tests.mutations.patching import TransparentPatch

    name = os.environ[ENVIRONMENT_VARIABLE]
    if name != CONTROL:
        MUTATIONS.apply(name)
        return
    for mutation in MUTATIONS.values():
        mutation(TransparentPatch())
