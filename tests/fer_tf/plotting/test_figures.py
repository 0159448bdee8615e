"""Pictures that can be read: every word inside the picture, every value drawn."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from fer_tf import labels
from fer_tf.plotting import attention_maps, figures, score_figures

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
    "confusion": lambda: figures.confusion_matrix(
        RNG.integers(0, 9000, (8, 8)), NAMES, title="a_model_of_a_long_name on rafdb"
    ),
    "curves": lambda: figures.training_curves(ROWS, select="ccc_mean", title="title"),
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


def test_overlay_is_brightest_where_the_map_is_and_dark_without_one():
    image = np.full((32, 32, 1), 128.0)
    values = np.zeros((4, 4))
    values[1, 2] = 7.0
    picture = attention_maps.overlay(image, values).astype(int).sum(-1)
    row, column = np.unravel_index(picture.argmax(), picture.shape)
    side = picture.shape[0] / 4
    assert (row // side, column // side) == (1, 2)
    empty = attention_maps.overlay(image, np.zeros((4, 4)))
    assert len(np.unique(empty)) <= 3 and empty.max() < 128


def test_a_face_times_one_plus_nothing_is_the_face():
    image = RNG.uniform(0, 255, (44, 44, 1))
    image[0, 0] = 255
    same = attention_maps.product(image, np.ones((44, 44)))
    np.testing.assert_array_equal(same, attention_maps.face(image))
    assert attention_maps.product(image, np.zeros((44, 44))).max() == 0


def test_signed_is_grey_where_there_is_no_gradient():
    gradient = np.zeros((112, 112, 3))
    assert np.unique(attention_maps.signed(gradient)).tolist() == [128]
    gradient[:50, :50], gradient[60:, 60:] = 1.0, -1.0
    picture = attention_maps.signed(gradient)
    assert (picture[0, 0] == 255).all() and (picture[-1, -1] == 0).all()


@pytest.mark.parametrize("shape", [(2, 3000), (3000, 2)])
def test_a_strip_of_a_picture_is_drawn_at_a_size_that_can_be_held(shape, tmp_path):
    face = dict(box=[0, 0, 2, 2], landmarks=np.zeros((5, 2)), expression="fear",
                probabilities=dict(fear=1.0))  # fmt: skip
    image = np.zeros((*shape, 3), np.uint8)
    for faces in ([], [face]):
        figure = figures.annotated(image, faces)
        assert max(figure.get_size_inches()) < 25
        figures.save(figure, str(tmp_path / "a.png"))


def test_a_large_photograph_is_drawn_from_few_pixels_at_its_own_places(tmp_path):
    """Matplotlib took 2.4 GB to draw 48 megapixels."""
    face = dict(box=[3000, 2000, 400, 500], landmarks=np.full((5, 2), 3100.0),
                expression="fear", probabilities=dict(fear=1.0))  # fmt: skip
    figure = figures.annotated(np.zeros((6000, 8000, 3), np.uint8), [face])
    axes = figure.axes[0]
    assert axes.images[0].get_array().shape == (1600, 2133, 3)
    assert axes.images[0].get_extent() == [-0.5, 7999.5, 5999.5, -0.5]
    assert axes.patches[0].get_bbox().bounds == (3000, 2000, 400, 500)
    small = np.zeros((600, 800, 3), np.uint8)
    assert figures.annotated(small, []).axes[0].images[0].get_array().shape[0] == 600


@pytest.mark.parametrize("name", ["valence", "arousal"])
def test_a_model_of_one_dimension_titles_its_faces(name):
    face = {"box": [10, 10, 40, 40], "landmarks": np.full((5, 2), 20.0), name: -0.25}
    figure = figures.annotated(np.zeros((90, 90, 3), np.uint8), [face])
    words = " ".join(text.get_text() for text in figure.findobj(Text))
    assert f"{name[0]} -0.25" in words
