import keras
import pytest

from fer_tf import models
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.model_io import model_folder
from fer_tf.model_io.card import Card
from tests.fer_tf.model_io.small_folders import ARGUMENTS


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return models.create_model("small_resnet", **ARGUMENTS)


@pytest.fixture
def folder(model, tmp_path):
    card = Card(
        model="small_resnet", arguments=ARGUMENTS, crop_spec=CROP_SPECS["meen"],
        views="center", average="logits",
    )  # fmt: skip
    model_folder.save(str(tmp_path / "m"), model, card)
    return tmp_path / "m"
