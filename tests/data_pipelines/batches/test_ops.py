import numpy as np
import pytest
import tensorflow as tf

from data_pipelines.batches import ops


def batch(size=48, channels=1, rows=6):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (rows, size, size, channels), dtype=np.uint8)
    return {
        "image": tf.constant(image),
        "landmarks": tf.constant(rng.uniform(8, 40, (rows, 68, 2)), tf.float32),
        "key": tf.constant(np.arange(rows) * 7919, tf.int64),
        "epoch": tf.zeros((rows,), tf.int64),
    }


ALL = {
    "random_crop": ops.random_crop(44, seed=0),
    "center_crop": ops.center_crop(44),
    "random_flip": ops.random_flip(seed=0),
    "random_affine": ops.random_affine(seed=0, degrees=15, zoom=0.1, shift=0.1),
    "random_erase": ops.random_erase(seed=0, probability=1.0, area=0.2),
    "random_cover": ops.random_cover(seed=0, probability=1.0, depth=0.4),
    "random_light": ops.random_light(seed=0, contrast=0.3, brightness=0.2),
    "random_blur": ops.random_blur(seed=0, sigma=2.0),
    "random_jpeg": ops.random_jpeg(seed=0, probability=1.0, worst=15, best=75),
    "to_model_input": ops.to_model_input(),
}


@pytest.mark.parametrize("name", ALL)
def test_same_eagerly_and_in_a_pipeline(name):
    before, op = batch(), ALL[name]
    eager = op(before)
    mapped = next(iter(tf.data.Dataset.from_tensors(batch()).map(op)))
    for key, value in eager.items():
        np.testing.assert_allclose(value, mapped[key], atol=1e-2, err_msg=key)
    for key, value in batch().items():
        np.testing.assert_array_equal(before[key], value, err_msg=f"{key} was changed")


def test_crop_is_a_window_and_moves_the_landmarks_with_it():
    before = batch()
    after = ops.random_crop(44, seed=3)(before)
    moved = (before["landmarks"] - after["landmarks"]).numpy()[:, 0].astype(int)
    for row, (left, top) in enumerate(moved):
        window = before["image"][row, top : top + 44, left : left + 44]
        np.testing.assert_array_equal(after["image"][row], window)
    assert len({tuple(offset) for offset in moved}) > 1


def test_every_offset_of_a_crop_occurs_about_equally():
    rows = 5000
    data = {
        "image": tf.zeros((rows, 48, 48, 1), tf.uint8),
        "landmarks": tf.zeros((rows, 5, 2)),
        "key": tf.range(rows, dtype=tf.int64),
        "epoch": tf.zeros((rows,), tf.int64),
    }
    offsets = -ops.random_crop(44, seed=0)(data)["landmarks"].numpy()[:, 0]
    counts = np.unique(offsets, axis=0, return_counts=True)[1]
    assert len(counts) == 25  # 48 - 44 + 1 a side.
    assert counts.min() > 130 and counts.max() < 270


