"""The learning rate as a function of the number of updates."""


def inverse_time(learning_rate: float, decay: float, updates: int) -> float:
    """η / (1 + decay · t), with t = ``updates`` = 0 at the first update.

    Multiplied by the reciprocal, as the book does it, so that rates agree with its program to the last bit.

    Source: Kinsley and Kukieła 2020, chapter 10.
    """
    return learning_rate * (1 / (1 + decay * updates))
