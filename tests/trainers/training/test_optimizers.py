import keras
import numpy as np
from ml_collections import ConfigDict

from tests.testing_utils import tiny_config
from trainers.training import optimizers


def test_keras_own_rmsprop_can_be_chosen():
    stage = tiny_config().stages[0]
    stage.optimizer = ConfigDict(dict(name="rmsprop", rho=0.8))
    optimizer = optimizers.build_optimizer(tiny_config(), stage, 10)
    assert type(optimizer) is keras.optimizers.RMSprop and optimizer.rho == 0.8


def test_the_rates_of_the_whole_training_in_epochs():
    """Two stages of 8 steps; an epoch is 4 of them; tenths after a half."""
    config = tiny_config()
    stage = config.stages[0].copy_and_resolve_references()
    stage.steps, stage.epochs, stage.learning_rate = 8, 0, 0.1
    stage.schedule = ConfigDict(dict(name="piecewise", boundaries_fractions=(0.5,)))
    config.stages, config.batch_size = (stage, stage), 4
    epochs, rates = optimizers.rates(config, num_train=16)
    assert epochs == [step / 4 for step in range(16)]
    np.testing.assert_allclose(rates, ([0.1] * 4 + [0.01] * 4) * 2, rtol=1e-6)
    stage.schedule = ConfigDict(dict(name="plateau"))
    assert optimizers.rates(config, num_train=16) is None
