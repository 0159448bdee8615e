import numpy as np
import pytest

from fer_tf import labels
from fer_tf.plotting import score_figures
from tests.fer_tf.plotting.legible import assert_legible

RNG = np.random.default_rng(0)
NAMES = list(labels.EXPRESSIONS)


def group(value):
    return {"num_examples": 1234, "metrics": {"accuracy": value},
            "intervals": {"accuracy": (value - 0.1, value + 0.1)}}  # fmt: skip


CURVE = [
    {"coverage": c, "accuracy": 0.6, "interval": [0.5, 0.7], "confidence": 0.3}
    for c in (1.0, 0.9, 0.8, 0.7)
]
LABELS = RNG.integers(0, 7, 200)
MASS = {"mass": 0.3, "interval": [0.2, 0.4], "uniform": 0.1}
FIGURES = {
    "circumplex": lambda: score_figures.circumplex(
        RNG.uniform(-1, 1, (90, 2)), RNG.normal(size=(90, 2)), NAMES * 11 + [""] * 2
    ),
    "circumplex of many": lambda: score_figures.circumplex(
        RNG.uniform(-1, 1, (9001, 2)), RNG.uniform(-1, 1, (9001, 2)), title="set, test"
    ),
    "action units": lambda: score_figures.action_units(
        {f"au_f1_{name}": 0.5 for name in labels.ACTION_UNITS},
        {"au_f1_AU1": (0.4, 0.6)},
        dict.fromkeys(labels.ACTION_UNITS, 0.2),
    ),
    "calibration": lambda: score_figures.calibration_curves(
        LABELS, RNG.normal(size=(200, 7)) + 2 * np.eye(7)[LABELS], 1.5, CURVE
    ),
    "calibration of one": lambda: score_figures.calibration_curves(
        np.array([0]), np.array([[1.0, 0.0]]), None, CURVE
    ),
    "groups": lambda: score_figures.groups(
        {"race": {"African-American": group(0.5), "not annotated": group(0.7)},
         "age": {"0-3": group(0.6)}}, "accuracy", 0.55,
    ),
    "localisation": lambda: score_figures.localisation(
        {"meen_model3_combination": {"guided_backpropagation": MASS, "edges": MASS,
                                     "grad_cam": {"mass": None}}}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_no_word_is_cut_off(name):
    assert_legible(FIGURES[name]())
