r"""Gan et al., Table 5, row Ours: 96.28 % on CK+, the mean of ten folds.

python -m trainers.train --config=trainers/configs/gan_ckplus_man.py \
    --data=data/ckplus --workdir=runs/gan_ckplus_man \
    --config.published.path=rcmalli_vggface_tf_notop_vgg16.h5

This trains one fold, the one that the data was prepared with.
`trainers.reproduce --table=gan_5` trains all ten.
"""

from trainers.configs import gan2020


def get_config():
    """Returns the configuration."""
    return gan2020.recipe("gan_man", "ckplus", accuracy=0.9628)
