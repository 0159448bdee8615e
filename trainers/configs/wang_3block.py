r"""Wang et al., Table 2, row 3-Block: CCC 0.696 and 0.532, RMSE 0.356 and 0.371.

python -m trainers.train --config=trainers/configs/wang_3block.py \
    --data=data/affectnet --workdir=runs/wang_3block
"""

from trainers.configs import wang2018


def get_config():
    """Returns the configuration."""
    return wang2018.recipe(
        "two_att_two_mt_3block", ccc=(0.696, 0.532, 0.614), rmse=(0.356, 0.371, 0.364)
    )
