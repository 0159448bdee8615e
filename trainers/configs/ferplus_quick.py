r"""FER+ by shares of its raters' votes, by the recipe of fer2013_quick: a first run.

python -m trainers.verify  --dataset=ferplus --source=ferplus \
    --exclude_to=ferplus_copies.csv
python -m trainers.prepare --dataset=ferplus --source=ferplus \
    --options=rule=probability --exclude=ferplus_copies.csv --output=data/ferplus
python -m trainers.prepare --dataset=ferplus --source=ferplus \
    --output=data/ferplus_majority
python -m trainers.train --config=trainers/configs/ferplus_quick.py \
    --data=data/ferplus --workdir=runs/ferplus_quick
python -m trainers.evaluate --workdir=runs/ferplus_quick --data=data/ferplus_majority \
    --split=test --json=ferplus_quick.json

It learns from every face that has a target; FER+ is scored by its owner's rule
`majority`, eight expressions.
"""

from ml_collections import ConfigDict

from trainers.configs import fer2013_quick


def get_config() -> ConfigDict:
    """Returns the configuration."""
    config = fer2013_quick.get_config()
    config.model.arguments = ConfigDict(dict(num_classes=8))
    config.objective = ConfigDict(dict(name="votes", best=False))
    return config
