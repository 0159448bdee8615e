import numpy as np
import pytest

from fer_tf.faces import pyramid
from fer_tf.faces.pyramid import shrunk


def test_the_longer_side_decides_and_nothing_is_enlarged():
    wide = np.zeros((100, 400, 3), np.uint8)
    assert shrunk(wide, 200).shape == (50, 200, 3)
    assert shrunk(wide, 400) is wide


def test_of_a_line_of_pixels_one_remains():
    assert shrunk(np.zeros((1, 30000, 3), np.uint8), 1280).shape == (1, 1280, 3)


SHAPES = [(512, 512), (228, 163), (1000, 667), (90, 1200), (43, 43), (20, 20)]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_level_has_its_place(shape):
    scales = pyramid.scales(*shape, 20, 0.709)
    sheets = pyramid.sheets(*shape, 20, 0.709)
    assert [level.scale for sheet in sheets for level in sheet.levels] == list(scales)
    assert len(sheets) == min(2, len(scales))
    for sheet in sheets:
        taken = np.zeros((sheet.height, sheet.width), int)
        for level in sheet.levels:
            assert level.top % 2 == level.left % 2 == 0
            place = taken[level.top :, level.left :][: level.height, : level.width]
            assert place.shape == (level.height, level.width)
            place += 1
        assert taken.max() == 1
        assert taken.mean() > 0.7
        assert sheet.channels == 4 or taken.all()  # No gaps without their mark.
        assert min(level.height for level in sheet.levels) >= 12
