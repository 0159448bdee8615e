import numpy as np
import pytest

from fer_tf import explain
from fer_tf.models import MODELS, create_model

SMALL = {
    "two_att_two_mt": {"input_shape": (32, 32, 1)},
    "mtanet": {"input_shape": (32, 32, 3), "backbone": "resnext50_cbam"},
    "gan_vgg16": {"input_shape": (32, 32, 3), "squeeze_excitation": True},
    "gan_man": {"input_shape": (96, 96, 3)},
    "gan_rasnet": {"input_shape": (96, 96, 3)},
}


def images(model, count=2):
    shape = model.get_layer("image").output.shape[1:]
    return np.random.default_rng(0).uniform(0, 255, (count, *shape)).astype("float32")


@pytest.mark.parametrize(
    "name, shapes",
    [
        (
            "two_att_two_mt",
            {
                "attention1_mask": (16, 16, 8),
                "attention2_mask": (8, 8, 24),
                "level_attention": (3, 3),
            },
        ),
        ("gan_man", {"region_masks": (6, 6, 8), "region_weights": (8,)}),
        ("gan_rasnet", {"region_masks": (6, 6, 8)}),
        ("gan_vgg16", {}),
        ("face_network", {}),
        (
            "meen_model1_average",
            {
                "block4_face": (5, 5, 64),
                "face_features": (5, 5, 1),
                "attention_map": (44, 44, 1),
            },
        ),
        (
            "meen_model3_combination",
            {
                "block3_face": (11, 11, 32),
                "block4_face": (5, 5, 64),
                "block5_face": (2, 2, 64),
                "attention_block3": (11, 11, 1),
                "attention_block4": (5, 5, 1),
                "attention_block5": (2, 2, 1),
                "tap_weights": (3,),
            },
        ),
    ],
)
def test_attention(name, shapes):
    model = create_model(
        name, width=1 / 8, **SMALL.get(MODELS[name].builder.__name__, {})
    )
    got = explain.attention(model, images(model))
    assert {k: v.shape for k, v in got.items()} == {
        k: (2, *shape) for k, shape in shapes.items()
    }
    for key, value in got.items():
        assert value.min() >= 0
        assert value.max() <= 1 or "face" in key or key == "attention_map"
        if key in ("level_attention", "region_weights", "tap_weights"):
            np.testing.assert_allclose(value.sum(-1), 1, atol=1e-5)
        if key.startswith("attention_block"):
            np.testing.assert_allclose(value.sum((1, 2)), 1, atol=1e-5)
