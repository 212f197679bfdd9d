"""The network of a spec, its backward held against central differences on its own data."""

from pathlib import Path

import numpy as np

from nncli.errors import GateError
from nncli.nn.gradcheck import GradientCheck, Slopes, gradcheck
from nncli.run.assembly import assemble
from nncli.run.evaluation import examples, quiet
from nncli.run.loading import load

TOLERANCE = 1e-6


@quiet
def check_gradients(config: Path, overrides: tuple[str, ...], rows: int, entries: int) -> GradientCheck:
    """The gradients at the first weights of a config, in double precision.

    Args:
        config: a spec.
        overrides: values to be replaced in it.
        rows: how many rows of the training set to use at most, picked by the spec's seed; as many as a layer needs.
        entries: how many entries of each array to compare at most, picked likewise.

    Raises:
        GateError: no row is left on which the two could be compared, or the loss or a gradient is not finite.
    """
    loaded = load(config, overrides)
    experiment = assemble(loaded.spec.model_copy(update={"dtype": "float64"}))
    network, seed = experiment.network, loaded.spec.seed
    part, rng = examples(experiment.data["training"], network), np.random.default_rng(seed)
    fewest = max(layer.fewest_rows for layer in network.layers)
    chosen = np.sort(rng.permutation(len(part.inputs))[: max(rows, fewest)])
    inputs, targets = (np.asfortranarray(each[chosen]) for each in (part.inputs, part.encoded))
    try:
        return gradcheck(Slopes(network, inputs, targets, lambda: np.random.default_rng(seed)), entries, rng)
    except ValueError as error:
        raise GateError(f"{config}: the gradients cannot be compared: {error}") from None
