"""Colors of classes and values."""

import numpy as np

from nncli.report.colors import class_colors, rgb, strength, viridis


def test_color_has_red_green_and_blue_in_this_order():
    """Two digits each."""
    assert rgb("#56b4e9").tolist() == [0x56, 0xB4, 0xE9]


def test_classes_have_the_colors_of_okabe_and_ito():
    """Sky blue, orange, green, purple, vermilion, yellow and blue, as published; then again from the first one."""
    published = [
        [86, 180, 233],
        [230, 159, 0],
        [0, 158, 115],
        [204, 121, 167],
        [213, 94, 0],
        [240, 228, 66],
        [0, 114, 178],
    ]
    assert class_colors(9).tolist() == [*published, *published[:2]]


def test_values_go_from_dark_violet_to_yellow():
    """Both ends and the middle of viridis; the colors get lighter all the way."""
    assert viridis(np.array([0, 0.5, 1])).tolist() == [[68, 1, 84], [33, 145, 140], [253, 231, 37]]
    lightness = viridis(np.linspace(0, 1, 17)) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) > 0).all()


def test_strength_is_0_for_equal_probabilities_and_1_for_certain_ones():
    """Linear in between, for any number of classes."""
    found = strength(np.array([[0.25, 0.25, 0.25, 0.25], [0, 1, 0, 0], [0.625, 0.125, 0.125, 0.125]]))
    assert found.tolist() == [0, 1, 0.5]
    assert strength(np.array([[0.75, 0.25]])).tolist() == [0.5]
