import numpy as np
import pytest

from fer_tf.faces import region_masks as rm

# l1..l8 of a face in a 224-pixel crop, chosen for round cells of 16 pixels.
FACE = np.array(
    [
        (112, 128),  # nose tip
        (56, 80), (88, 80),  # left eye: outer, inner; centre (72, 80)
        (136, 80), (168, 80),  # right eye: inner, outer; centre (152, 80)
        (80, 168), (144, 168),  # mouth corners
        (112, 192),  # lower lip; with the nose, centre (112, 160)
    ],
    dtype=float,
)  # fmt: skip

# By hand. 0.27, 0.36, 0.54, 0.72 of 14 cells are 3.78, 5.04, 7.56, 10.08, half
# of them 1.89, 2.52, 3.78, 5.04. Centres in cells: eyes 4.5 and 9.5 by 5, between
# them 7 by 5, nose 7 by 8, mouth corners 5 and 9 by 10.5, mouth and nose 7 by 10.
CELLS = {  # region: first and last row, first and last column
    "whole": (0, 13, 0, 13),
    "eyes_brows": (3, 7, 2, 12),  # 2.48..7.52, 1.96..12.04
    "mouth_nose": (8, 12, 4, 10),  # 7.48..12.52, 3.22..10.78
    "left_eye": (4, 6, 3, 6),  # 3.11..6.89, 2.61..6.39
    "right_eye": (4, 6, 8, 11),  # 3.11..6.89, 7.61..11.39
    "nose": (7, 9, 6, 8),  # 6.11..9.89, 5.11..8.89
    "left_mouth_corner": (9, 12, 4, 6),  # 8.61..12.39, 3.11..6.89
    "right_mouth_corner": (9, 12, 8, 10),  # 8.61..12.39, 7.11..10.89
}
LITERAL = {
    "eyes_brows": (0, 10, 5, 9),  # -0.04..10.04, 4.48..9.52
    "mouth_nose": (7, 13, 5, 9),  # 6.22..13.78, 4.48..9.52
}
CENTERED = {  # Cells whose i + 1/2 is inside.
    "left_eye": (3, 6, 3, 5),  # 3.11..6.89: 3.5, 4.5, 5.5, 6.5; 2.61..6.39: to 5.5
    "nose": (6, 9, 5, 8),  # 6.11..9.89: 6.5 to 9.5; 5.11..8.89: 5.5 to 8.5
}


def mask_of(top, bottom, left, right):
    mask = np.zeros((14, 14), np.float32)
    mask[top : bottom + 1, left : right + 1] = 1
    return mask


@pytest.mark.parametrize(
    "options, cells",
    [
        ({}, CELLS),
        ({"region_sizes": "literal"}, {**CELLS, **LITERAL}),
        ({"cell_anchor": "center"}, CENTERED),
    ],
)
def test_masks_by_hand(options, cells):
    masks = rm.region_masks(FACE, **options)
    assert masks.shape == (14, 14, 8) and masks.dtype == np.float32
    for name, box in cells.items():
        mask = masks[..., rm.REGIONS.index(name)]
        np.testing.assert_array_equal(mask, mask_of(*box), err_msg=name)


def test_boxes_of_table_2():
    boxes = rm.region_boxes(FACE, image_size=(100, 200))
    np.testing.assert_allclose(boxes[0], (100, 50, 200, 100))
    np.testing.assert_allclose(boxes[1], (112, 80, 144, 36))
    np.testing.assert_allclose(boxes[2], (112, 160, 108, 36))
    np.testing.assert_allclose(boxes[3:, 2:], [(54, 27)] * 5)
    np.testing.assert_allclose(boxes[5:, :2], FACE[[0, 5, 6]])


def test_outside_the_crop_and_batches():
    far = np.stack([FACE, FACE + 1000])
    masks = rm.region_masks(far)
    np.testing.assert_array_equal(masks[0], rm.region_masks(FACE))
    assert masks[1, ..., 0].all() and not masks[1, ..., 1:].any()
    assert rm.region_masks(FACE, image_size=(96, 160)).shape == (6, 10, 8)


@pytest.mark.parametrize(
    "count, indices",
    [(68, (30, 36, 39, 42, 45, 48, 54, 57)), (37, (7, 13, 16, 19, 22, 25, 31, 34))],
)
def test_longer_landmark_lists(count, indices):
    points = np.random.default_rng(0).uniform(size=(3, count, 2))
    points[:, indices] = FACE
    np.testing.assert_array_equal(rm.eight_landmarks(points), [FACE] * 3)


def test_five_points():
    five = np.array([(72, 80), (152, 80), (112, 128), (80, 168), (144, 168)])
    eight = rm.eight_landmarks(five)
    # Mouth (112, 168), 40 below the nose: the lip another 0.8 * 40 below.
    np.testing.assert_allclose(eight[7], (112, 200))
    eight[7] = FACE[7]
    np.testing.assert_array_equal(rm.region_masks(eight), rm.region_masks(FACE))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"points": np.zeros((7, 2))}, "n of 5, 8, 37 or 68"),
        ({"points": np.zeros(16)}, "n of 5, 8, 37 or 68"),
        ({"region_sizes": "other"}, "region_sizes"),
        ({"cell_anchor": "other"}, "cell_anchor"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        rm.region_masks(**{"points": FACE, **options})
