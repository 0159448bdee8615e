r"""Gan et al., Table 3, row VGG+SE, starred (from scratch): 73.27 % on RAF-DB.

python -m trainers.train --config=trainers/configs/gan_rafdb_vgg16_se_scratch.py \
    --data=data/rafdb --workdir=runs/gan_rafdb_vgg16_se_scratch
"""

from trainers.configs import gan2020


def get_config():
    """Returns the configuration."""
    return gan2020.recipe("gan_vgg16_se", "rafdb", published="", accuracy=0.7327)
