"""Batch normalisation through TensorFlow's fused kernel, PyTorch's statistics."""

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="fer_tf")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, faster on TensorFlow.

    Takes the same arguments. Two things differ:

    - On the TensorFlow backend, images `(batch, height, width, channels)` go
      through one fused kernel, forwards and backwards, where Keras spends a
      pass over the activations on each of the mean, the variance, the scaling
      and the shift. Half-precision inputs keep float32 statistics without a
      float32 copy of the activations.
    - The moving variance averages the *unbiased* batch variance (divided by
      `n - 1`), on every backend. PyTorch, Caffe and TensorFlow's fused kernel
      all store that one, so it is what the published recipes were evaluated
      with; Keras stores the biased one. Training-time outputs divide by `n`
      everywhere.

    `synchronized=True` takes the statistics over all replicas of a distribution
    strategy, in passes of their own. A call with a mask or `renorm=True` is left
    to Keras, including its biased moving variance.

    Reference:
        - [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167), Alg. 2
          (whose inference variance is the unbiased one).

    Example:
        >>> layer = BatchNormalization(momentum=0.9)
        >>> image = keras.random.normal((8, 4, 4, 3), mean=5.0, seed=0)
        >>> layer(image, training=True).shape
        TensorShape([8, 4, 4, 3])
        >>> bool(layer.moving_mean[0] > 0.4)  # A tenth of the way from 0 to 5.
        True
    """

    def call(self, inputs, training=None, mask=None):
        training = bool(training) and self.trainable
        if mask is not None or self.renorm:
            return super().call(inputs, training=training, mask=mask)
        alone = not (training and self.synchronized)
        if alone and self._has_fused_kernel(inputs):
            return self._call_fused(inputs, training)
        if not training:
            return super().call(inputs, training=False)
        dtype = keras.backend.result_type(inputs.dtype, "float32")
        x = ops.cast(inputs, dtype)
        mean, variance = ops.moments(
            x, axes=self._statistics_axes(x), synchronized=self.synchronized
        )
        x = ops.batch_normalization(
            x,
            mean,
            variance,
            axis=self.axis,
            offset=None if self.beta is None else ops.cast(self.beta, dtype),
            scale=None if self.gamma is None else ops.cast(self.gamma, dtype),
            epsilon=self.epsilon,
        )
        correction = self._bessel_correction(inputs, variance.dtype)
        self._update_moving(mean, variance * correction)
        return ops.cast(x, self.compute_dtype)

    def _has_fused_kernel(self, inputs):
        return (
            keras.backend.backend() == "tensorflow"
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
            # The kernel keeps its statistics in float32 alone.
            and keras.backend.standardize_dtype(self.variable_dtype) == "float32"
            and keras.backend.standardize_dtype(inputs.dtype)
            in ("float32", "bfloat16", "float16")
        )

    def _call_fused(self, inputs, training):
        import tensorflow as tf

        channels = (inputs.shape[-1],)
        # Not tf.nn.fused_batch_norm: it silently raises epsilon to 1.001e-5.
        x, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.ones(channels) if self.gamma is None else self.gamma,
            offset=tf.zeros(channels) if self.beta is None else self.beta,
            # In training the kernel wants these empty or for its own average.
            mean=[] if training else self.moving_mean,
            variance=[] if training else self.moving_variance,
            epsilon=self.epsilon,
            is_training=training,
        )
        if training:
            self._update_moving(mean, variance)  # the kernel's is unbiased
        return ops.cast(x, self.compute_dtype)

    def _update_moving(self, mean, variance):
        for moving, batch in (
            (self.moving_mean, mean),
            (self.moving_variance, variance),
        ):
            batch = ops.cast(ops.stop_gradient(batch), moving.dtype)
            moving.assign(moving * self.momentum + batch * (1.0 - self.momentum))

    def _statistics_axes(self, inputs):
        axes = list(range(len(inputs.shape)))
        del axes[self.axis]
        return axes

    def _bessel_correction(self, inputs, dtype):
        """`n / (n - 1)` for `n` values per channel; 1 where there is only one."""
        shape = ops.shape(inputs)
        sizes = [shape[axis] for axis in self._statistics_axes(inputs)]
        sizes.append(self._replicas())
        if all(isinstance(size, int) for size in sizes):
            count = math.prod(sizes)
            return count / max(count - 1, 1)
        count = ops.cast(ops.prod(ops.stack(sizes)), dtype)
        return count / ops.maximum(count - 1.0, 1.0)

    def _replicas(self):
        """Number of replicas whose batches the statistics are over."""
        if not self.synchronized or keras.backend.backend() != "tensorflow":
            return 1
        import tensorflow as tf

        return tf.distribute.get_strategy().num_replicas_in_sync
