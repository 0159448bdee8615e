"""The crop spec's copy of the synthetic template, which it may not import."""

import numpy as np

from data_pipelines import synthetic
from fer_tf.faces.crop_spec import CROP_SPECS


def test_the_synthetic_crop_is_framed_like_the_synthetic_faces():
    spec = CROP_SPECS["synthetic"]
    np.testing.assert_allclose(spec.template, synthetic.template(), atol=1e-6)
