r"""Wang et al., Table 6, row Up-sampling: accuracy 0.47, as published with AffectNet.

python -m trainers.train --config=trainers/configs/wang_up_sampling.py \
    --data=data/affectnet --workdir=runs/wang_up_sampling

The number is an AlexNet's of eight classes. This is 2Att-2Mt with eight classes and
that network's remedy for rare ones: faces of small classes repeat until each has as
many as the largest.
"""

from trainers.configs import wang2018


def get_config():
    """Returns the configuration."""
    config = wang2018.recipe(
        "two_att_two_mt", num_classes=8, select="accuracy", accuracy=0.47
    )
    config.sampling.name = "up"
    return config
