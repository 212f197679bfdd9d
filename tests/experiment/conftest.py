"""The small config of the tests, resolved."""

import pytest

from nncli.experiment.loading import load


@pytest.fixture
def resolved(workdir):
    """Load the small config with overrides, resolved, and its data plan."""

    def load_resolved(*overrides):
        loaded = load(workdir / "config.yaml", overrides)
        return loaded.config, loaded.plan

    return load_resolved
