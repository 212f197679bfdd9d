"""A resolved config and the summary of its network in the terminal."""

from nncli.cli.render.show import show_summary


def test_keys_that_are_null_are_left_out(capsys):
    """Those of a component in a list too."""
    spec = {"schedule": None, "layers": [{"type": "dense", "l1": None, "units": 3}], "seed": 0}
    layer = {"type": "dense", "outputs": 3, "parameters": 9, "multiply_adds": 6}
    sums = dict.fromkeys(("parameters", "memory_bytes", "multiply_adds_a_step", "rows_a_step"), 0)
    show_summary({"spec": spec, "layers": [layer], **sums})
    text = capsys.readouterr().out.partition("\n\n")[0]
    assert text.splitlines() == ["layers:", "- {type: dense, units: 3}", "seed: 0"]
