r"""Wang et al., Table 6, row Weighted-loss: accuracy 0.58, as published with AffectNet.

python -m trainers.train --config=trainers/configs/wang_weighted_loss.py \
    --data=data/affectnet --workdir=runs/wang_weighted_loss

The number is an AlexNet's of eight classes. This is 2Att-2Mt with eight classes and
that network's remedy for rare ones: faces of rare classes weigh more in the
cross-entropy, by the inverse of their frequency.
"""

from trainers.configs import wang2018


def get_config():
    """Returns the configuration."""
    config = wang2018.recipe(
        "two_att_two_mt", num_classes=8, select="accuracy", accuracy=0.58
    )
    config.class_weights = True
    return config
