import numpy as np

from data_pipelines.batches import geometry


def test_the_37_points_of_rafdb_are_mirrored_pair_by_pair():
    """As decoded: outer to inner brow, wings of the nose, corners of the eyes, lips."""
    mirror = geometry.MIRRORED_POINTS[37]
    assert sorted(mirror) == list(range(37))
    assert all(mirror[mirror[point]] == point for point in range(37))
    pairs = {0: 5, 2: 3, 8: 12, 13: 22, 16: 19, 25: 31}
    assert {point: mirror[point] for point in pairs} == pairs
    assert [point for point in range(37) if mirror[point] == point] == [
        6,
        7,
        10,
        28,
        34,
    ]
    # Tops of the eyes stay tops, and the bottoms bottoms.
    assert {mirror[point] for point in (14, 15)} == {20, 21}
    assert {mirror[point] for point in (17, 18)} == {23, 24}


def test_mirrored_68_points_are_an_involution_that_keeps_the_midline():
    order = np.array(geometry.MIRRORED_POINTS[68])
    assert sorted(order) == list(range(68))
    np.testing.assert_array_equal(order[order], np.arange(68))
    # Chin, nose bridge and tip, lip centres lie on the midline.
    fixed = {8, 27, 28, 29, 30, 33, 51, 57, 62, 66}
    assert {i for i in range(68) if order[i] == i} == fixed
    assert order[36] == 45 and order[48] == 54 and order[17] == 26
