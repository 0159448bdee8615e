r"""Meen et al., Table 1, Model 3, Facial features: 73.35 % on FER2013.

python -m trainers.train --config=trainers/configs/meen_model3_facial.py \
    --data=data/fer2013 --workdir=runs/meen_model3_facial \
    --config.submodels.face_network=runs/meen_face_network

Best with the product (Eq. 1), as Sec. 4.3 tells.
"""

from trainers.configs import meen


def get_config():
    """Returns the configuration."""
    return meen.recipe("meen_model3_facial", batch_size=16, accuracy=0.7335)
