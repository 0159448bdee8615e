r"""Zhang and Gu's SENet-50 with the plain sum of losses in both stages.

python -m trainers.train --config=trainers/configs/zhang_senet50_sum.py \
    --data=data/affwild2 --workdir=runs/zhang_senet50_sum \
    --config.published.path=rcmalli_vggface_tf_notop_senet50.h5

The paper has no such row: it is what shows whether learned weights help.
"""

from trainers.configs import zhang2020


def get_config():
    """Returns the configuration."""
    return zhang2020.recipe("mtanet_senet50", published="vggface2", second="sum")
