import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from fer_tf.plotting.photograph import annotated
from fer_tf.plotting.style import COLORS, luminance, save_figure
from tests.fer_tf.plotting.legible import assert_legible


@pytest.mark.parametrize("shape", [(2, 3000), (3000, 2)])
def test_a_strip_of_a_picture_is_drawn_at_a_size_that_can_be_held(shape, tmp_path):
    face = dict(box=[0, 0, 2, 2], landmarks=np.zeros((5, 2)), expression="fear",
                probabilities=dict(fear=1.0))  # fmt: skip
    image = np.zeros((*shape, 3), np.uint8)
    for faces in ([], [face]):
        figure = annotated(image, faces)
        assert max(figure.get_size_inches()) < 25
        save_figure(figure, str(tmp_path / "a.png"))


def test_a_large_photograph_is_drawn_from_few_pixels_at_its_own_places(tmp_path):
    """Matplotlib took 2.4 GB to draw 48 megapixels."""
    face = dict(box=[3000, 2000, 400, 500], landmarks=np.full((5, 2), 3100.0),
                expression="fear", probabilities=dict(fear=1.0))  # fmt: skip
    figure = annotated(np.zeros((6000, 8000, 3), np.uint8), [face])
    axes = figure.axes[0]
    assert axes.images[0].get_array().shape == (1600, 2133, 3)
    assert axes.images[0].get_extent() == [-0.5, 7999.5, 5999.5, -0.5]
    assert axes.patches[0].get_bbox().bounds == (3000, 2000, 400, 500)
    small = np.zeros((600, 800, 3), np.uint8)
    assert annotated(small, []).axes[0].images[0].get_array().shape[0] == 600


@pytest.mark.parametrize("name", ["valence", "arousal"])
def test_a_model_of_one_dimension_titles_its_faces(name):
    face = {"box": [10, 10, 40, 40], "landmarks": np.full((5, 2), 20.0), name: -0.25}
    figure = annotated(np.zeros((90, 90, 3), np.uint8), [face])
    words = " ".join(text.get_text() for text in figure.findobj(Text))
    assert f"{name[0]} -0.25" in words


NOISE = np.random.default_rng(0).integers(0, 256, (534, 800, 3), np.uint8)
# Four heads in a row, as in a family's photograph.
BOXES = [[304, 175, 104, 145], [405, 211, 84, 124], [502, 218, 84, 107],
         [209, 145, 83, 100]]  # fmt: skip


def four_faces(**more):
    names = list(COLORS)
    odds = [0.3, *[0.1] * 7]
    return [
        dict(box=box, landmarks=np.add(box[:2], 40 * np.ones((5, 2))),
             expression=names[i],
             probabilities=dict(zip(names[i:] + names[:i], odds)), **more)
        for i, box in enumerate(BOXES)
    ]  # fmt: skip


def labels_of(figure):
    """The label of each face, and the text on it, as boxes in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    axes = figure.axes[0]
    rectangles = [p for p in axes.patches if type(p) is Rectangle]
    return [(rectangle, text, rectangle.get_window_extent(),
             text.get_window_extent(canvas.get_renderer()))
            for rectangle, text in zip(rectangles, axes.texts)]  # fmt: skip


@pytest.mark.parametrize("unsure", [False, True])
def test_labels_of_four_neighbours_cover_neither_each_other_nor_the_edge(unsure):
    figure = annotated(NOISE, four_faces(unsure=unsure))
    drawn = labels_of(figure)
    assert len(drawn) == 4
    for (*_, a, _), (*_, b, _) in itertools.combinations(drawn, 2):
        assert not a.overlaps(b)
    photo = figure.axes[0].get_window_extent()
    for _, text, label, letters in drawn:
        assert photo.x0 <= label.x0 < letters.x0 < letters.x1 < label.x1 <= photo.x1
        assert photo.y0 <= label.y0 and label.y1 <= photo.y1
        assert ("unsure" in text.get_text()) == unsure


def test_every_label_can_be_read():
    for unsure in (False, True):
        for rectangle, text, *_ in labels_of(
            annotated(NOISE, four_faces(unsure=unsure))
        ):
            back = luminance(_hex(rectangle.get_facecolor()))
            ink = luminance(text.get_color())
            dark, bright = sorted((back, ink))
            assert (bright + 0.05) / (dark + 0.05) >= 4.5


def _hex(rgba):
    assert rgba[3] == 1  # Nothing shines through.
    return "#" + "".join(f"{round(255 * value):02x}" for value in rgba[:3])


@pytest.mark.parametrize("units", [{}, True])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_no_panel_reaches_into_another(count, units):
    units = units and {f"AU{number}": 0.5 for number in range(1, 13)}
    figure = annotated(NOISE, four_faces(action_units=units)[:count])
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    panels = [axes.get_tightbbox(canvas.get_renderer()) for axes in figure.axes]
    for one, other in itertools.combinations(panels, 2):
        assert not one.overlaps(other)
    assert_legible(figure)


def test_a_crowd_in_a_small_picture_has_numbers():
    faces = four_faces() * 4
    figure = annotated(np.ascontiguousarray(NOISE[150:330, 200:600]), faces)
    drawn = labels_of(figure)
    assert len(drawn) == 16
    for (*_, a, _), (*_, b, _) in itertools.combinations(drawn, 2):
        assert not a.overlaps(b)


def test_a_picture_without_faces_says_so():
    figure = annotated(NOISE, [])
    FigureCanvasAgg(figure).draw()
    (text,) = figure.axes[0].texts
    assert text.get_text() == "no face found"
    photo, box = figure.axes[0].get_window_extent(), text.get_window_extent()
    assert photo.x0 < box.x0 < box.x1 < photo.x1 and box.y1 < photo.y1


def test_a_face_without_detail_looks_blurred_and_a_tiny_one_small():
    faces = four_faces(sharpness=0.1)
    faces[1]["box"] = [405, 211, 12, 14]
    figure = annotated(np.full_like(NOISE, 90), faces)
    words = [text.get_text() for text in figure.axes[0].texts]
    assert [word.split("? ")[1] for word in words] == [
        "blurred", "small", "blurred", "blurred"
    ]  # fmt: skip
    assert figure.axes[2].get_title(loc="left") == "face 2, small"
