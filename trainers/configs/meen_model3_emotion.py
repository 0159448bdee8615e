r"""Meen et al., Table 1, Model 3, Emotion features: 73.08 % on FER2013.

python -m trainers.train --config=trainers/configs/meen_model3_emotion.py \
    --data=data/fer2013 --workdir=runs/meen_model3_emotion

Best with the product (Eq. 1), as Sec. 4.3 tells.
"""

from trainers.configs import meen


def get_config():
    """Returns the configuration."""
    return meen.recipe(
        "meen_model3_emotion", batch_size=16, face_network=False, accuracy=0.7308
    )
