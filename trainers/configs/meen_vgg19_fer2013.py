r"""Meen et al., Table 1, row VGG19: FER2013 accuracy 72.61 %.

python -m trainers.train --config=trainers/configs/meen_vgg19_fer2013.py \
    --data=data/fer2013 --workdir=runs/meen_vgg19

The recipe is Sec. 4.2's: random 44x44 crops and flips, batch 128, SGD with
momentum 0.9 and coupled weight decay 5e-4, 0.01 divided by 10 after 50, 75 and
90 % of 250 epochs ("150-300, depending on the model"). The paper is silent on
its test crops: ten-crop as in the public code that the recipe comes from.
"""

from ml_collections import ConfigDict

from trainers.configs import base


def get_config() -> ConfigDict:
    """Returns the configuration."""
    config = base.get_config()
    config.model.name = "vgg19_fer"
    config.input = ConfigDict(dict(size=48, color="grey", window=44))
    config.batch_size = 128
    config.views = "ten_crop"
    config.paper = ConfigDict(dict(accuracy=0.7261))

    stage = config.stages[0]
    stage.epochs = 250
    stage.learning_rate = 0.01
    stage.schedule = ConfigDict(
        dict(name="piecewise", boundaries_fractions=(0.5, 0.75, 0.9), factor=0.1)
    )
    stage.optimizer = ConfigDict(dict(name="sgd", momentum=0.9, weight_decay=5e-4))
    return config
