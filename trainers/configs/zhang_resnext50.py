r"""Zhang and Gu, Table I, row ResNext-50: CCC 0.22 and 0.31, F1 0.403 (AUs) and 0.30.

python -m trainers.train --config=trainers/configs/zhang_resnext50.py \
    --data=data/affwild2 --workdir=runs/zhang_resnext50
"""

from trainers.configs import zhang2020


def get_config():
    """Returns the configuration."""
    return zhang2020.recipe(
        "mtanet_resnext50",
        ccc_valence=0.22,
        ccc_arousal=0.31,
        au_f1=0.403,
        macro_f1=0.30,
    )
