import keras
import numpy as np
import pytest

from fer_tf import create_model
from fer_tf.model_io.temperature import divide_logits

SMALL = {
    "small_resnet": dict(width=0.125, blocks=1),
    "two_att_two_mt": dict(width=0.125),
    "mtanet_senet50": dict(input_shape=(32, 32, 3), width=0.125),
    "gan_man": dict(input_shape=(96, 96, 3), width=0.0625),
}


@pytest.mark.parametrize("name", SMALL)
def test_only_the_expression_is_divided(name):
    keras.utils.set_random_seed(0)
    model = create_model(name, **SMALL[name])
    image = np.random.default_rng(0).uniform(0, 255, (2, *model.input_shape[1:]))
    before = {k: np.asarray(v) for k, v in model(image, training=False).items()}
    divide_logits(model, 1.6)
    for output, value in model(image, training=False).items():
        expected = before[output] / (1.6 if output == "expression" else 1)
        np.testing.assert_allclose(
            # Of float32's digits: logits of this start are as large as 40.
            value,
            expected,
            rtol=1e-5,
            atol=1e-6 * np.abs(expected).max(),
            err_msg=output,
        )


def test_a_model_without_expressions_is_refused():
    with pytest.raises(ValueError, match="names no expressions"):
        divide_logits(create_model("face_network", width=0.125), 2.0)
