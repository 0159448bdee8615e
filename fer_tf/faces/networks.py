"""MTCNN's three networks as TensorFlow functions, with the `mtcnn` weights.

They compute what the package's Keras models do, arranged for speed: pixels
enter as 0..255, the normalisation being folded into the first kernels, and all
weights are constants.
"""

import importlib.resources

import numpy as np
import tensorflow as tf

# Enough to lose every maximum, and harmless to add.
_NEVER = -1e4


def _weights(name) -> list[np.ndarray]:
    """Weights as the `mtcnn` package ships them.

    By their full path: given a name, the package prefers a file of that name
    in the working directory, and the format is one that can run code.
    """
    from mtcnn.utils.tensorflow import load_weights

    folder = importlib.resources.files("mtcnn.assets.weights")
    return load_weights(str(folder / f"{name}.lz4"))


def _compiled(*signature):
    """Traces a function once, for all sizes; another trace is not possible."""
    return lambda body: tf.function(
        body, input_signature=signature
    ).get_concrete_function()


def crop(image, boxes, size):
    """Cuts boxes out of one picture, resized, by bilinear sampling.

    Args:
        image: uint8 tensor `(1, height, width, 3)`.
        boxes: float64 array `(n, 4)`: left, top, right, bottom.
        size: Side of the results.

    Returns:
        float32 array `(n, size, size, 3)` in 0..255.
    """
    height, width = image.shape[1:3]
    # Divided by the size, although the operation multiplies by the size less 1:
    # so does the `mtcnn` package. Outside lies the middle grey that becomes 0
    # in the networks.
    fractions = boxes[:, [1, 0, 3, 2]] / (height, width, height, width)
    return tf.raw_ops.CropAndResize(
        image=image,
        boxes=tf.constant(fractions, tf.float32),
        box_ind=tf.zeros(len(boxes), tf.int32),
        crop_size=tf.constant((size, size)),
        extrapolation_value=127.5,
    ).numpy()


def _convolution(x, kernel, bias):
    x = tf.nn.conv2d(x, tf.constant(kernel), strides=1, padding="VALID")
    return tf.nn.bias_add(x, tf.constant(bias))


def _prelu(x, alpha):
    """Parametric ReLU, in two operations where no slope exceeds 1."""
    alpha = alpha.reshape(-1)
    if alpha.max() <= 1:
        return tf.maximum(x, alpha * x)
    return tf.maximum(x, 0.0) + alpha * tf.minimum(x, 0.0)


def _without_steep(kernel, bias, alpha, following):
    """A layer, its slopes and the next kernel, with no slope above 1.

    A filter with a > 1 becomes two, x and max(x, 0), of which the next layer
    takes a x - (a - 1) max(x, 0). Max-pooling may lie between: both rise.
    """
    alpha = alpha.reshape(-1)
    steep = np.flatnonzero(alpha > 1)
    a = alpha[steep, None]
    kernel = np.concatenate([kernel, kernel[..., steep]], axis=-1)
    bias = np.concatenate([bias, bias[steep]])
    slopes = np.concatenate([alpha, np.ones_like(alpha[steep])])
    slopes[steep] = 0
    following = np.concatenate([following, a * following[:, :, steep]], axis=2)
    following[:, :, steep] *= 1 - a
    return kernel, bias, slopes, following


def _from_pixels(kernel, bias):
    """A first layer for x in 0..255 instead of (x - 127.5) / 128."""
    kernel = kernel / np.float32(128)
    return kernel, bias - np.float32(127.5) * kernel.sum(axis=(0, 1, 2))


