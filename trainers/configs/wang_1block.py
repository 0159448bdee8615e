r"""Wang et al., Table 2, row 1-Block: CCC 0.677 and 0.511, RMSE 0.365 and 0.382.

python -m trainers.train --config=trainers/configs/wang_1block.py \
    --data=data/affectnet --workdir=runs/wang_1block
"""

from trainers.configs import wang2018


def get_config():
    """Returns the configuration."""
    return wang2018.recipe(
        "two_att_two_mt_1block", ccc=(0.677, 0.511, 0.594), rmse=(0.365, 0.382, 0.373)
    )
