"""The diagram of a comparison."""

from nncli.cli.render.compare import _print_curves
from nncli.cli.render.console import Output


def test_values_before_a_divergence_are_not_plotted(capsys):
    """They may be so large that the scale of the diagram would overflow; the run is in the legend nevertheless."""
    _print_curves(Output(), "loss", [("large", [0.0, 1.0], [1.0, 1.7e308]), ("tame", [0.0, 1.0], [1.0, 2.0])])
    assert capsys.readouterr().out.splitlines()[-1].split() == ["a", "large", "b", "tame"]
