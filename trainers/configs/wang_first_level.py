r"""Wang et al., Table 1, row 1st-level: CCC 0.605 and 0.437, RMSE 0.367 and 0.402.

python -m trainers.train --config=trainers/configs/wang_first_level.py \
    --data=data/affectnet --workdir=runs/wang_first_level

The mean CCC is printed as 0.518; its columns' is 0.521.
"""

from trainers.configs import wang2018


def get_config():
    """Returns the configuration."""
    return wang2018.recipe(
        "first_level",
        outputs=wang2018.BOTH,
        ccc=(0.605, 0.437, 0.518),
        rmse=(0.367, 0.402, 0.385),
    )
