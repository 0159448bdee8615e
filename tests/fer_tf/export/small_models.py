"""Small models to export, crops and pictures, and what is expected of them."""

import importlib.util
import io

import keras
import numpy as np
import pytest
from PIL import Image

from fer_tf import models
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.model_io import model_folder
from fer_tf.model_io.card import Card

ARGUMENTS = dict(width=0.125, blocks=1, stage_filters=[16])
HAS_ONNX = all(
    importlib.util.find_spec(name) for name in ("tf2onnx", "onnx", "onnxruntime")
)
needs_onnx = pytest.mark.skipif(
    not HAS_ONNX, reason="needs tf2onnx and onnxruntime: pip install 'fer-tf[export]'"
)
FORMATS = ["saved_model", "litert_float32", "litert_int8", "keras"]
FORMATS += ["onnx"] if HAS_ONNX else []


def random_crops(count, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 6, 6, 1))
    fine = rng.integers(-40, 40, (count, 48, 48, 1))
    return np.clip(coarse.repeat(8, 1).repeat(8, 2) + fine, 0, 255).astype(np.uint8)


def trained(folder, views="ten_crop"):
    """A small model that is sure of what it says, and loaded from its folder."""
    keras.utils.set_random_seed(0)
    model = models.create_model("small_resnet", **ARGUMENTS)
    kernel = model.get_layer("expression").kernel
    kernel.assign(6.0 * kernel)
    card = Card(
        model="small_resnet", arguments=ARGUMENTS, crop_spec=CROP_SPECS["meen"],
        views=views, average="logits",
    )  # fmt: skip
    model_folder.save(str(folder), model, card)
    return model_folder.load(str(folder))


def by_hand(model, crops):
    """Ten windows of each crop, cut in NumPy; softmax of the mean of their logits."""
    windows = []
    for crop in crops.astype(np.float32):
        corners = [crop[i : i + 44, j : j + 44] for i in (0, 4) for j in (0, 4)]
        corners.append(crop[2:46, 2:46])
        windows += corners + [corner[:, ::-1] for corner in corners]
    logits = np.asarray(model(np.array(windows), training=False)["expression"])
    mean = logits.reshape(len(crops), 10, 7).mean(1).astype(np.float64)
    powers = np.exp(mean - mean.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(file, kind, **options)
    return file.getvalue()


def colours(side, seed=0):
    """Patches of saturated colours with noise: hard for JPEG."""
    rng = np.random.default_rng(seed)
    patches = rng.integers(0, 256, (side // 6, side // 6, 3)).repeat(6, 0).repeat(6, 1)
    noise = rng.integers(-30, 30, patches.shape)
    return np.clip(patches + noise, 0, 255).astype(np.uint8)
