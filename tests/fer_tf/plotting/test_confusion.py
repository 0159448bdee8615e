import numpy as np
from matplotlib.colors import to_hex

from fer_tf import labels
from fer_tf.plotting.confusion import confusion_matrix
from tests.fer_tf.plotting.legible import assert_legible, contrast


def test_no_word_is_cut_off():
    counts = np.random.default_rng(0).integers(0, 9000, (8, 8))
    title = "a_model_of_a_long_name on rafdb"
    assert_legible(confusion_matrix(counts, list(labels.EXPRESSIONS), title=title))


def test_every_number_can_be_read_on_the_colour_of_its_cell():
    rates = np.linspace(0, 1, 100).reshape(10, 10)
    figure = confusion_matrix(rates, list("abcdefghij"), rates=True)
    (image,) = figure.axes[0].images
    colors = image.to_rgba(image.get_array()).reshape(-1, 4)
    texts = figure.axes[0].texts
    assert len(texts) == 100
    for text, cell in zip(texts, colors):
        assert contrast(text.get_color(), to_hex(cell)) >= 4.5, text.get_text()
