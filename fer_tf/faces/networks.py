"""MTCNN's three networks as TensorFlow functions, with the `mtcnn` weights.

They compute what the package's Keras models do, arranged for speed: pixels
enter as 0..255, the normalisation being folded into the first kernels, and all
weights are constants.
"""

import importlib.resources

import numpy as np
import tensorflow as tf

# TensorFlow's kernels expect a tensor at a multiple of this many bytes; elsewhere they
# end the process.
_ALIGNMENT = 64

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
    """Traces a function once, for all sizes; another trace is not possible.

    Nothing in it depends on a value, so AutoGraph, which takes half a second to read
    the four networks, has nothing to rewrite.
    """
    return lambda body: tf.function(
        body, input_signature=signature, autograph=False
    ).get_concrete_function()


def empty(shape) -> np.ndarray:
    """An array to be filled, float32, that `tensor` can take over."""
    count = 4 * int(np.prod(shape))
    memory = np.empty(count + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + count].view(np.float32).reshape(shape)


def tensor(array):
    """An array of `empty` as a tensor: the same memory, so not to be written again."""
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())


def patches(image, boxes, size):
    """Cuts boxes out of one picture, resized, by bilinear sampling.

    Outside the compiled networks: there TensorFlow estimates the cost of every
    operation, fails on this one, and prints 900 characters each time.

    Args:
        image: uint8 tensor `(height, width, 3)`.
        boxes: float32 tensor `(n, 4)`: top, left, bottom, right, as fractions.
        size: Side of the results.

    Returns:
        float32 tensor `(n, size, size, 3)` in 0..255. Outside the picture lies
        the middle grey that becomes 0 in the networks.
    """
    return tf.raw_ops.CropAndResize(
        image=image[None],
        boxes=boxes,
        box_ind=tf.zeros(tf.shape(boxes)[:1], tf.int32),
        crop_size=(size, size),
        extrapolation_value=127.5,
    )


def _convolution(x, kernel, bias):
    x = tf.nn.conv2d(x, tf.constant(kernel), strides=1, padding="VALID")
    return tf.nn.bias_add(x, tf.constant(bias))


def _prelu(x, alpha):
    """Parametric ReLU with slopes of at most 1, as all are behind the first layer."""
    return tf.maximum(x, alpha.reshape(-1) * x)


def _behind_pooling(kernel, bias, alpha, following):
    """A layer whose PReLU may come behind max-pooling.

    In front of it, it costs four times as much. Of a rising function the
    greatest value is that of the greatest argument; one with a slope a < 0 is
    max(x, a x), whose maximum is that of the maxima of x and of a x. So a x is
    computed too, by more filters. PReLU is the greater of x and a x where a is at
    most 1; beyond, it is the lesser: the negative of the greater of -x and -a x.

    Returns:
        Kernel and bias with a filter more for each a < 0; two kernels of 1 x 1, from
        those filters to as many as there were, the greater of whose results is what
        PReLU gives; and the following kernel, that expects the negative of it where
        a > 1.
    """
    alpha = alpha.reshape(-1)
    count, falling = len(alpha), np.flatnonzero(alpha < 0)
    a = alpha[falling]
    kernel = np.concatenate([kernel, kernel[..., falling] * a], axis=-1)
    bias = np.concatenate([bias, bias[falling] * a])
    sign = np.where(alpha > 1, -1, 1).astype(np.float32)
    first = np.zeros((count + len(falling), count), np.float32)
    first[range(count), range(count)] = sign
    second = first * alpha
    second[falling] = 0
    second[range(count, len(second)), falling] = 1
    following = following * sign[:, None]
    return kernel, bias, (first[None, None], second[None, None]), following


def _greater(x, kernels):
    """The greater of what two kernels of 1 x 1 give."""
    return tf.maximum(*(tf.nn.conv2d(x, kernel, 1, "VALID") for kernel in kernels))


def _from_pixels(kernel, bias):
    """A first layer for x in 0..255 instead of (x - 127.5) / 128."""
    kernel = kernel / np.float32(128)
    return kernel, bias - np.float32(127.5) * kernel.sum(axis=(0, 1, 2))


