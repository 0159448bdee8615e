import keras
import numpy as np
import pytest

from fer_tf.models import create_model

# (inputs, outputs) of the ten convolutions, as the owner's code lists them.
CONVOLUTIONS = [(1, 64), (64, 64), (64, 128), (128, 128), (128, 256),
                *[(256, 256)] * 5]  # fmt: skip


def test_parameters_counted_on_paper():
    convolutions = sum(9 * a * b + b for a, b in CONVOLUTIONS)
    # Four poolings leave 4 x 4 of 64 pixels.
    dense = sum(a * b + b for a, b in [(4 * 4 * 256, 1024), (1024, 1024), (1024, 8)])
    assert convolutions + dense == 8_757_704
    assert create_model("ferplus_vgg13").count_params() == 8_757_704


def test_pools_and_dropout_stand_where_the_owner_has_them():
    model = create_model("ferplus_vgg13", width=0.125)
    kinds = {keras.layers.Conv2D: "c", keras.layers.MaxPooling2D: "p",
             keras.layers.Dropout: "d", keras.layers.Dense: "f"}  # fmt: skip
    found = "".join(kinds.get(type(layer), "") for layer in model.layers)
    assert found == "ccpd" * 2 + "cccpd" * 2 + "fdfdf"
    rates = [x.rate for x in model.layers if isinstance(x, keras.layers.Dropout)]
    assert rates == [0.25] * 4 + [0.5] * 2


def test_its_kernels_start_as_glorots():
    keras.utils.set_random_seed(0)
    kernel = np.asarray(
        create_model("ferplus_vgg13", width=0.5).get_layer("fc6").kernel
    )
    assert np.abs(kernel).max() == pytest.approx(np.sqrt(6 / (512 + 512)), rel=0.01)
