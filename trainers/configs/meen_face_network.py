r"""Meen et al., the face network: faces from other pictures; the paper gives no number.

python -m trainers.prepare --dataset=facenonface --source=DIR --output=data/facenonface
python -m trainers.train --config=trainers/configs/meen_face_network.py \
    --data=data/facenonface --workdir=runs/meen_face_network

"The network trained for face classification uses the same architecture as the
emotion classification network" and, we read, the same recipe. DIR holds the pictures
in `face/` and `nonface/`; the paper's own set was never released. Its maps are what
Models 1 to 3 attend with.
"""

from ml_collections import ConfigDict

from trainers.configs import meen


def get_config():
    """Returns the configuration."""
    config = meen.recipe("face_network", face_network=False)
    config.objective = ConfigDict(dict(name="is_face"))
    config.select = "face_accuracy"
    return config
