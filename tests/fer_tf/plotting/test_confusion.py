import numpy as np

from fer_tf import labels
from fer_tf.plotting.confusion import confusion_matrix
from tests.fer_tf.plotting.legible import assert_legible


def test_no_word_is_cut_off():
    counts = np.random.default_rng(0).integers(0, 9000, (8, 8))
    title = "a_model_of_a_long_name on rafdb"
    assert_legible(confusion_matrix(counts, list(labels.EXPRESSIONS), title=title))