def test_a_square_of_the_mean_is_erased():
    before = {**batch(rows=200), "image": tf.constant(
        np.random.default_rng(0).integers(0, 256, (200, 48, 48, 1), dtype=np.uint8)
    )}  # fmt: skip
    erase = lambda p: ops.random_erase(seed=0, probability=p, area=0.2)(before)
    image = before["image"].numpy()
    np.testing.assert_array_equal(erase(0.0)["image"], image)
    after = erase(1.0)["image"].numpy()
    changed = (after != image)[..., 0]
    share = changed.mean((1, 2))
    # Of an area that is drawn from 0 to a fifth, some of it beyond the edge.
    assert 0.05 < share.mean() < 0.1 and share.max() < 0.2101  # 22 of 48
    for old, new, where in zip(image[..., 0], after[..., 0], changed):
        if where.any():
            rows, columns = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
            assert np.ptp(rows) < 22 and np.ptp(columns) < 22
            block = where[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            assert block.sum() >= block.size - 5  # A few were the mean already.
            assert np.abs(new[where] - old.mean()).max() <= 1
    half = (erase(0.5)["image"].numpy() != image).any((1, 2, 3))
    assert 70 < half.sum() < 130


@pytest.mark.parametrize("xp", [np, tf], ids=["numpy", "tensorflow"])
def test_one_vote_is_drawn_by_its_share_and_another_one_later(xp):
    rows = 4000
    give = lambda value, kind: (np.array if xp is np else tf.constant)(value, kind)
    votes = np.tile(np.array([[0.1, 0, 0.6, 0.3]], np.float32), (rows, 1))
    votes[-1] = 0
    data = lambda epoch: {
        "image": give(np.zeros((rows, 1, 1, 1)), np.uint8),
        "votes": give(votes, np.float32),
        "expression": give(np.full(rows, 3), np.int64),
        "key": give(np.arange(rows), np.int64),
        "epoch": give(np.full(rows, epoch), np.int64),
    }
    drawn, again, later = (ops.draw_votes(seed=1)(data(n)) for n in (0, 0, 1))
    labels, target = np.asarray(drawn["expression"]), np.asarray(drawn["votes"])
    assert labels.dtype == np.int64 and target.dtype == np.float32
    np.testing.assert_array_equal(target[:-1], np.eye(4)[labels[:-1]])
    shares = np.bincount(labels[:-1], minlength=4) / (rows - 1)
    np.testing.assert_allclose(shares, [0.1, 0, 0.6, 0.3], atol=0.02)
    # Nobody voted: the label stays, and there are still no votes.
    assert labels[-1] == 3 and not target[-1].any()
    np.testing.assert_array_equal(labels, again["expression"])
    # Two independent draws agree by 0.01 + 0.36 + 0.09.
    same = (labels == np.asarray(later["expression"]))[:-1].mean()
    assert same == pytest.approx(0.46, abs=0.03)


def test_flip_mirrors_half_of_the_faces_and_swaps_left_and_right():
    rows = 2000
    points = np.zeros((rows, 5, 2), np.float32)
    points[:] = [[10, 20], [30, 20], [20, 30], [12, 40], [28, 40]]
    image = np.zeros((rows, 48, 48, 1), np.uint8)
    image[:, :, :24] = 255
    data = {
        "image": tf.constant(image),
        "landmarks": tf.constant(points),
        "key": tf.range(rows, dtype=tf.int64),
        "epoch": tf.zeros((rows,), tf.int64),
    }
    after = ops.random_flip(seed=0)(data)
    flipped = after["image"].numpy()[:, 0, 0, 0] == 0
    assert 0.45 < flipped.mean() < 0.55
    # x -> 47 - x, and the image-left eye is still listed first.
    expected = [[17, 20], [37, 20], [27, 30], [19, 40], [35, 40]]
    np.testing.assert_array_equal(after["landmarks"][flipped.argmax()], expected)
    np.testing.assert_array_equal(after["landmarks"].numpy()[~flipped][0], points[0])


def test_affine_moves_landmarks_with_the_picture():
    image = np.zeros((32, 64, 64, 1), np.float32)
    image[:, 20:23, 40:43] = 255.0
    data = {
        "image": tf.constant(image),
        "landmarks": tf.constant(np.full((32, 5, 2), [41.0, 21.0], np.float32)),
        "key": tf.range(32, dtype=tf.int64),
        "epoch": tf.zeros((32,), tf.int64),
    }
    op = ops.random_affine(seed=0, degrees=20, zoom=0.15, shift=0.05)
    after = op(data)
    weights = after["image"].numpy()[..., 0]
    rows, columns = np.mgrid[:64, :64]
    mass = weights.sum((1, 2))
    center = np.stack(
        [(weights * g).sum((1, 2)) / mass for g in (columns, rows)], axis=1
    )
    np.testing.assert_allclose(after["landmarks"].numpy()[:, 0], center, atol=0.35)
    assert np.ptp(center, axis=0).min() > 4


def test_another_epoch_augments_otherwise_and_the_same_epoch_alike():
    op = ops.random_crop(40, seed=0)
    first, again = op(batch()), op(batch())
    later = op({**batch(), "epoch": tf.ones((6,), tf.int64)})
    np.testing.assert_array_equal(first["image"], again["image"])
    assert (first["image"] != later["image"]).numpy().any()


def test_a_window_larger_than_the_picture_is_refused():
    with pytest.raises(ValueError, match="size=50, picture 48x48"):
        ops.center_crop(50)(batch())
