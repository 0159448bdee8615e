r"""Wang et al., Table 6, row Down-sampling: accuracy 0.50, as published with AffectNet.

python -m trainers.train --config=trainers/configs/wang_down_sampling.py \
    --data=data/affectnet --workdir=runs/wang_down_sampling

The number is an AlexNet's of eight classes. This is 2Att-2Mt with eight classes and
that network's remedy for rare ones: at most 15,000 faces of a class.
"""

from trainers.configs import wang2018


def get_config():
    """Returns the configuration."""
    config = wang2018.recipe(
        "two_att_two_mt", num_classes=8, select="accuracy", accuracy=0.50
    )
    config.sampling.update(name="down", limit=15_000)
    return config
