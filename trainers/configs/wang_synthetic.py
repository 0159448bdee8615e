r"""2Att-2Mt's recipe on drawn faces with a narrow network: minutes, no licence.

python -m trainers.train --config=trainers/configs/wang_synthetic.py \
    --data=data/synthetic --workdir=runs/wang_synthetic

The paper's batch of 256 is too much for so few pictures.
"""

from trainers.configs import wang2018


def get_config():
    """Returns the configuration."""
    config = wang2018.recipe("two_att_two_mt")
    config.deterministic = True
    config.model.arguments.width = 0.25
    config.batch_size = 32
    config.checkpoint_steps = 20
    config.stages[0].epochs = 6
    return config
