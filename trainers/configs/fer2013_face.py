r"""FER2013's own labels, learned by the model that ships: no paper's recipe.

python -m trainers.train --config=trainers/configs/fer2013_face.py \
    --data=data/fer2013_clean --workdir=runs/fer2013_face

`ferplus_best` knows FER2013's training faces by ten raters' votes, and faces by dlib's
photographs. Here it learns the other labels of the same faces, without those that are
copies of validation or test faces: `data/fer2013_clean` as in fer2013_best.
"""

from ml_collections import ConfigDict

from trainers.configs import ferplus_best


def get_config() -> ConfigDict:
    """Returns the configuration."""
    config = ferplus_best.get_config()
    config.init = "ferplus_best"
    config.published.update(format="", statistics=0)
    config.balance = 0.0
    config.objective = ConfigDict(dict(name="expression", label_smoothing=0.1))
    config.mixup = 0.2
    config.select = "accuracy"
    config.stages[0].epochs = 10
    config.stages[0].learning_rate = 0.02
    return config
