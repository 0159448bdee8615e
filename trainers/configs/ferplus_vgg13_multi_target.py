r"""FER+, Barsoum et al. 2016, row ML: VGG13 by multi-label learning, 83.97 %.

python -m trainers.prepare --dataset=ferplus --source=ferplus \
    --options=rule=multi_target,scored=majority --output=data/ferplus_multi_target
python -m trainers.train --config=trainers/configs/ferplus_vgg13_multi_target.py \
    --data=data/ferplus_multi_target --workdir=runs/ferplus_vgg13_multi_target

All else is as in `ferplus_vgg13`.
"""

from trainers.configs import ferplus_vgg13


def get_config():
    """Returns the configuration."""
    return ferplus_vgg13.recipe(best=True, accuracy=0.83966)
