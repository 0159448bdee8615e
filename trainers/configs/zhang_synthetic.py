r"""MTANet's recipe on drawn faces with a narrow network: minutes, no licence.

python -m trainers.train --config=trainers/configs/zhang_synthetic.py \
    --data=data/synthetic --workdir=runs/zhang_synthetic
"""

from trainers.configs import zhang2020


def get_config():
    """Returns the configuration."""
    config = zhang2020.recipe("mtanet_senet50")
    config.deterministic = True
    config.model.arguments.update(width=0.125, input_shape=(64, 64, 3))
    config.input.update(size=64, window=64)
    config.sampling.update(name="all", limit=0)  # Drawn faces belong to no video.
    config.batch_size = 64
    config.checkpoint_steps = 10
    config.stages[0].epochs, config.stages[1].epochs = 3, 1
    return config
