"""Pictures that can be read: every word inside the picture, every value drawn."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from fer_tf import labels
from fer_tf.plotting import attention_maps, score_figures
from fer_tf.plotting.confusion import confusion_matrix
from fer_tf.plotting.curves import training_curves

RNG = np.random.default_rng(0)
NAMES = list(labels.EXPRESSIONS)


def assert_legible(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) > -0.02, box
    assert box.x1 < width + 0.02 and box.y1 < height + 0.02, box
    words = [text for text in figure.findobj(Text) if text.get_text().strip()]
    assert min(text.get_fontsize() for text in words) >= 7


def group(value):
    return {"num_examples": 1234, "metrics": {"accuracy": value},
            "intervals": {"accuracy": (value - 0.1, value + 0.1)}}  # fmt: skip


CURVE = [
    {"coverage": c, "accuracy": 0.6, "interval": [0.5, 0.7], "confidence": 0.3}
    for c in (1.0, 0.9, 0.8, 0.7)
]
LABELS = RNG.integers(0, 7, 200)
ROWS = [
    {"stage": stage, "epoch": 1, "step": 1, "learning_rate": 0.1, "loss": 2.0,
     "expression": 1.0, "valence": 0.5, "arousal": 0.5, "validation/ccc_mean": 0.1,
     "test/ccc_mean": 0.2}
    for stage in ("one", "one", "two")
]  # fmt: skip
MASS = {"mass": 0.3, "interval": [0.2, 0.4], "uniform": 0.1}
FIGURES = {
    "confusion": lambda: confusion_matrix(
        RNG.integers(0, 9000, (8, 8)), NAMES, title="a_model_of_a_long_name on rafdb"
    ),
    "curves": lambda: training_curves(ROWS, select="ccc_mean", title="title"),
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
    "grid": lambda: attention_maps.grid(
        [[np.zeros((112, 112, 3), np.uint8), None]] * 2,
        rows=["meen_model3_combination", "face"],
        columns=["meen_model3_combination\nGrad-CAM", "guided"], title="a title",
    ),
    "captioned": lambda: attention_maps.captioned(
        [[("right mouth corner\nq = 0.14", np.zeros((96, 96, 3), np.uint8))] * 3] * 2,
        title="gan_man: happiness",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_no_word_is_cut_off(name):
    assert_legible(FIGURES[name]())
