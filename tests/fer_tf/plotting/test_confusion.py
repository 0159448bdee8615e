import numpy as np
import pytest
from matplotlib.colors import to_rgb

from fer_tf import labels
from fer_tf.plotting.confusion import confusion_matrix
from tests.fer_tf.plotting.legible import assert_legible


def test_no_word_is_cut_off():
    counts = np.random.default_rng(0).integers(0, 9000, (8, 8))
    title = "a_model_of_a_long_name on rafdb"
    assert_legible(confusion_matrix(counts, list(labels.EXPRESSIONS), title=title))


def contrast(one, other):
    """Of two RGB colours in 0..1, from 1 to 21: WCAG 2.2, "contrast ratio"."""

    def light(color):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
                  for c in color]  # fmt: skip
        return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_number_can_be_read_on_the_colour_of_its_cell():
    assert contrast((1, 1, 1), (0, 0, 0)) == pytest.approx(21)
    # A known value: the lightest grey that suffices on white.
    assert 4.5 < contrast((1, 1, 1), to_rgb("#767676")) < 4.6
    rates = np.linspace(0, 1, 100).reshape(10, 10)
    figure = confusion_matrix(rates, list("abcdefghij"), rates=True)
    (image,) = figure.axes[0].images
    colors = image.to_rgba(image.get_array())[..., :3].reshape(-1, 3)
    texts = figure.axes[0].texts
    assert len(texts) == 100
    for text, cell in zip(texts, colors):
        assert contrast(to_rgb(text.get_color()), cell) >= 4.5, text.get_text()
