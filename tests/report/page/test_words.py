"""Lists in sentences."""

from nncli.report.page.words import listed


def test_long_list_says_how_many_more_there_are():
    """A list of just as many as may be is whole."""
    assert listed(["a", "b", "c"], 3) == "a, b and c"
    assert listed(["a", "b", "c", "d", "e"], 3) == "a, b, c and 2 more"
    assert (listed(["a"]), listed([])) == ("a", "")