def proposal_map(channels: int):
    """P-Net, for sheets of `pyramid.draw` with so many channels.

    Returns:
        Function from a float32 tensor `(batch, rows, columns, channels)` to one
        `(batch, rows, columns, 5)` of fewer rows and columns: four offsets of a box and
        the logit of a face.
    """
    k1, b1, a1, k2, b2, a2, k3, b3, a3, *heads = _weights("pnet")
    k1, b1 = _from_pixels(k1, b1)
    k1, b1, greater, k2 = _behind_pooling(k1, b1, a1, k2)
    if channels == 4:
        # The fourth marks what is outside a level: a window of the first
        # convolution that touches it must not win the pooling at a level's rim.
        never = np.full((*k1.shape[:2], 1, k1.shape[-1]), _NEVER, np.float32)
        k1 = np.concatenate([k1, never], axis=2)
    offset_kernel, offset_bias, logit_kernel, logit_bias = heads
    # Of a softmax over two only the difference matters.
    head_kernel = np.concatenate(
        [offset_kernel, logit_kernel[..., 1:] - logit_kernel[..., :1]], axis=-1
    )
    head_bias = np.concatenate([offset_bias, logit_bias[1:] - logit_bias[:1]])

    def network(sheets):
        x = _convolution(sheets, k1, b1)
        x = tf.nn.max_pool2d(x, 2, 2, "SAME" if channels == 3 else "VALID")
        x = _greater(x, greater)
        x = _prelu(_convolution(x, k2, b2), a2)
        x = _prelu(_convolution(x, k3, b3), a3)
        return _convolution(x, head_kernel, head_bias)

    return network


def sheets_of(channels: int) -> tf.TensorSpec:
    """What `proposal_map(channels)` takes."""
    return tf.TensorSpec((None, None, None, channels), tf.float32, "sheets")


def proposal_network(channels: int):
    """P-Net where it sees a face.

    Returns:
        Compiled function from a tensor of `sheets_of(channels)` and the least logit of
        a face to int64 `(n, 3)`, where P-Net sees a face (sheet, row, column, in this
        order), and float32 `(n, 5)`, what `proposal_map` says there.
    """
    everywhere = proposal_map(channels)

    @_compiled(sheets_of(channels), tf.TensorSpec((), tf.float32))
    def network(sheets, threshold):
        x = everywhere(sheets)
        places = tf.where(x[..., 4] > threshold)
        return places, tf.gather_nd(x, places)

    return network


def _dense(x, kernel, bias):
    return tf.matmul(x, tf.constant(kernel)) + bias


def _rows_first(kernel, height, width):
    """A kernel for features that were flattened columns first, as in Caffe."""
    features, units = kernel.shape
    kernel = kernel.reshape(width, height, features // (height * width), units)
    return kernel.transpose(1, 0, 2, 3).reshape(features, units)


def patches_of(size: int) -> tf.TensorSpec:
    """What `refinement_network` (24) and `output_network` (48) take."""
    return tf.TensorSpec((None, size, size, 3), tf.float32)


def refinement_network():
    """R-Net.

    Returns:
        Compiled function from `patches` of 24 pixels to offsets `(n, 4)` and the
        confidence of a face `(n,)`.
    """
    k1, b1, a1, k2, b2, a2, k3, b3, a3, k4, b4, a4, *heads = _weights("rnet")
    k1, b1, greater, k2 = _behind_pooling(*_from_pixels(k1, b1), a1, k2)
    k4 = _rows_first(k4, 3, 3)

    @_compiled(patches_of(24))
    def network(x):
        x = tf.nn.max_pool2d(_convolution(x, k1, b1), 3, 2, "SAME")
        x = _greater(x, greater)
        x = _prelu(_convolution(x, k2, b2), a2)
        x = tf.nn.max_pool2d(x, 3, 2, "VALID")
        x = _prelu(_convolution(x, k3, b3), a3)
        x = _prelu(_dense(tf.reshape(x, (-1, k4.shape[0])), k4, b4), a4)
        return _dense(x, *heads[:2]), tf.nn.softmax(_dense(x, *heads[2:]))[:, 1]

    return network


def output_network():
    """O-Net.

    Returns:
        Compiled function from `patches` of 48 pixels to offsets `(n, 4)`, landmarks
        `(n, 10)` as fractions of the box, the xs first, and the confidence of a face
        `(n,)`.
    """
    k1, b1, a1, k2, b2, a2, k3, b3, a3, k4, b4, a4, k5, b5, a5, *heads = _weights(
        "onet"
    )
    k1, b1 = _from_pixels(k1, b1)
    k5 = _rows_first(k5, 3, 3)

    @_compiled(patches_of(48))
    def network(x):
        x = _prelu(_convolution(x, k1, b1), a1)
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