def proposal_network():
    """P-Net, for canvases of `pyramid.draw`.

    Returns:
        Compiled function from a float32 tensor `(batch, rows, columns, 4)` to
        `(batch, rows / 2 - 5, columns / 2 - 5, 5)`: offsets of a box, logit of
        a face.
    """
    k1, b1, a1, k2, b2, a2, k3, b3, a3, *heads = _weights("pnet")
    k1, b1 = _from_pixels(k1, b1)
    # PReLU before max-pooling costs four times as much as behind it, and may be
    # put there: of a rising function the greatest value is that of the greatest
    # argument, and one with slope a < 0 is max(x, a x), whose maximum is that of
    # the maxima of x and of a x. So a x is computed too, as more filters: ten
    # filters were padded to sixteen anyway.
    a1 = a1.reshape(-1)
    falling, rising = np.flatnonzero(a1 < 0), np.flatnonzero(a1 >= 0)
    order, count = np.concatenate([falling, rising]), len(falling)
    k1 = np.concatenate([k1[..., order], k1[..., falling] * a1[falling]], axis=-1)
    b1 = np.concatenate([b1[order], b1[falling] * a1[falling]])
    # The fourth channel marks what is outside a level: a window of the first
    # convolution that touches it must not win the pooling at a level's rim.
    never = np.full((*k1.shape[:2], 1, k1.shape[-1]), _NEVER, np.float32)
    k1 = np.concatenate([k1, never], axis=2)
    offset_kernel, offset_bias, logit_kernel, logit_bias = heads
    # Of a softmax over two only the difference matters.
    head_kernel = np.concatenate(
        [offset_kernel, logit_kernel[..., 1:] - logit_kernel[..., :1]], axis=-1
    )
    head_bias = np.concatenate([offset_bias, logit_bias[1:] - logit_bias[:1]])

    @_compiled(tf.TensorSpec((None, None, None, 4), tf.float32))
    def network(canvas):
        x = _convolution(canvas, k1, b1)
        x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        x_falling = tf.maximum(x[..., :count], x[..., len(order) :])
        x_rising = _prelu(x[..., count : len(order)], a1[rising])
        x = tf.concat([x_falling, x_rising], axis=-1)
        x = _prelu(_convolution(x, k2[:, :, order], b2), a2)
        x = _prelu(_convolution(x, k3, b3), a3)
        return _convolution(x, head_kernel, head_bias)

    return network


def _dense(x, kernel, bias):
    return tf.matmul(x, tf.constant(kernel)) + bias


def _rows_first(kernel, height, width):
    """A kernel for features that were flattened columns first, as in Caffe."""
    features, units = kernel.shape
    kernel = kernel.reshape(width, height, features // (height * width), units)
    return kernel.transpose(1, 0, 2, 3).reshape(features, units)


def refinement_network():
    """R-Net.

    Returns:
        Compiled function from a float32 tensor `(batch, 24, 24, 3)` in 0..255
        to offsets `(batch, 4)` and the confidence of a face `(batch,)`.
    """
    k1, b1, a1, k2, b2, a2, k3, b3, a3, k4, b4, a4, *heads = _weights("rnet")
    k1, b1, a1, k2 = _without_steep(*_from_pixels(k1, b1), a1, k2)
    k4 = _rows_first(k4, 3, 3)

    @_compiled(tf.TensorSpec((None, 24, 24, 3), tf.float32))
    def network(patches):
        x = _prelu(_convolution(patches, k1, b1), a1)
        x = tf.nn.max_pool2d(x, 3, 2, "SAME")
        x = _prelu(_convolution(x, k2, b2), a2)
        x = tf.nn.max_pool2d(x, 3, 2, "VALID")
        x = _prelu(_convolution(x, k3, b3), a3)
        x = _prelu(_dense(tf.reshape(x, (-1, k4.shape[0])), k4, b4), a4)
        return _dense(x, *heads[:2]), tf.nn.softmax(_dense(x, *heads[2:]))[:, 1]

    return network


def output_network():
    """O-Net.

    Returns:
        Compiled function from a float32 tensor `(batch, 48, 48, 3)` in 0..255
        to offsets `(batch, 4)`, landmarks `(batch, 10)` as fractions of the
        box, the xs first, and the confidence of a face `(batch,)`.
    """
    k1, b1, a1, k2, b2, a2, k3, b3, a3, k4, b4, a4, k5, b5, a5, *heads = _weights(
        "onet"
    )
    k1, b1 = _from_pixels(k1, b1)
    k5 = _rows_first(k5, 3, 3)

    @_compiled(tf.TensorSpec((None, 48, 48, 3), tf.float32))
    def network(patches):
        x = _prelu(_convolution(patches, k1, b1), a1)
        x = tf.nn.max_pool2d(x, 3, 2, "SAME")
        x = _prelu(_convolution(x, k2, b2), a2)
        x = tf.nn.max_pool2d(x, 3, 2, "VALID")
        x = _prelu(_convolution(x, k3, b3), a3)
        x = tf.nn.max_pool2d(x, 2, 2, "SAME")
        x = _prelu(_convolution(x, k4, b4), a4)
        x = _prelu(_dense(tf.reshape(x, (-1, k5.shape[0])), k5, b5), a5)
        offsets, landmarks = _dense(x, *heads[:2]), _dense(x, *heads[2:4])
        return offsets, landmarks, tf.nn.softmax(_dense(x, *heads[4:]))[:, 1]

    return network
