"""Tables of the benchmarks: medians with minimum and maximum, ratios by round, Markdown."""

from statistics import median


def markdown(heads, rows):
    """A table; all columns but the first are right-aligned."""
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows))


def figure(value):
    """A number with three significant digits, and at least its integer part."""
    decimals = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{decimals}f}"


def spread(values):
    """The median, with minimum and maximum in parentheses."""
    return f"{figure(median(values))} ({figure(min(values))}–{figure(max(values))})"


def column(rounds, name):
    """The measurements of one name, by round."""
    return [each[name] for each in rounds]


def ratios(rounds, one, other):
    """The ratio of one measurement to the other in each round."""
    return [each[one] / each[other] for each in rounds]
