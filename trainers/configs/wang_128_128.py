r"""Wang et al., Table 4, 128 and 128 hidden units: CCC 0.708 and 0.536.

python -m trainers.train --config=trainers/configs/wang_128_128.py \
    --data=data/affectnet --workdir=runs/wang_128_128
"""

from trainers.configs import wang2018


def get_config():
    """Returns the configuration."""
    return wang2018.recipe("two_att_two_mt_128_128", ccc=(0.708, 0.536, 0.622))
