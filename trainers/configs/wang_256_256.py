r"""Wang et al., Table 4, 256 and 256 hidden units: CCC 0.711 and 0.549.

python -m trainers.train --config=trainers/configs/wang_256_256.py \
    --data=data/affectnet --workdir=runs/wang_256_256
"""

from trainers.configs import wang2018


def get_config():
    """Returns the configuration."""
    return wang2018.recipe("two_att_two_mt_256_256", ccc=(0.711, 0.549, 0.630))
