"""Strided 1x1 convolutions, which TensorFlow's own end the process at."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from fer_tf.models.pytorch_layers import conv1x1
from fer_tf.models.residual import conv_bn

# In a process of its own, which the fault would end.
_GRADIENT = """
import keras, tensorflow as tf
from fer_tf.models.pytorch_layers import conv1x1
image = keras.Input((32, 32, 8))
model = keras.Model(image, conv1x1(image, 16, name="c", strides=2))
for _ in range(20):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(tf.random.uniform((3, 32, 32, 8))) ** 2)
    tape.gradient(loss, model.trainable_variables)
print("ended")
"""


MAKERS = [
    lambda x: conv1x1(x, 3, name="c", strides=2),
    lambda x: conv_bn(x, 3, 1, name="c", strides=2, relu=False),
]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("side", [8, 9])
def test_it_is_a_matrix_at_every_second_pixel(make, side):
    image = keras.Input((side, side, 5))
    model = keras.Model(image, make(image))
    x = np.random.default_rng(0).normal(size=(2, side, side, 5)).astype(np.float32)
    kernel = np.asarray(model.get_layer("c").kernel)[0, 0]
    # An untrained normalisation divides by the root of 1 + 1e-5.
    expected = x[:, ::2, ::2] @ kernel
    np.testing.assert_allclose(model(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_its_gradient_ends_no_process():
    ran = subprocess.run([sys.executable, "-c", _GRADIENT], capture_output=True)
    assert ran.stdout.split() == [b"ended"], ran.stderr[-500:]
