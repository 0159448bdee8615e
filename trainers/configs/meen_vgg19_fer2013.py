r"""Meen et al., Table 1, row VGG19: 72.61 % on FER2013.

python -m trainers.train --config=trainers/configs/meen_vgg19_fer2013.py \
    --data=data/fer2013 --workdir=runs/meen_vgg19
"""

from trainers.configs import meen


def get_config():
    """Returns the configuration."""
    return meen.recipe("vgg19_fer", face_network=False, accuracy=0.7261)
