r"""Gan et al., Table 3, row VGG fine-tuning, starred (from scratch): 73.63 % on RAF-DB.

python -m trainers.train --config=trainers/configs/gan_rafdb_vgg16_scratch.py \
    --data=data/rafdb --workdir=runs/gan_rafdb_vgg16_scratch
"""

from trainers.configs import gan2020


def get_config():
    """Returns the configuration."""
    return gan2020.recipe("gan_vgg16", "rafdb", published="", accuracy=0.7363)
