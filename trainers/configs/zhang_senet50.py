r"""Zhang and Gu, Table I, row SENet-50: CCC 0.28 and 0.34, F1 0.427 (AUs) and 0.32.

python -m trainers.train --config=trainers/configs/zhang_senet50.py \
    --data=data/affwild2 --workdir=runs/zhang_senet50 \
    --config.published.path=rcmalli_vggface_tf_notop_senet50.h5
"""

from trainers.configs import zhang2020


def get_config():
    """Returns the configuration."""
    return zhang2020.recipe(
        "mtanet_senet50",
        published="vggface2",
        ccc_valence=0.28,
        ccc_arousal=0.34,
        au_f1=0.427,
        macro_f1=0.32,
    )
