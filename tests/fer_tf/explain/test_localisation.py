import numpy as np
import pytest

from fer_tf.explain import localisation


def test_mass_by_hand():
    maps = np.zeros((3, 4, 4))
    maps[0, 0, 0], maps[0, 3, 3] = 3.0, 1.0  # Three of four inside.
    maps[1] = 0.2  # Uniform: the region's share of the image.
    regions = np.zeros((3, 4, 4), bool)
    regions[:, :2, :3] = True
    found = localisation.mass_inside(maps, regions)
    np.testing.assert_allclose(found[:2], [3 / 4, 6 / 16])
    assert np.isnan(found[2])  # An empty map lies nowhere.


@pytest.mark.parametrize("maps", [np.zeros((1, 2, 2)), np.full((1, 4, 4), -1.0)])
def test_errors(maps):
    with pytest.raises(ValueError, match="Received"):
        localisation.mass_inside(maps, np.ones((1, 4, 4), bool))


def test_every_map_in_one_form():
    masks = np.zeros((1, 2, 2, 8), np.float32)
    masks[..., 3], masks[0, 0, 0, 5] = 1.0, 1.0
    weights = np.zeros((1, 8), np.float32)
    weights[0, 3], weights[0, 5] = 0.25, 0.5
    guided = np.zeros((1, 4, 4, 3), np.float32)
    guided[0, 1, 2] = (1.0, -2.0, 0.5)
    found = localisation.spatial_maps(
        {
            "target": np.zeros(1),
            "score": np.zeros(1),
            "grad_cam": np.ones((1, 4, 4)),
            "guided_grad_cam": guided,
            "attention1_mask": np.full((1, 2, 2, 5), 0.3, np.float32),
            "level_attention": np.ones((1, 3, 3)),
            "region_masks": masks,
            "region_weights": weights,
        },
        (4, 4),
    )
    assert found.keys() == {"grad_cam", "guided_grad_cam", "attention1_mask", "regions"}
    assert found["guided_grad_cam"].sum() == found["guided_grad_cam"][0, 1, 2] == 3.5
    np.testing.assert_allclose(found["attention1_mask"], 0.3, rtol=1e-6)
    # 0.25 everywhere and 0.5 more in one of four cells, half-pixel bilinear.
    corners = found["regions"][0][[0, 0, 3, 3], [0, 3, 0, 3]]
    np.testing.assert_allclose(corners, [0.75, 0.25, 0.25, 0.25])
    np.testing.assert_allclose(found["regions"].mean(), 0.375, rtol=1e-6)


def test_edges_are_where_brightness_changes():
    image = np.zeros((1, 6, 6, 3), np.float32)
    image[:, :, 3:] = 100.0
    found = localisation.edges(image)[0]
    assert (found[:, 2:4] == 50).all() and found[:, [0, 1, 4, 5]].max() == 0
