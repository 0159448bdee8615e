r"""Wang et al., Table 3, row 2Att-CNN, its arousal: CCC 0.365, RMSE 0.406.

python -m trainers.train --config=trainers/configs/wang_two_att_cnn_arousal.py \
    --data=data/affectnet --workdir=runs/wang_two_att_cnn_arousal

The row is this network and `wang_two_att_cnn_valence`'s together.
"""

from trainers.configs import wang2018


def get_config():
    """Returns the configuration."""
    return wang2018.recipe(
        "two_att_cnn_arousal",
        outputs=("arousal",),
        select="ccc_arousal",
        ccc_arousal=0.365,
        rmse_arousal=0.406,
    )
