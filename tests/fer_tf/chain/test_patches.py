import numpy as np
import pytest
import tensorflow as tf

from fer_tf.chain.patches import patches


@pytest.mark.parametrize("shape", [(40, 57), (1, 9), (300, 211)])
@pytest.mark.parametrize("size", [24, 48])
def test_the_samples_of_tensorflow(shape, size):
    """Boxes within, across and beyond the rim, and turned round."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    boxes = rng.uniform(-0.4, 1.4, (60, 4)).astype(np.float32)
    boxes[:4] = (0, 0, 1, 1), (2, 2, 3, 3), (0.5, 0.5, 0.5, 0.5), (0, 0, 0, 0)
    expected = tf.raw_ops.CropAndResize(
        image=image[None], boxes=boxes, box_ind=np.zeros(60, np.int32),
        crop_size=(size, size), extrapolation_value=127.5,
    ).numpy()  # fmt: skip
    found = patches(image, boxes, size)
    assert found.dtype == np.float32 and found.shape == (60, size, size, 3)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)
    assert (found == 127.5).mean() > 0.2  # Outside.
