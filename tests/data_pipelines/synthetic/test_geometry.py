import numpy as np

from data_pipelines.synthetic import canvas, geometry


def moved(**intensities):
    units = np.zeros(len(geometry.UNITS))
    for name, value in intensities.items():
        units[geometry.UNITS.index(int(name.removeprefix("AU")))] = value
    return geometry.move(geometry.MEAN_FACE, units)


def rise(points, **intensities):
    """How far landmarks go up, mean over `points`."""
    change = geometry.move(geometry.MEAN_FACE, np.zeros(14)) - moved(**intensities)
    return change[points, 1].mean()


def test_action_units_move_what_they_are_named_for():
    corners, inner, outer, chin = [48, 54], [21, 22], [17, 18, 25, 26], [7, 8, 9]
    assert rise(corners, AU12=1) > 0.1 and rise(corners, AU15=1) < -0.1
    assert rise(inner, AU1=1) > 0.1 and abs(rise(outer, AU1=1)) < 0.02
    assert rise(outer, AU2=1) > 0.1 and abs(rise(inner, AU2=1)) < 0.02
    assert rise(inner, AU4=1) < -0.05 and rise(chin, AU26=1) < -0.2
    assert rise([57], AU17=1) > 0.05
    assert rise([31, 35], AU9=1) > 0.05
    gap = lambda face, a, b: face[b, 1] - face[a, 1]
    neutral = moved()
    assert gap(moved(AU5=1), 37, 41) > 1.3 * gap(neutral, 37, 41)
    assert gap(moved(AU6=1), 37, 41) < 0.8 * gap(neutral, 37, 41)
    assert gap(neutral, 62, 66) < 0.01 < 0.1 < gap(moved(AU25=1), 62, 66)
    width = lambda face: face[54, 0] - face[48, 0]
    assert width(moved(AU20=1)) > width(neutral) + 0.3
    brows = lambda face: face[22, 0] - face[21, 0]
    assert brows(moved(AU4=1)) < brows(neutral) - 0.1


def test_move_is_symmetric_and_never_crosses_lids_or_lips():
    for seed in range(20):
        units = np.random.default_rng(seed).random(len(geometry.UNITS))
        face = geometry.move(geometry.MEAN_FACE, units)
        np.testing.assert_allclose(face[45], face[36] * (-1, 1, 1), atol=1e-12)
        np.testing.assert_allclose(face[54], face[48] * (-1, 1, 1), atol=1e-12)
        assert (face[[41, 40, 47, 46], 1] > face[[37, 38, 43, 44], 1]).all()
        assert (face[[67, 66, 65], 1] >= face[[61, 62, 63], 1]).all()
    left = geometry.move(geometry.MEAN_FACE, units, asymmetry=0.2)
    assert abs(left[48, 0] + left[54, 0]) > 1e-3


def test_head_turns_the_way_it_says():
    nose = np.array([0, 0, 1.0])
    assert (geometry.rotation(0.3, 0, 0) @ nose)[0] > 0
    assert (geometry.rotation(0, 0.3, 0) @ nose)[1] > 0
    assert (geometry.rotation(0, 0, 0.3) @ np.array([1.0, 0, 0]))[1] > 0
    turn = geometry.rotation(0.3, -0.2, 0.1)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    view = canvas.View.of(turn, 40.0, np.array([50.0, 60.0]))
    direct = 40.0 * (geometry.MEAN_FACE @ turn.T)[:, :2] + (50.0, 60.0)
    np.testing.assert_allclose(
        view.pixels(view.plane(geometry.MEAN_FACE)), direct, atol=1e-9
    )
