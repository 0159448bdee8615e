r"""MTANet's SENet-50 on FER2013 by the recipe of fer2013_quick, from scratch.

python -m trainers.train --config=trainers/configs/fer2013_mtanet_senet50.py \
    --data=data/fer2013 --workdir=runs/fer2013_mtanet_senet50

One of the four systems on the same faces, at the same budget: not the paper's recipe.
FER2013 has no valence, arousal or action units: their two heads are not trained.

Measured: 51.10 % of PrivateTest, 117 minutes on two busy CPU cores. Its training loss
rose from 1.58 to 1.65 between epochs 6 and 9, but a tenth of the common rate is no
better (`--config.stages[0].learning_rate=0.01`: 47.26 % [45.6, 48.8], 44 minutes).
"""

from ml_collections import ConfigDict

from trainers.configs import fer2013_quick


def get_config() -> ConfigDict:
    """Returns the configuration."""
    config = fer2013_quick.get_config()
    config.model.name = "mtanet_senet50"
    config.model.arguments = ConfigDict(dict(input_shape=(48, 48, 3)))
    # Windows of 48 pixels, moved by as much of a face as fer2013_quick's 44 of 48.
    config.input.update(size=52, window=48, color="rgb")
    return config
