r"""2Att-2Mt's recipe on drawn faces with a narrow network: minutes, no licence.

python -m trainers.train --config=trainers/configs/wang_synthetic.py \
    --data=data/synthetic --workdir=runs/wang_synthetic

Wang et al., Sec. 4.1: 56 px grey, random 48 px windows and flips, RMSprop as
TensorFlow 1 ran it, 1e-3 divided by 10 when the loss did not drop, Tukey's
biweight; the centre window and its mirror at test. The paper's batch of 256 is
too much for so few pictures.
"""

from ml_collections import ConfigDict

from trainers.configs import base


def get_config() -> ConfigDict:
    """Returns the configuration."""
    config = base.get_config()
    config.deterministic = True
    config.model.name = "two_att_two_mt"
    config.model.arguments = ConfigDict(dict(width=0.25))
    config.input = ConfigDict(dict(size=56, color="grey", window=48))
    config.batch_size = 32
    config.checkpoint_steps = 20
    config.views = "center_mirror"
    config.average = "probabilities"
    config.select = "ccc_mean"
    config.objective = ConfigDict(
        dict(name="two_stage_multitask", reading="A", regression="tukey", scale=1.0)
    )

    stage = config.stages[0]
    stage.epochs = 6
    stage.learning_rate = 1e-3
    stage.schedule = ConfigDict(
        dict(name="plateau", factor=0.1, patience=1, min_delta=1e-4)
    )
    stage.optimizer = ConfigDict(
        dict(name="rmsprop_tf1", rho=0.9, momentum=0.0, epsilon=1e-10)
    )
    return config
