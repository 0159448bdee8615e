r"""Meen et al.'s recipe on drawn faces with a narrow VGG19: minutes, no licence.

python -m trainers.train --config=trainers/configs/meen_synthetic.py \
    --data=data/synthetic --workdir=runs/meen_synthetic
"""

from trainers.configs import meen


def get_config():
    """Returns the configuration."""
    config = meen.recipe("vgg19_fer", face_network=False, batch_size=32)
    config.deterministic = True
    config.model.arguments.width = 0.25
    config.checkpoint_steps = 20
    config.stages[0].epochs = 4
    return config
