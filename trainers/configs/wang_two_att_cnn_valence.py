r"""Wang et al., Table 3, row 2Att-CNN, its valence: CCC 0.609, RMSE 0.368.

python -m trainers.train --config=trainers/configs/wang_two_att_cnn_valence.py \
    --data=data/affectnet --workdir=runs/wang_two_att_cnn_valence

The row is this network and `wang_two_att_cnn_arousal`'s together.
"""

from trainers.configs import wang2018


def get_config():
    """Returns the configuration."""
    return wang2018.recipe(
        "two_att_cnn_valence",
        outputs=("valence",),
        select="ccc_valence",
        ccc_valence=0.609,
        rmse_valence=0.368,
    )
