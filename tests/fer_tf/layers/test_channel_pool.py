import keras
import numpy as np

from fer_tf.layers.channel_pool import ChannelPool


def test_channel_pool_is_maximum_then_mean():
    x = np.array([[[[1, 2, 6]], [[-4, -5, -9]]]], "float32")
    np.testing.assert_allclose(ChannelPool()(x), [[[[6, 3]], [[-4, -6]]]])
    assert ChannelPool()(keras.Input((4, 5, 7))).shape == (None, 4, 5, 2)
