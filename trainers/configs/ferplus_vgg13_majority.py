r"""FER+, Barsoum et al. 2016, row MV: VGG13 by majority voting, 83.85 %.

python -m trainers.prepare --dataset=ferplus --source=ferplus \
    --options=rule=majority --output=data/ferplus_majority
python -m trainers.train --config=trainers/configs/ferplus_vgg13_majority.py \
    --data=data/ferplus_majority --workdir=runs/ferplus_vgg13_majority

All else is as in `ferplus_vgg13`.
"""

from trainers.configs import ferplus_vgg13


def get_config():
    """Returns the configuration."""
    return ferplus_vgg13.recipe(accuracy=0.83852)
