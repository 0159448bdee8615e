import keras
from ml_collections import ConfigDict

from tests.testing_utils import tiny_config
from trainers.training import optimizers


def test_keras_own_rmsprop_can_be_chosen():
    stage = tiny_config().stages[0]
    stage.optimizer = ConfigDict(dict(name="rmsprop", rho=0.8))
    optimizer = optimizers.build_optimizer(tiny_config(), stage, 10)
    assert type(optimizer) is keras.optimizers.RMSprop and optimizer.rho == 0.8
