"""Several views of one crop, and the mean of what a model says of them."""

import keras
from keras import layers, ops

from fer_tf.arguments import require_one_of

# Views by name: corner or centre window, and whether it is mirrored.
_CORNERS = ("top_left", "top_right", "bottom_left", "bottom_right", "center")
VIEWS = {
    "center": (("center", False),),
    "center_mirror": (("center", False), ("center", True)),
    "ten_crop": tuple((c, m) for m in (False, True) for c in _CORNERS),
}


@keras.saving.register_keras_serializable(package="fer_tf")
class CropViews(layers.Layer):
    """Cuts windows out of each crop: `(b, h, w, c)` -> `(b * views, s, s, c)`.

    The views of one crop follow each other, so `MeanOverViews` finds them.

    Args:
        size: Side `s` of a window.
        views: `center`, `center_mirror` (2Att-2Mt's test: an image and its
            mirror) or `ten_crop` (four corners, centre, and their mirrors).

    Raises:
        ValueError: If the views are unknown, or a window exceeds the crop.

    Example:
        >>> CropViews(44, "ten_crop")(ops.ones((2, 48, 48, 1))).shape
        TensorShape([20, 44, 44, 1])
    """

    def __init__(self, size, views="center", **kwargs):
        super().__init__(**kwargs)
        require_one_of(VIEWS, views=views)
        self.size = size
        self.views = views

    def build(self, input_shape):
        if min(input_shape[1:3]) < self.size:
            raise ValueError(
                f"A view of {self.size} pixels does not fit into crops of shape "
                f"{tuple(input_shape)}."
            )

    def call(self, images):
        height, width = images.shape[1:3]
        windows = [
            self._window(images, corner, mirrored, height, width)
            for corner, mirrored in VIEWS[self.views]
        ]
        if len(windows) == 1:
            return windows[0]
        stacked = ops.stack(windows, axis=1)
        return ops.reshape(stacked, (-1, self.size, self.size, images.shape[-1]))

    def _window(self, images, corner, mirrored, height, width):
        bottom, right = height - self.size, width - self.size
        top, left = {
            "top_left": (0, 0),
            "top_right": (0, right),
            "bottom_left": (bottom, 0),
            "bottom_right": (bottom, right),
            "center": (bottom // 2, right // 2),
        }[corner]
        window = images[:, top : top + self.size, left : left + self.size]
        return ops.flip(window, axis=2) if mirrored else window

    def compute_output_shape(self, input_shape):
        views = len(VIEWS[self.views])
        batch = None if input_shape[0] is None else input_shape[0] * views
        return (batch, self.size, self.size, input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "size": self.size, "views": self.views}


@keras.saving.register_keras_serializable(package="fer_tf")
class MeanOverViews(layers.Layer):
    """Mean over the views of each crop: `(b * views, ...)` -> `(b, ...)`.

    Args:
        num_views: How many views each crop has.

    Example:
        >>> print(MeanOverViews(2)(ops.array([[1.0], [3.0], [5.0], [7.0]])).numpy())
        [[2.]
         [6.]]
    """

    def __init__(self, num_views, **kwargs):
        super().__init__(**kwargs)
        self.num_views = num_views

    def call(self, values):
        shape = tuple(values.shape[1:])
        return ops.mean(ops.reshape(values, (-1, self.num_views, *shape)), axis=1)

    def compute_output_shape(self, input_shape):
        batch = input_shape[0]
        return (None if batch is None else batch // self.num_views, *input_shape[1:])

    def get_config(self):
        return {**super().get_config(), "num_views": self.num_views}
