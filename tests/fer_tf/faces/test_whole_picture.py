import dataclasses

import numpy as np
import pytest

from fer_tf.faces import CROP_SPECS, WholePicture, alignment


@pytest.mark.parametrize("name", ["meen", "wang2018", "zhang2020", "gan2020"])
@pytest.mark.parametrize("shape", [(48, 48), (300, 200), (31, 64)], ids=str)
def test_the_crop_is_that_of_prepare(name, shape):
    spec = dataclasses.replace(CROP_SPECS[name], size=48)
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    ((face,),) = WholePicture(spec).detect([image])
    found = alignment.align(image, face["landmarks"], spec)
    expected = alignment.whole(image, spec)
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).max() <= 1
    if shape == (48, 48) and spec.color == "rgb" and spec.channel_order == "rgb":
        np.testing.assert_array_equal(found, image)
    assert face["box"] == [0, 0, shape[1], shape[0]] and face["confidence"] == 1.0
