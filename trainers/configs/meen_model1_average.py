r"""Meen et al., Table 1, Model 1, Averaging: 73.1 % on FER2013.

python -m trainers.train --config=trainers/configs/meen_model1_average.py \
    --data=data/fer2013 --workdir=runs/meen_model1_average \
    --config.submodels.face_network=runs/meen_face_network

Best with the weighted product (Eq. 2), as Sec. 4.3 tells.
"""

from trainers.configs import meen


def get_config():
    """Returns the configuration."""
    return meen.recipe("meen_model1_average", accuracy=0.731)
