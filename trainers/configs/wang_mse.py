r"""Wang et al., Table 5, row MSE: CCC 0.709 and 0.541.

python -m trainers.train --config=trainers/configs/wang_mse.py \
    --data=data/affectnet --workdir=runs/wang_mse
"""

from trainers.configs import wang2018


def get_config():
    """Returns the configuration."""
    return wang2018.recipe(
        "two_att_two_mt", regression="mse", ccc=(0.709, 0.541, 0.625)
    )
