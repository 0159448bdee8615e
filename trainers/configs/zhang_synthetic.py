r"""MTANet's recipe on drawn faces with a narrow network: minutes, no licence.

python -m trainers.train --config=trainers/configs/zhang_synthetic.py \
    --data=data/synthetic --workdir=runs/zhang_synthetic

Zhang & Gu, Sec. III: first the sum of the losses, Adam 1e-3 with coupled decay
1e-3; then the losses weighted by learned uncertainty (Eq. 5), SGD 1e-4 with
decay 5e-3. The paper does not give batch size, epochs or momentum.
"""

from ml_collections import ConfigDict

from trainers.configs import base


def get_config() -> ConfigDict:
    """Returns the configuration."""
    config = base.get_config()
    config.deterministic = True
    config.model.name = "mtanet_senet50"
    config.model.arguments = ConfigDict(dict(width=0.125, input_shape=(64, 64, 3)))
    config.input = ConfigDict(dict(size=64, color="rgb", window=64))
    config.batch_size = 64
    config.checkpoint_steps = 10
    config.select = "ccc_mean"
    config.objective = ConfigDict(dict(name="multi_task", weighting="sum"))

    first, second = base.stage(), base.stage()
    first.name, second.name = "sum", "uncertainty"
    first.epochs, second.epochs = 3, 1
    first.learning_rate, second.learning_rate = 1e-3, 1e-4
    first.optimizer = ConfigDict(dict(name="adam", weight_decay=1e-3))
    second.optimizer = ConfigDict(dict(name="sgd", momentum=0.9, weight_decay=5e-3))
    second.objective = ConfigDict(dict(name="multi_task", weighting="uncertainty"))
    config.stages = (first, second)
    return config
