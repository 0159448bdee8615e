r"""Wang et al., Table 1, row MultitaskCNN: CCC 0.589 and 0.423, RMSE 0.373 and 0.408.

python -m trainers.train --config=trainers/configs/wang_multitask_cnn.py \
    --data=data/affectnet --workdir=runs/wang_multitask_cnn
"""

from trainers.configs import wang2018


def get_config():
    """Returns the configuration."""
    return wang2018.recipe(
        "multitask_cnn",
        outputs=wang2018.BOTH,
        ccc=(0.589, 0.423, 0.506),
        rmse=(0.373, 0.408, 0.391),
    )
