r"""Gan et al.'s two stages on drawn faces with narrow networks: minutes, no licence.

python -m trainers.train --config=trainers/configs/gan_synthetic.py \
    --data=data/synthetic --workdir=runs/gan_synthetic

Gan et al., Sec. 4.2: RASnet learns the eight region masks; then ERSnet learns
the expression with RASnet frozen. Both by Caffe's SGD with momentum 0.9 and
coupled decay 5e-4, divided by 10 in steps. No augmentation is mentioned.
"""

from ml_collections import ConfigDict

from trainers.configs import base


def get_config() -> ConfigDict:
    """Returns the configuration."""
    config = base.get_config()
    config.deterministic = True
    config.model.name = "gan_man"
    config.model.arguments = ConfigDict(dict(width=0.125, input_shape=(96, 96, 3)))
    config.input = ConfigDict(dict(size=96, color="rgb", window=96))
    config.augment.update(crop=False, flip=False)
    config.region_masks = ConfigDict(dict(region_sizes="swapped", cell_anchor="corner"))
    config.batch_size = 42
    config.checkpoint_steps = 10

    masks, expression = base.stage(), base.stage()
    masks.name, expression.name = "rasnet", "ersnet"
    masks.submodel = "rasnet"
    masks.objective = ConfigDict(dict(name="region_masks"))
    masks.keep_best = False
    masks.epochs, expression.epochs = 2, 3
    masks.learning_rate = 1e-4
    expression.learning_rate = 1e-2
    for stage in (masks, expression):
        stage.schedule = ConfigDict(
            dict(name="piecewise", boundaries_fractions=(0.25, 0.5, 0.75), factor=0.1)
        )
        stage.optimizer = ConfigDict(
            dict(name="sgd", momentum=0.9, weight_decay=5e-4, momentum_style="caffe")
        )
    config.stages = (masks, expression)
    return config
