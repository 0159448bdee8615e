r"""Meen et al.'s Model 3, Facial features, with dlib's face network, on FER2013.

python -m trainers.train --config=trainers/configs/fer2013_meen_model3_face_resnet.py \
    --data=data/fer2013 --workdir=runs/fer2013_meen_model3_face_resnet \
    --config.published.path=vladmandic-face-api-1.7.15.tgz

As `fer2013_meen_model1_face_resnet`, to be compared with `fer2013_vgg19` and, with the
paper's own face network, `fer2013_meen_model3_facial`.
"""

from ml_collections import ConfigDict

from trainers.configs import fer2013_meen_model1_face_resnet


def get_config() -> ConfigDict:
    """Returns the configuration."""
    config = fer2013_meen_model1_face_resnet.get_config()
    config.model.name = "meen_model3_facial"
    return config
