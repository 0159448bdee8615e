r"""Zhang and Gu, Table I, row ResNext+CBAM: CCC 0.27 and 0.34, F1 0.397 and 0.31.

python -m trainers.train --config=trainers/configs/zhang_resnext50_cbam.py \
    --data=data/affwild2 --workdir=runs/zhang_resnext50_cbam
"""

from trainers.configs import zhang2020


def get_config():
    """Returns the configuration."""
    return zhang2020.recipe(
        "mtanet_resnext50_cbam",
        ccc_valence=0.27,
        ccc_arousal=0.34,
        au_f1=0.397,
        macro_f1=0.31,
    )
