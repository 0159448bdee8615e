import keras
import numpy as np
import pytest

from fer_tf.layers.padded_add import PaddedAdd


def test_the_smaller_of_each_side_goes_on_with_zeros():
    wide = np.arange(6, dtype="float32").reshape(1, 1, 3, 2)
    high = np.ones((1, 2, 1, 3), "float32")
    total = np.asarray(PaddedAdd()([wide, high]))
    np.testing.assert_array_equal(
        total[0],
        [[[1, 2, 1], [2, 3, 0], [4, 5, 0]], [[1, 1, 1], [0, 0, 0], [0, 0, 0]]],
    )


def test_its_shape_is_known_without_values():
    shapes = [(4, 5, 7), (5, 4, 3)]
    assert PaddedAdd()([keras.Input(s) for s in shapes]).shape == (None, 5, 5, 7)


@pytest.mark.parametrize("shapes", [[(4, 4, 1)], [(None, 4, 1), (4, 4, 1)]])
def test_other_inputs_are_refused(shapes):
    with pytest.raises(ValueError, match="two maps .* of static sizes. Received"):
        PaddedAdd()([keras.Input(shape) for shape in shapes])
