"""What to change in a config whose training overflowed."""

import pytest

from nncli.experiment.assembly import assemble
from nncli.experiment.loading import load
from nncli.training.suggestions import suggestion


@pytest.mark.parametrize(
    ("rate", "clipping", "text"),
    [
        (10, "null", "write learning_rate: 1 or clipping: {type: norm, limit: 1}"),
        (10, "{type: norm, limit: 5}", "write learning_rate: 1"),
        (11, "null", "write learning_rate: 1"),
    ],
)
def test_clipping_is_suggested_if_it_may_help(workdir, rate, clipping, text):
    """With a huge learning rate a step is too large after clipping, too."""
    changes = (f"optimizer={{type: sgd, learning_rate: {rate}}}", f"clipping={clipping}")
    experiment = assemble(load(workdir / "config.yaml", changes).config)
    experiment.optimizer.updates = 1
    assert suggestion(experiment) == text
