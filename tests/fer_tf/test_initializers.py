import numpy as np
import pytest

from fer_tf.initializers import pytorch_defaults


def test_both_fill_plus_minus_one_over_root_fan_in():
    values = [f((3, 3, 16, 500)) for f in pytorch_defaults(9 * 16).values()]
    for x in values:
        x = np.asarray(x)
        assert np.abs(x).max() == pytest.approx(1 / 12, rel=1e-3)
        assert x.mean() == pytest.approx(0, abs=1e-3)
        assert x.std() == pytest.approx(1 / 12 / np.sqrt(3), rel=1e-2)
    assert not np.allclose(*values)


def test_fan_in_must_be_positive():
    with pytest.raises(ValueError, match="Received: fan_in=0"):
        pytorch_defaults(0)
