import numpy as np
import pytest
from matplotlib.text import Text

from fer_tf.plotting.photograph import annotated
from fer_tf.plotting.style import save_figure


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
