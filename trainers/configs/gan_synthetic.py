r"""Gan et al.'s two stages on drawn faces with narrow networks: minutes, no licence.

python -m trainers.train --config=trainers/configs/gan_synthetic.py \
    --data=data/synthetic --workdir=runs/gan_synthetic
"""

from trainers.configs import gan2020


def get_config():
    """Returns the configuration."""
    config = gan2020.recipe("gan_man", "rafdb", published="")
    config.deterministic = True
    config.model.arguments.update(width=0.125, input_shape=(96, 96, 3))
    config.input.update(size=96, window=96)
    config.checkpoint_steps = 10
    # So few steps need other rates than the paper's 1e-3.
    for stage, epochs, rate in zip(config.stages, (2, 3), (1e-4, 1e-2)):
        stage.steps, stage.epochs, stage.learning_rate = 0, epochs, rate
    return config
