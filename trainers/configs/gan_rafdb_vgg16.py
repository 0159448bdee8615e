r"""Gan et al., Table 3, row VGG fine-tuning: 83.89 % on RAF-DB.

python -m trainers.train --config=trainers/configs/gan_rafdb_vgg16.py \
    --data=data/rafdb --workdir=runs/gan_rafdb_vgg16 \
    --config.published.path=rcmalli_vggface_tf_notop_vgg16.h5
"""

from trainers.configs import gan2020


def get_config():
    """Returns the configuration."""
    return gan2020.recipe("gan_vgg16", "rafdb", accuracy=0.8389)
