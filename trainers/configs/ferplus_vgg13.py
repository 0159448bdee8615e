r"""FER+, Barsoum et al. 2016, row CEL: VGG13 by cross-entropy with the votes, 84.72 %.

python -m trainers.prepare --dataset=ferplus --source=ferplus \
    --options=rule=probability,scored=majority --output=data/ferplus_scored
python -m trainers.train --config=trainers/configs/ferplus_vgg13.py \
    --data=data/ferplus_scored --workdir=runs/ferplus_vgg13

As the owner's code trains it (github.com/microsoft/FERPlus, `src/train.py`): faces of
64 pixels, turned by up to 20 degrees, shifted by 8 % and scaled by 5 %; batches of 32;
100 epochs, of which the best on validation counts. Its rate is 0.05 for 20 epochs, half
of that for 20 more, then a tenth. CNTK's momentum of 0.9 has unit gain by default: a
step is a tenth of what other frameworks make of that rate, which therefore is 0.005
here.

Not as there: width and height are scaled alike, nothing is skewed, and what a turned
face lacks is its edge repeated, not mirrored.
"""

from ml_collections import ConfigDict

from trainers.configs import base


def get_config() -> ConfigDict:
    """Returns the configuration."""
    return recipe(accuracy=0.84716)


def recipe(*, best: bool = False, draw: bool = False, **paper: float) -> ConfigDict:
    """Returns the configuration of a row.

    Args:
        best: Whether any expression with votes counts as right.
        draw: Whether one of the votes stands for all, another one in each epoch.
        **paper: What the paper states, by metric.
    """
    config = base.get_config()
    config.model.name = "ferplus_vgg13"
    config.model.arguments = ConfigDict(dict(width=1.0))
    config.input.update(size=64, window=64)
    config.augment.update(crop=False, degrees=20.0, zoom=0.05, shift=0.08)
    config.objective = ConfigDict(dict(name="votes", best=best))
    config.draw_votes = draw
    config.batch_size = 32
    config.paper = ConfigDict(paper)

    stage = config.stages[0]
    stage.epochs = 100
    stage.learning_rate = 0.005
    stage.schedule = ConfigDict(
        dict(name="piecewise", boundaries_fractions=(0.2, 0.4), factor=(0.5, 0.2))
    )
    return config
