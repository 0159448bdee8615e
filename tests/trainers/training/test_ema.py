import numpy as np

from fer_tf.optimizers import CoupledSGD
from tests.trainers.training.one_step import batch, small, values
from trainers.training import (
    ema,
    steps,
)


def test_the_average_of_the_weights_is_the_one_worked_out_by_hand():
    model, objective = small()
    average = ema.WeightAverage(model, 0.9)
    step = steps.make_train_step(model, CoupledSGD(0.1), objective, jit_compile=False)
    state = steps.State(objective.tasks)
    counted = steps.make_counted_step(step, state, average=average)
    expected = values(model)
    for number in range(1, 4):
        counted(batch())
        decay = min(0.9, (1 + number) / (10 + number))
        expected = [
            decay * e + (1 - decay) * v for e, v in zip(expected, values(model))
        ]
    raw = values(model)
    with average.in_model():
        for e, v in zip(expected, values(model), strict=True):
            np.testing.assert_allclose(e, v, rtol=1e-5, atol=1e-7)
    for was, now in zip(raw, values(model)):
        np.testing.assert_array_equal(was, now)
