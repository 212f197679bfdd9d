"""Boolean columns."""

from math import nan

from nncli.config.diagnostics import shown
from nncli.data.columns.column import Column
from nncli.data.columns.summary import Summary, summary_of_numbers
from nncli.data.transforms.column_error import ColumnError
from nncli.data.transforms.moments import Array, is_constant
from nncli.data.transforms.state import State, require, validated_state
from nncli.registry import Model, register

PAIRS = (("true", "false"), ("yes", "no"), ("t", "f"), ("y", "n"))  # in any case
WORDS = {word: value for pair in (*PAIRS, ("1", "0")) for word, value in zip(pair, (1.0, 0.0), strict=True)}


class BooleanState(Model):
    """The state of a boolean column.

    Args:
        fill: the value for missing ones; None if there is none.
        constant: whether the inputs of all training rows are equal.
    """

    fill: float | None
    constant: bool


@register("boolean")
class Boolean(Column):
    """True and false: true/false, yes/no, t/f, y/n in any case, or 1/0.

        y = 1 if x is true, else 0

    Source: YAML 1.1 and SQL, whose words these are.
    """

    def value(self, text: str) -> float:
        """1 for true and 0 for false; NaN for another text."""
        return WORDS.get(text.lower(), nan)

    def explain(self, text: str) -> str:
        """Why a text is neither true nor false."""
        words = ", ".join("/".join(pair) for pair in PAIRS)
        return f"{shown(text)} is neither true nor false; write {words} or 1/0, or train with type: category"

    def constant(self, value: float | str | bool) -> float:
        """1 or 0."""
        if not isinstance(value, bool):
            raise ColumnError(f"the column holds true and false; write value: false, not {shown(value)}", "missing")
        return float(value)

    def measure(self, values: Array) -> bool:
        """Check whether all values are equal; nothing is fitted."""
        return is_constant(values)

    def encode(self, values: Array, out: Array) -> None:
        """y = x."""
        out[:, 0] = values

    def summary(self, values: Array) -> Summary:
        """The mean is the fraction of true values."""
        return summary_of_numbers(values)

    def state(self) -> State:
        """The value for missing ones."""
        return {"fill": self.fill, "constant": self.is_constant}

    def restore(self, state: State) -> None:
        """Restore the value for missing ones."""
        restored = validated_state(state, BooleanState)
        require(restored.fill is None or 0 <= restored.fill <= 1, "fill", "not from 0 to 1")
        self.restore_fill(restored.fill, restored.constant)
