r"""Meen et al., Model 1 with maps reduced by a convolution: the paper gives no number.

python -m trainers.train --config=trainers/configs/meen_model1_conv.py \
    --data=data/fer2013 --workdir=runs/meen_model1_conv \
    --config.submodels.face_network=runs/meen_face_network

Sec. 3.1 describes it; only the best variations are in Table 1.
"""

from trainers.configs import meen


def get_config():
    """Returns the configuration."""
    return meen.recipe("meen_model1_conv")
