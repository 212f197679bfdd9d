"""What the benchmarks print: medians with the fastest and the slowest, ratios round by round, Markdown."""

from statistics import median


def markdown(heads, rows):
    """A table; numbers stand right, which all cells but a row's first are taken for."""
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows))


def figure(value):
    """A number with three digits that count, and not less than its whole."""
    decimals = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{decimals}f}"


def spread(values):
    """The median, and in brackets the lowest and the highest."""
    return f"{figure(median(values))} ({figure(min(values))}–{figure(max(values))})"


def column(rounds, name):
    """What one of those that took turns was measured with, round by round."""
    return [each[name] for each in rounds]


def ratios(rounds, one, other):
    """The ratio of one to the other in each round, in which they ran next to each other."""
    return [each[one] / each[other] for each in rounds]
