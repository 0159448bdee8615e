r"""Wang et al., Table 1, row 2nd-level (Table 3, 2Att-Mt): CCC 0.618 and 0.460.

python -m trainers.train --config=trainers/configs/wang_two_att_mt.py \
    --data=data/affectnet --workdir=runs/wang_two_att_mt
"""

from trainers.configs import wang2018


def get_config():
    """Returns the configuration."""
    return wang2018.recipe(
        "two_att_mt",
        outputs=wang2018.BOTH,
        ccc=(0.618, 0.460, 0.539),
        rmse=(0.360, 0.393, 0.377),
    )
