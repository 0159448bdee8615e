"""Region and channel attention of several regions, fused by weights."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="fer_tf")
class RegionAttention(keras.layers.Layer):
    """Hybrid attention branch of Gan et al.: Eq. 5 for each region, Eq. 6.

    For region `r`, `t_r = (V * M_r) W_r + b_r` is a 1x1 convolution of the
    features inside the mask, an SE block gives its channels the gates
    `e_r = sigmoid(relu(mean(t_r) A_r + a_r) B_r + c_r)`, and the output is
    `F = sum_r q_r * e_r * t_r`.

    The order of computation saves time. A mask is one number per pixel, so it
    commutes with a 1x1 convolution, and the mean over pixels with both:
    `mean(t_r) = mean(V * M_r) W_r + b_r`. The gates are therefore known from
    one small product before any feature map exists, and
    `F = sum_r (V W_r) * M_r * (q_r e_r) + sum_r q_r e_r b_r` needs neither the
    masked nor the rescaled maps. One product per region, because a single one of
    8 x 512 channels keeps a map of 4,096 channels.

    Images per second of this layer at 14 x 14 x 512, batch 8, two CPU cores, in
    the paper's order -> in this one: XLA training 7 -> 21, prediction 44 -> 49; as a
    graph 56 -> 65 and 135 -> 122.

    Args:
        reduction: Channels over hidden units of each SE block.

    Call arguments:
        inputs: Tuple of
            features `V`: `(batch, height, width, channels)`;
            masks `M`: `(batch, height, width, regions)`, in [0, 1];
            weights `q`: `(batch, regions)`, non-negative, sum 1.

    Returns:
        `F`, of the shape of the features.

    Reference:
        - [Gan et al., 2020](https://doi.org/10.1109/ACCESS.2020.2963913),
          Sec. III-B, Eqs. 5-6.

    Example:
        >>> features, masks = ops.ones((2, 14, 14, 32)), ops.ones((2, 14, 14, 8))
        >>> weights = ops.full((2, 8), 1 / 8)
        >>> RegionAttention()((features, masks, weights)).shape
        TensorShape([2, 14, 14, 32])
    """

    def __init__(self, reduction=16, **kwargs):
        super().__init__(**kwargs)
        self.reduction = reduction
        # A layer of its own, so that guided back-propagation finds it.
        self.rectify = keras.layers.ReLU(dtype=self.dtype_policy)

    def build(self, input_shape):
        features, masks, _ = input_shape
        channels, regions = features[-1], masks[-1]
        hidden = max(1, channels // self.reduction)
        self.pixels = features[1] * features[2]
        # Keras counts the leading axis into the fan-in; `scale=regions` takes
        # it out again, which leaves Caffe's "xavier": U(+-sqrt(3 / inputs)).
        xavier = lambda: keras.initializers.VarianceScaling(
            scale=regions, mode="fan_in", distribution="uniform"
        )

        def dense(name, inputs, units):
            kernel = self.add_weight(
                name=f"{name}_kernel",
                shape=(regions, inputs, units),
                initializer=xavier(),
            )
            bias = self.add_weight(
                name=f"{name}_bias", shape=(regions, units), initializer="zeros"
            )
            return kernel, bias

        self.buffer = dense("buffer", channels, channels)
        self.reduce = dense("reduce", channels, hidden)
        self.expand = dense("expand", hidden, channels)

    def call(self, inputs):
        features, masks, weights = inputs
        shape = ops.shape(features)
        v = ops.reshape(features, (-1, self.pixels, features.shape[-1]))
        m = ops.reshape(masks, (-1, self.pixels, masks.shape[-1]))
        kernel, bias = self.buffer
        weights = ops.cast(ops.expand_dims(weights, -1), "float32")
        gates = ops.cast(self._gates(v, m) * weights, v.dtype)  # q_r e_r
        # (batch, 1, channels): the bias also acts outside the mask.
        fused = ops.sum(gates * bias, axis=1, keepdims=True)
        for r in range(m.shape[-1]):
            local = ops.matmul(v, kernel[r]) * m[:, :, r : r + 1]
            fused = fused + local * gates[:, r : r + 1]
        return ops.reshape(fused, shape)

    def _gates(self, v, m):
        """Channel gates `e`, float32 `(batch, regions, channels)`."""
        # Divided before the sum: 196 large activations overflow a float16.
        pooled = ops.matmul(ops.transpose(m / self.pixels, (0, 2, 1)), v)
        x = ops.transpose(pooled, (1, 0, 2))  # (regions, batch, channels)
        x = self._per_region(x, self.buffer)
        x = self.rectify(self._per_region(x, self.reduce))
        # float32: half precision would round a gate near 1 to 1.
        x = ops.sigmoid(ops.cast(self._per_region(x, self.expand), "float32"))
        return ops.transpose(x, (1, 0, 2))

    @staticmethod
    def _per_region(x, weights):
        """`(regions, batch, inputs)` times each region's own matrix."""
        kernel, bias = weights
        return ops.matmul(x, kernel) + ops.expand_dims(bias, 1)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "reduction": self.reduction}
