import numpy as np
import pytest

from fer_tf.plotting import attention_maps
from tests.fer_tf.plotting.legible import assert_legible


def test_overlay_is_brightest_where_the_map_is_and_dark_without_one():
    image = np.full((32, 32, 1), 128.0)
    values = np.zeros((4, 4))
    values[1, 2] = 7.0
    picture = attention_maps.overlay(image, values).astype(int).sum(-1)
    row, column = np.unravel_index(picture.argmax(), picture.shape)
    side = picture.shape[0] / 4
    assert (row // side, column // side) == (1, 2)


@pytest.mark.parametrize("side", [32, 112, 224])
@pytest.mark.parametrize("value", [0.0, 0.7])
def test_a_map_without_a_place_has_words_and_no_colour(value, side):
    empty = attention_maps.overlay(np.full((side, side, 1), 128.0),
                                   np.full((4, 4), value))  # fmt: skip
    assert (empty == empty[..., :1]).all()
    rows, columns = np.nonzero((empty > 180).any(-1))
    assert 0.7 < np.ptp(columns) / empty.shape[1] < 0.92
    assert 0.04 < np.ptp(rows) / empty.shape[0] < 0.3
    assert np.median(empty[: side // 4]) == 96  # The face, darker.


def test_a_face_times_one_plus_nothing_is_the_face():
    image = np.random.default_rng(0).uniform(0, 255, (44, 44, 1))
    image[0, 0] = 255
    same = attention_maps.product(image, np.ones((44, 44)))
    np.testing.assert_array_equal(same, attention_maps.face(image))
    assert attention_maps.product(image, np.zeros((44, 44))).max() == 0


def test_signed_is_grey_where_there_is_no_gradient():
    gradient = np.zeros((112, 112, 3))
    gradient[:50, :50], gradient[60:, 60:] = 1.0, -1.0
    picture = attention_maps.signed(gradient)
    assert (picture[55, 55] == 128).all()
    assert (picture[0, 0] == 255).all() and (picture[-1, -1] == 0).all()


FIGURES = {
    "grid": lambda: attention_maps.grid(
        [[np.zeros((112, 112, 3), np.uint8), None]] * 2,
        rows=["meen_model3_combination", "face"],
        columns=["meen_model3_combination\nGrad-CAM", "guided"], title="a title",
    ),
    "captioned": lambda: attention_maps.captioned(
        [[("right mouth corner\nq = 0.14", np.zeros((96, 96, 3), np.uint8))] * 3] * 2,
        title="gan_man: happiness", bar=True,
    ),
    "captioned, one, a long title": lambda: attention_maps.captioned(
        [[("Grad-CAM", np.zeros((96, 96, 3), np.uint8))]], title="meen_model3 " * 5,
    ),
    "grid, one, a long title": lambda: attention_maps.grid(
        [[np.zeros((96, 96, 3), np.uint8)]], rows=["…ghijklmnop_wwwwwwwww.jpg"],
        title="meen_model3: Grad-CAM, a person a row", bar=True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_no_word_is_cut_off(name):
    assert_legible(FIGURES[name]())


def test_a_grid_needs_neither_title_nor_names():
    cells = [[np.zeros((8, 8, 3), np.uint8)]] * 2
    assert len(attention_maps.grid(cells).axes) == 2
    assert len(attention_maps.grid(cells, rows=["", "happy"]).axes) == 2
