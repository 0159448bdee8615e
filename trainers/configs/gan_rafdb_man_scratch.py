r"""Gan et al., Table 3, row Ours, starred (from scratch): 75.59 % on RAF-DB.

python -m trainers.train --config=trainers/configs/gan_rafdb_man_scratch.py \
    --data=data/rafdb --workdir=runs/gan_rafdb_man_scratch
"""

from trainers.configs import gan2020


def get_config():
    """Returns the configuration."""
    return gan2020.recipe("gan_man", "rafdb", published="", accuracy=0.7559)
