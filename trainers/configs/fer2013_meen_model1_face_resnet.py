r"""Meen et al.'s Model 1, Averaging, with dlib's face network, on FER2013.

python -m trainers.train --config=trainers/configs/fer2013_meen_model1_face_resnet.py \
    --data=data/fer2013 --workdir=runs/fer2013_meen_model1_face_resnet \
    --config.published.path=vladmandic-face-api-1.7.15.tgz

`fer2013_vgg19` with the maps of a network that knows people apart, where the paper's
face network knows faces from other things. Rate and budget are the same, so that the
difference is what the maps are worth: not the paper's recipe. Where the file comes
from: `ferplus_best`.
"""

from ml_collections import ConfigDict

from trainers.configs import fer2013_vgg19


def get_config() -> ConfigDict:
    """Returns the configuration."""
    config = fer2013_vgg19.get_config()
    config.model.name = "meen_model1_average"
    config.model.arguments = ConfigDict(
        dict(input_shape=(44, 44, 1), face_backbone="face_resnet29")
    )
    config.published.format = "dlib_face"
    return config
