"""What trained models cost a face, side by side."""

import pytest

from fer_tf import models
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.model_io import model_folder
from fer_tf.model_io.card import Card
from trainers.speed import prediction


@pytest.fixture
def saved(tmp_path):
    """`saved(name, **arguments)`: folder of an untrained model."""

    def save(name, **arguments):
        card = Card(
            model=name, arguments=arguments, crop_spec=CROP_SPECS["meen"],
            views="center_mirror", average="logits",
        )  # fmt: skip
        folder = str(tmp_path / f"{name}{len(list(tmp_path.iterdir()))}")
        model_folder.save(folder, models.create_model(name, **arguments), card)
        return folder

    return save


@pytest.mark.slow
def test_faces_go_through_every_model_and_each_is_counted(saved):
    narrow, wide = saved("small_resnet", width=0.1), saved("vgg19_fer", width=0.4)
    found = prediction.faces([narrow, wide], seconds=0.1)["models"]
    assert list(found) == ["small_resnet", "vgg19_fer"]
    for name, width in (("small_resnet", 0.1), ("vgg19_fer", 0.4)):
        parameters = models.create_model(name, width=width).count_params()
        assert found[name]["parameters"] == parameters
        assert found[name]["views"] == "center_mirror"
    # The wide VGG19 has many times the arithmetic.
    small, large = found.values()
    assert large["gflops_per_image"] > 5 * small["gflops_per_image"] > 0
    assert small["faces_per_second"] > large["faces_per_second"] > 0


def test_two_of_one_architecture_are_no_comparison(saved):
    one, other = (saved("small_resnet", width=0.1) for _ in range(2))
    with pytest.raises(ValueError, match="one network, which costs the same"):
        prediction.faces([one, other], seconds=0.1)
