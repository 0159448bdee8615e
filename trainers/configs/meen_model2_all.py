r"""Meen et al., Table 1, Model 2, All features: 73.08 % on FER2013.

python -m trainers.train --config=trainers/configs/meen_model2_all.py \
    --data=data/fer2013 --workdir=runs/meen_model2_all \
    --config.submodels.face_network=runs/meen_face_network

Best with concatenation, as Sec. 4.3 tells.
"""

from trainers.configs import meen


def get_config():
    """Returns the configuration."""
    return meen.recipe("meen_model2_all", accuracy=0.7308)
