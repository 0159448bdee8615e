import numpy as np

from data_pipelines.synthetic import labels
from fer_tf.labels import ACTION_UNITS, EXPRESSIONS


def test_labels_agree_with_each_other(unpainted):
    faces = unpainted(700, label_noise=0.0)
    classes = np.array([face.expression for face in faces])
    assert set(classes) == set(range(7)) and EXPRESSIONS[7] == "contempt"
    for face in faces[:100]:
        assert face.expression == face.clean_expression
        assert list(face.action_units) == [
            face.au_intensities[name] >= labels.PRESENT for name in ACTION_UNITS
        ]
        units = np.array(list(face.au_intensities.values()))
        felt = labels.valence_arousal(units)
        assert np.linalg.norm(felt) < 1
        assert np.abs(felt - (face.valence, face.arousal)).max() < 0.4
    felt = np.array([(face.valence, face.arousal) for face in faces])
    valence, arousal = np.stack([felt[classes == k].mean(0) for k in range(7)]).T
    name = EXPRESSIONS.index
    assert valence[name("happiness")] > 0.3 > 0 > valence[name("anger")]
    assert valence[name("sadness")] < -0.3
    assert arousal[name("sadness")] < 0 < 0.2 < arousal[name("anger")]
    assert min(arousal[name("surprise")], arousal[name("fear")]) > 0.35
    assert np.abs([valence[0], arousal[0]]).max() < 0.15


def test_rates_of_the_options(unpainted):
    noisy = unpainted(1000, label_noise=0.25)
    wrong = [face.expression != face.clean_expression for face in noisy]
    assert abs(np.mean(wrong) - 0.25) < 0.05
    felt = np.array([(face.valence, face.arousal) for face in noisy])
    units = np.array([list(face.au_intensities.values()) for face in noisy])
    true = np.array([labels.valence_arousal(u) for u in units])
    # An outlier is uniform on the square: nearly all lie further off than raters do.
    assert abs((np.abs(felt - true).max(1) > 0.3).mean() - 0.23) < 0.05

    missing = unpainted(1000, missing=0.3)
    for field in ("expression", "valence", "action_units"):
        absent = [getattr(face, field) is None for face in missing]
        assert abs(np.mean(absent) - 0.3) < 0.05
    assert all((face.valence is None) == (face.arousal is None) for face in missing)

    happy = [f.clean_expression == 1 for f in unpainted(1000, imbalance="affectnet")]
    # 134,415 of the 283,901 training images of AffectNet's first seven classes.
    assert abs(np.mean(happy) - 134415 / 283901) < 0.05
