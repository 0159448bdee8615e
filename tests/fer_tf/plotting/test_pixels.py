import numpy as np
import pytest

from fer_tf.plotting import pixels
from fer_tf.plotting.colors import COLORS, ink_on, rgb


def ground(height=60, width=200):
    return np.full((height, width, 3), 90, np.uint8)


@pytest.mark.parametrize("name", COLORS)
def test_a_label_is_written_in_the_ink_that_can_be_read_on_its_colour(name):
    """Black on orange, white on blue: `ink_on`, whose contrast test_style measures."""
    picture = ground()
    box = (10, 20, *pixels.label_size("1 fear", 15))
    pixels.draw_label(picture, "1 fear", box, COLORS[name], 15)
    x, y, w, h = box
    label = picture[y : y + h, x : x + w]
    assert (label == rgb(COLORS[name])).all(-1).mean() > 0.5
    # Pixels that a letter covers whole.
    assert (label == rgb(ink_on(COLORS[name]))).all(-1).sum() > 10
    picture[y : y + h, x : x + w] = 90
    assert (picture == 90).all()


@pytest.mark.parametrize(
    "corner", [(-20, 5), (190, 5), (5, -9), (5, 55), (-400, 5), (5, 99)]
)
def test_words_partly_or_wholly_outside_are_cut_off(corner):
    whole, cut = ground(200, 700), ground()
    x, y = corner
    pixels.write(whole, "surprise", (250 + x, 70 + y), 15, "#ffffff")
    pixels.write(cut, "surprise", corner, 15, "#ffffff")
    np.testing.assert_array_equal(cut, whole[70:130, 250:450])


def test_letters_are_blended_with_what_is_below():
    black, white = ground() * 0, ground() * 0 + 255
    for picture in (black, white):
        pixels.write(picture, "o", (5, 5), 20, "#ff0000")
    # Red covers a share of each pixel: on black red is left, on white the rest.
    np.testing.assert_allclose(black[..., 0], 255 - white[..., 1].astype(int), atol=1)
    assert (white[..., 0] == 255).all() and (black[..., 1:] == 0).all()


def test_words_of_other_alphabets_are_drawn():
    sizes = {text: pixels.text_size(text, 20)[0] for text in ("радость", "zażółć")}
    assert min(sizes.values()) > 40
    boxes = ground()
    pixels.write(boxes, "радость", (5, 5), 20, "#ffffff")
    # A font without these letters draws the same box for each: few rows differ.
    columns = (boxes[..., 0] > 150).sum(0)
    assert len({tuple(columns[i : i + 8]) for i in range(5, 70, 9)}) > 4


def test_a_picture_is_written_whole_or_not_at_all(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    path = tmp_path / "a.png"
    pixels.save_png(picture, str(path))
    from PIL import Image

    np.testing.assert_array_equal(np.asarray(Image.open(path)), picture)
    with pytest.raises(OSError, match="b.png"):
        pixels.save_png(picture, str(tmp_path / "none" / "b.png"))
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
