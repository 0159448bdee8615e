import numpy as np
import pytest

from fer_tf import labels
from fer_tf.circumplex import NORMS, circumplex


def test_norms_are_those_of_russell_and_mehrabian_for_every_word_but_contempt():
    assert set(NORMS) == set(labels.EXPRESSIONS) - {"contempt"}
    assert NORMS["happiness"] == (0.81, 0.51) and NORMS["neutral"] == (0, 0)


def test_the_mean_of_the_norms_by_hand():
    # Half happiness, a quarter each of sadness and neutral.
    shares = [1, 2, 1, 0, 0, 0, 0, 0]
    wanted = [0.5 * 0.81 - 0.25 * 0.63, 0.5 * 0.51 - 0.25 * 0.27]
    np.testing.assert_allclose(circumplex(shares), wanted)


def test_what_has_no_norms_is_left_out_whatever_its_share():
    names = ("anger", "contempt", "NF")
    both = circumplex([[1, 9, 5], [1, 0, 0]], names)
    np.testing.assert_allclose(both, [NORMS["anger"]] * 2)
    assert np.isnan(circumplex([0, 3, 1], names)).all()


def test_columns_without_names_are_refused():
    with pytest.raises(ValueError, match="a column for each"):
        circumplex([0.5, 0.5])
