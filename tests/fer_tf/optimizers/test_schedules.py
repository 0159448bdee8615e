import json

import keras
import numpy as np
import pytest

from fer_tf.optimizers import OneCycle, WarmupCosine, piecewise


def rates(schedule, steps):
    return np.array([float(schedule(step)) for step in steps])


def test_piecewise_drops_with_the_first_step_of_the_epoch():
    """Meen: 200 epochs of 225 steps, tenths at epochs 100, 150 and 180."""
    schedule = piecewise(0.01, total_steps=200 * 225, steps_per_epoch=225)
    at = [0, 100 * 225 - 1, 100 * 225, 150 * 225 - 1, 150 * 225]
    at += [180 * 225 - 1, 180 * 225, 44999]
    np.testing.assert_allclose(
        rates(schedule, at), [1e-2, 1e-2, 1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5], rtol=1e-6
    )


def test_piecewise_drops_by_another_factor_each_time():
    """FER+: half after 20 of 100 epochs, a tenth of the first rate after 40."""
    rate = piecewise(
        0.05, total_steps=100, boundaries_fractions=(0.2, 0.4), factor=(0.5, 0.2)
    )
    found = [float(rate(step)) for step in (0, 19, 20, 39, 40, 99)]
    np.testing.assert_allclose(found, [0.05, 0.05, 0.025, 0.025, 0.005, 0.005])


def test_piecewise_rounds_to_whole_epochs():
    schedule = piecewise(1.0, total_steps=50, steps_per_epoch=10)  # 2.5 -> 3 epochs.
    np.testing.assert_allclose(rates(schedule, [29, 30]), [1.0, 0.1], rtol=1e-6)


def test_gans_schedule():
    schedule = piecewise(
        1e-3, total_steps=20_000, boundaries_fractions=(0.25, 0.5, 0.75)
    )
    np.testing.assert_allclose(
        rates(schedule, [4999, 5000, 10_000, 15_000]), [1e-3, 1e-4, 1e-5, 1e-6], 1e-5
    )


def test_warmup_cosine():
    schedule = WarmupCosine(2.0, total_steps=110, warmup_steps=10, final_fraction=0.1)
    np.testing.assert_allclose(
        rates(schedule, [0, 5, 10, 60, 110, 200]), [0, 1, 2, 1.1, 0.2, 0.2], rtol=1e-5
    )
    np.testing.assert_allclose(rates(WarmupCosine(1.0, total_steps=9), [0]), [1.0])


def test_one_cycle_by_hand():
    schedule = OneCycle(1.0, total_steps=101, rise_fraction=0.5, initial_divisor=4.0)
    top = 0.5 * 101 - 1
    np.testing.assert_allclose(
        rates(schedule, [0, top / 2, top, 100]), [0.25, 0.625, 1.0, 0.25e-4], rtol=2e-3
    )


def test_one_cycle_against_pytorch():
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.3, total_steps=37)
    expected = []
    for _ in range(37):
        expected.append(theirs.get_last_lr()[0])
        optimizer.step()
        if len(expected) < 37:
            theirs.step()
    ours = rates(OneCycle(0.3, total_steps=37), range(37))
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    "schedule",
    [
        piecewise(0.1, total_steps=10),
        WarmupCosine(0.1, total_steps=10, warmup_steps=2),
        OneCycle(0.1, total_steps=10),
    ],
)
def test_schedule_config_round_trip(schedule):
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(schedule)))
    again = keras.saving.deserialize_keras_object(config)
    np.testing.assert_array_equal(rates(again, range(12)), rates(schedule, range(12)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: piecewise(1.0, total_steps=9, boundaries_fractions=(0.5, 0.5)),
        lambda: piecewise(1.0, total_steps=9, boundaries_fractions=(0.5, 1.0)),
        lambda: piecewise(1.0, total_steps=9, factor=(0.5, 0.2)),
        lambda: WarmupCosine(1.0, total_steps=9, warmup_steps=9),
        lambda: OneCycle(1.0, total_steps=3, rise_fraction=0.1),
    ],
)
def test_bad_arguments(make):
    with pytest.raises(ValueError, match="Received"):
        make()
