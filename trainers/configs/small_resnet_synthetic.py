r"""The demo: our small network on drawn faces, in a few minutes on two cores.

python -m trainers.train --config=trainers/configs/small_resnet_synthetic.py \
    --data=data/synthetic --workdir=runs/demo
"""

from ml_collections import ConfigDict

from trainers.configs import base


def get_config() -> ConfigDict:
    """Returns the configuration."""
    config = base.get_config()
    config.dtype_policy = "auto"
    config.model.name = "small_resnet"
    config.model.arguments = ConfigDict(dict(width=0.5))
    config.objective.label_smoothing = 0.1
    config.batch_size = 64
    config.eval_epochs = 2
    config.selection_views = config.views = "center_mirror"

    stage = config.stages[0]
    stage.epochs = 10
    stage.learning_rate = 0.1
    stage.schedule = ConfigDict(dict(name="one_cycle"))
    stage.optimizer = ConfigDict(
        dict(name="sgd", momentum=0.9, weight_decay=5e-4, nesterov=True)
    )
    return config
