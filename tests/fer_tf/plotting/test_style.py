import itertools

import pytest

from fer_tf.plotting.style import COLORS, ink_on, luminance
from tests.fer_tf.plotting.legible import contrast


def test_luminance_of_known_colours():
    """Of mid grey and of pure red, from the definition: 0.2158605 and 0.2126."""
    assert luminance("#808080") == pytest.approx(0.2158605, abs=1e-6)
    assert luminance("#ff0000") == pytest.approx(0.2126)


def test_ink_can_be_read_on_every_colour():
    channels = ("00", "33", "5f", "76", "8c", "b0", "ff")
    every = ["#" + "".join(c) for c in itertools.product(channels, repeat=3)]
    assert min(contrast(c, ink_on(c)) for c in [*every, *COLORS.values()]) >= 4.5
