"""Errors of YAML syntax: the mistake is reported at its line, with what to write."""

import pytest

from nncli.config.diagnostics import SourceText
from nncli.config.document import DocumentError, read


@pytest.mark.parametrize(
    ("text", "location", "message"),
    [
        ("data: {name: a#b, size: [3}\n", (1, 27), "this '}' closes a '['; write ']'"),
        ("data: {size: 3,  # {[\n  type: 5]\n", (1, 7), "this '{' is not closed; write '}' at the end of its line"),
        (
            "layers:\n- {type: dense, units: [1, {2\nloss: x\n",
            (2, 28),
            "this '{' is not closed; write '}' at the end of its line",
        ),
        ("optimizer: type: adam, x: {a: 1}\n", (1, 16), "write optimizer: {type: adam, x: {a: 1}}"),
        ("optimizer: type: adam}\n", (1, 16), "write optimizer: {type: adam}"),
        (
            "layers:\n- type: dense\n   units: 3\n",
            (3, 4),
            "by 3 spaces, the keys of the item above begin by 2; indent them equally",
        ),
        ("data: spiral\n # next\n seed: 1\n", (3, 2), "by 1 space, the line above by 0; indent them equally"),
        ("layers:\n  - relu\n  softmax\nloss: mse\n", (3, 3), "write '- ' before an item of a list: - softmax"),
        ("layers:\n  - relu\nsoftmax\nloss: mse\n", (3, 8), "write ':' after 'softmax'"),
        ("epochs:3\nlog_every\nseed: 1\n", (1, 7), "write a space after ':': epochs: 3"),
        ("layers:\n  -relu\n\n  # next\n  units: 3\n", (2, 3), "write a space after '-': - relu"),
    ],
)
def test_mistake_is_reported_where_it_is(text, location, message):
    """Not where the parser gave up; comments and characters within words are no part of the structure."""
    with pytest.raises(DocumentError) as error:
        read(SourceText("", text))
    diagnostic = error.value.diagnostic
    assert (diagnostic.location.line, diagnostic.location.column) == location
    assert diagnostic.message.endswith(message)
