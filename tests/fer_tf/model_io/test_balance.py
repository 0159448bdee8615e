import numpy as np
import pytest
from scipy.special import softmax

from fer_tf import create_model
from fer_tf.model_io.balance import take_out_frequencies
from tests.fer_tf.model_io.test_temperature import SMALL


@pytest.mark.parametrize("name", SMALL)
def test_probabilities_are_those_of_bayes_under_even_frequencies(name):
    model = create_model(name, **SMALL[name])
    image = np.random.default_rng(0).uniform(0, 255, (2, *model.input_shape[1:]))
    before = {k: np.asarray(v) for k, v in model(image, training=False).items()}
    take_out_frequencies(model, [50, 20, 10, 5, 5, 5, 5], 1.0)
    after = {k: np.asarray(v) for k, v in model(image, training=False).items()}
    likelihoods = softmax(before["expression"], axis=1) / [10, 4, 2, 1, 1, 1, 1]
    np.testing.assert_allclose(
        softmax(after["expression"], axis=1),
        likelihoods / likelihoods.sum(axis=1, keepdims=True),
        rtol=1e-3,
        atol=1e-30,  # Below, float32 has few digits left.
    )
    for output in before.keys() - {"expression"}:
        np.testing.assert_allclose(after[output], before[output], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "counts, share, message",
    [
        ([1] * 7, 1.5, "within 0 and 1"),
        ([1] * 8, 0.5, "8 counts, of 8 examples, for 7 expressions"),
        ([0] * 7, 0.5, "7 counts, of 0 examples"),
    ],
)
def test_what_does_not_fit_is_refused(counts, share, message):
    model = create_model("small_resnet", **SMALL["small_resnet"])
    with pytest.raises(ValueError, match=message):
        take_out_frequencies(model, counts, share)
