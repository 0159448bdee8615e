import numpy as np
import pytest

from fer_tf.optimizers import ReduceOnPlateau


@pytest.mark.parametrize(
    "make", [lambda: ReduceOnPlateau(factor=1.0), lambda: ReduceOnPlateau(patience=0)]
)
def test_bad_arguments(make):
    with pytest.raises(ValueError, match="Received"):
        make()


def test_plateau_drops_when_the_loss_did_not():
    plateau = ReduceOnPlateau()
    losses = [1.0, 0.5, 0.49995, 0.4, float("nan"), 0.3]
    scales = [plateau.update(loss) for loss in losses]
    np.testing.assert_allclose(scales, [1, 1, 0.1, 0.1, 0.01, 0.01])


def test_plateau_waits_as_many_epochs_as_its_patience():
    plateau = ReduceOnPlateau(patience=2)
    scales = [plateau.update(loss) for loss in [1.0, 1.0, 0.9, 1.0, 1.0, 1.0, 1.0]]
    np.testing.assert_allclose(scales, [1, 1, 1, 1, 0.1, 0.1, 0.01])
