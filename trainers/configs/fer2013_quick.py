r"""A first real run on FER2013: a small network of ours, no paper's recipe.

python -m trainers.train --config=trainers/configs/fer2013_quick.py \
    --data=data/fer2013 --workdir=runs/quick
"""

from ml_collections import ConfigDict

from trainers.configs import base


def get_config() -> ConfigDict:
    """Returns the configuration."""
    config = base.get_config()
    config.dtype_policy = "auto"
    config.model.name = "small_resnet"
    config.augment.update(degrees=8.0, zoom=0.08, shift=0.04)
    config.objective.label_smoothing = 0.1
    config.views = "center_mirror"
    config.eval_epochs = 3

    stage = config.stages[0]
    stage.epochs = 12
    stage.learning_rate = 0.1
    stage.schedule = ConfigDict(dict(name="one_cycle", rise_fraction=0.2))
    stage.optimizer = ConfigDict(
        dict(name="sgd", momentum=0.9, weight_decay=5e-4, nesterov=True)
    )
    return config
