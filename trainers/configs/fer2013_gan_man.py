r"""Gan et al.'s network on FER2013 by the recipe of fer2013_quick, RASnet first.

python -m trainers.prepare --dataset=fer2013 --source=fer2013.csv --find_landmarks \
    --output=data/fer2013_landmarks
python -m trainers.train --config=trainers/configs/fer2013_gan_man.py \
    --data=data/fer2013_landmarks --workdir=runs/fer2013_gan_man

One of the four systems on the same faces, at the same budget: not the paper's recipe.
112 pixels and a quarter of the width in place of 224 and all of it, which two cores do
not train; from scratch. RASnet has its own rate and loss, and learns from the faces in
which MTCNN finds five points. The rate of ERSnet, a VGG16 at heart, is fer2013_vgg19's.
"""

from ml_collections import ConfigDict

from trainers.configs import fer2013_quick, gan2020


def get_config() -> ConfigDict:
    """Returns the configuration."""
    config = fer2013_quick.get_config()
    paper = gan2020.recipe("gan_man", "rafdb", published="")
    config.model, config.region_masks = paper.model, paper.region_masks
    config.model.arguments.update(width=0.25, input_shape=(112, 112, 3))
    # Moved by as much of a face as fer2013_quick's 44 of 48.
    config.input.update(size=122, window=112, color="rgb")
    rasnet, ersnet = paper.stages[0], config.stages[0]
    rasnet.steps, rasnet.epochs = 0, ersnet.epochs
    ersnet.name, ersnet.learning_rate = "ersnet", 0.01
    config.stages = rasnet, ersnet
    return config
