r"""The best small network that we train on FER+ from scratch: no paper's recipe.

python -m trainers.train --config=trainers/configs/ferplus_best.py \
    --data=data/ferplus --workdir=runs/ferplus_best

`data/ferplus` as in ferplus_quick: by shares of the votes, copies left out. Averaged
weights and stronger augmentation, no mixup: the votes are soft targets by themselves.
"""

from ml_collections import ConfigDict

from trainers.configs import ferplus_quick


def get_config() -> ConfigDict:
    """Returns the configuration."""
    config = ferplus_quick.get_config()
    config.augment.update(degrees=10.0, zoom=0.1, shift=0.06, erase=0.25)
    config.ema_decay = 0.999
    config.eval_epochs = 5
    config.stages[0].epochs = 40
    return config
