r"""FER+, Barsoum et al. 2016, row PLD: VGG13 by drawing from the votes, 84.99 %.

python -m trainers.prepare --dataset=ferplus --source=ferplus \
    --options=rule=probability,scored=majority --output=data/ferplus_scored
python -m trainers.train --config=trainers/configs/ferplus_vgg13_probability.py \
    --data=data/ferplus_scored --workdir=runs/ferplus_vgg13_probability

All else is as in `ferplus_vgg13`.
"""

from trainers.configs import ferplus_vgg13


def get_config():
    """Returns the configuration."""
    return ferplus_vgg13.recipe(draw=True, accuracy=0.84986)
