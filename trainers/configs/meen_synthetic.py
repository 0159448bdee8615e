r"""Meen et al.'s recipe on drawn faces with a narrow VGG19: minutes, no licence.

python -m trainers.train --config=trainers/configs/meen_synthetic.py \
    --data=data/synthetic --workdir=runs/meen_synthetic
"""

from ml_collections import ConfigDict

from trainers.configs import meen_vgg19_fer2013


def get_config() -> ConfigDict:
    """Returns the configuration."""
    config = meen_vgg19_fer2013.get_config()
    config.deterministic = True
    config.model.arguments = ConfigDict(dict(width=0.25))
    config.batch_size = 32
    config.checkpoint_steps = 20
    config.paper = ConfigDict()
    config.stages[0].epochs = 4
    return config
