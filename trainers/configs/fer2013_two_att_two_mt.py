r"""2Att-2Mt on FER2013 by the recipe of fer2013_quick, from scratch.

python -m trainers.prepare --dataset=synthetic --source=seed=1,examples=6000,size=48 \
    --labels=valence_arousal --output=data/drawn_valence_arousal
python -m trainers.train --config=trainers/configs/fer2013_two_att_two_mt.py \
    --data=data/fer2013,data/drawn_valence_arousal --workdir=runs/fer2013_two_att_two_mt

One of the four systems on the same faces, at the same budget: not the paper's recipe.
Categories are FER2013's, valence and arousal those of drawn faces, whose categories
are left out; an epoch has the faces of both.

Measured: 64.53 % of PrivateTest, 74 minutes on two busy CPU cores.
"""

from ml_collections import ConfigDict

from trainers.configs import fer2013_quick, wang2018


def get_config() -> ConfigDict:
    """Returns the configuration."""
    config = fer2013_quick.get_config()
    paper = wang2018.recipe("two_att_two_mt")
    config.model, config.objective = paper.model, paper.objective
    # Windows of 48 pixels, moved by as much of a face as fer2013_quick's 44 of 48.
    config.input.update(size=52, window=48)
    config.mixed_crops = True
    return config
