import cv2
import numpy as np
import pytest

from data_pipelines.batches import sampling
from data_pipelines.batches.sampling import Group, Order
from data_pipelines.preparation import prepare
from data_pipelines.sources import DataError, open_source
from data_pipelines.storage.prepared import open_prepared

# As unequal as AffectNet's: happiness 134,415 to contempt 3,750, and a few without.
SIZES = {0: 300, 1: 540, 2: 60, 7: 15}
UNNAMED = 25


class Columns:
    """Stands for a prepared folder of which sampling sees the columns only."""

    folders = ("data/drawn",)

    def __init__(self, **columns):
        self.training_columns = columns

    def counts(self, split):
        return [len(next(iter(self.training_columns.values())))]


def classes():
    rng = np.random.default_rng(0)
    expression = np.repeat([*SIZES, 0], [*SIZES.values(), UNNAMED])
    weight = np.repeat([1.0, 0.0], [sum(SIZES.values()), UNNAMED])
    mixed = rng.permutation(len(weight))
    return Columns(expression=expression[mixed], expression_weight=weight[mixed])


def draw(data, name, limit=0, seed=0, window=128):
    return sampling.order(data, name=name, limit=limit, seed=seed, window=window)


def drawn_classes(data, rows):
    found = data.training_columns["expression"][rows]
    return dict(zip(*np.unique(found, return_counts=True)))


def test_up_sampling_draws_every_class_as_often_as_the_largest():
    data = classes()
    order = draw(data, "up")
    assert order.epoch_size == 4 * 540
    counts = np.zeros(len(data.training_columns["expression"]), int)
    for epoch in range(5):
        rows, _ = order.epoch(epoch)
        assert drawn_classes(data, rows) == dict.fromkeys(SIZES, 540)
        np.add.at(counts, rows, 1)
    assert not counts[data.training_columns["expression_weight"] == 0].any()
    for label, size in SIZES.items():
        named = data.training_columns["expression_weight"] > 0
        here = named & (data.training_columns["expression"] == label)
        # 5 * 540 is a multiple of every size: all have come equally often.
        assert set(counts[here]) == {5 * 540 // size}


def test_up_sampling_balances_every_window():
    data = classes()
    rows, _ = draw(data, "up").epoch(0)
    for start in range(0, len(rows) - 128, 128):
        counts = drawn_classes(data, rows[start : start + 128])
        assert all(abs(counts[label] - 32) <= 2 for label in SIZES)


def test_an_example_that_comes_again_is_another_turn():
    rows, turns = draw(classes(), "up").batch(0, 4 * 540)
    pairs = set(zip(rows.tolist(), turns.tolist()))
    assert len(pairs) == 4 * 540
    # Nobody comes a second time before all of the class have come once.
    contempt = classes().training_columns["expression"][rows] == 7
    assert set(np.unique(turns[contempt], return_counts=True)[1]) == {15}


def test_down_sampling_keeps_the_same_few_of_every_class():
    data = classes()
    order = draw(data, "down", limit=50)
    assert order.epoch_size == 50 + 50 + 50 + 15
    first, _ = order.epoch(0)
    assert drawn_classes(data, first) == {0: 50, 1: 50, 2: 50, 7: 15}
    again, _ = order.epoch(1)
    assert sorted(again) == sorted(first) and list(again) != list(first)
    other, _ = draw(data, "down", limit=50, seed=1).epoch(0)
    assert set(other) != set(first)


def test_videos_give_other_frames_every_epoch_until_all_have_come():
    frames = np.array([100, 40, 7])
    names = np.repeat([b"0/a", b"0/b", b"0/c"], frames)
    data = Columns(video=np.concatenate([names, np.full(9, b"", names.dtype)]))
    order = draw(data, "videos", limit=20)
    assert order.epoch_size == 20 + 20 + 7 + 9
    epochs = [order.epoch(number)[0] for number in range(5)]
    for rows in epochs:
        assert [(rows < 100).sum(), ((rows >= 100) & (rows < 140)).sum()] == [20, 20]
        assert set(range(140, 156)) <= set(rows)
    of_first = [rows[rows < 100] for rows in epochs]
    assert sorted(np.concatenate(of_first)) == list(range(100))


def test_frames_of_videos_that_lie_together_are_spread_over_the_batches():
    names = np.repeat([b"0/%02d" % n for n in range(30)], 200)
    order = draw(Columns(video=names), "videos", limit=32, window=512)
    for step in range(order.epoch_size // 64):
        rows, _ = order.batch(step, 64)
        counts = np.bincount(rows // 200, minlength=30)
        assert (counts > 0).sum() >= 20 and counts.max() <= 10


@pytest.mark.parametrize("name, limit", [("all", 0), ("up", 0), ("down", 40)])
def test_a_batch_is_a_function_of_its_step(name, limit):
    whole = draw(classes(), name, limit)
    steps = 3 * whole.epoch_size // 50
    stream = np.stack([whole.batch(step, 50) for step in range(steps)])
    for step in (steps - 1, 0, steps // 2):
        np.testing.assert_array_equal(
            draw(classes(), name, limit).batch(step, 50), stream[step]
        )
    # Backwards too, whatever the order has kept.
    for step in reversed(range(steps)):
        np.testing.assert_array_equal(whole.batch(step, 50), stream[step])
    # The epochs follow one another without a gap, whatever the batch.
    rows = np.concatenate([whole.epoch(e)[0] for e in range(3)])
    np.testing.assert_array_equal(stream[:, 0].ravel(), rows[: steps * 50])
    assert (draw(classes(), name, limit, seed=1).batch(0, 50) != stream[0]).any()


def test_a_batch_larger_than_an_epoch_goes_through_several():
    order = Order([Group(np.arange(3), 3)], seed=0, window=8)
    rows, turns = order.batch(0, 8)
    assert sorted(rows[:3]) == sorted(rows[3:6]) == [0, 1, 2]
    assert turns.tolist() == [0, 0, 0, 1, 1, 1, 2, 2]


def test_batches_may_be_asked_for_out_of_order():
    # tf.data reads several at a time: that of a new epoch may overtake the last.
    data = classes()
    there = [draw(data, "all").batch(step, 64)[0] for step in range(60)]
    order = draw(data, "all")
    for step in (0, 15, 14, 30, 29, 13, 28, 45, 40, 2, 59):
        np.testing.assert_array_equal(order.batch(step, 64)[0], there[step])


def test_rows_are_shuffled_well_but_read_near_together():
    count, window = 50_000, 8192
    order = Order([Group(np.arange(count), count, 2048)], seed=0, window=window)
    rows, _ = order.epoch(0)
    assert sorted(rows) == list(range(count))
    for start in range(0, count, window):
        part = rows[start : start + window]
        assert len(np.unique(part // 2048)) <= window // 2048 + 2
        # Within a window, where an example comes says nothing of where it lies.
        assert abs(np.corrcoef(np.arange(len(part)), part)[0, 1]) < 0.05
    # Two epochs share neither the blocks nor the order in them.
    assert (order.epoch(1)[0] == rows).mean() < 0.01


@pytest.mark.parametrize("name, limit", [("half", 0), ("down", 0), ("videos", 0)])
def test_what_cannot_be_drawn_is_refused(name, limit):
    with pytest.raises(ValueError, match="sampling.name.*sampling.limit"):
        draw(classes(), name, limit)


def test_labels_that_are_not_there_are_missed():
    unnamed = Columns(expression=np.zeros(5, int), expression_weight=np.zeros(5))
    with pytest.raises(DataError, match="data/drawn: sampling 'up' needs expressions"):
        draw(unnamed, "up")
    with pytest.raises(DataError, match="needs videos; none is named"):
        draw(Columns(video=np.full(5, b"")), "videos", limit=2)


def write_affwild2(root, videos, frames):
    labels = root / "annotations" / "VA_Set" / "Training_Set"
    labels.mkdir(parents=True)
    for number in range(videos):
        name, grey = f"video{number:02d}", np.full((112, 112, 3), 5 * number, np.uint8)
        lines = ["valence,arousal"] + [f"{0.01 * number},0.5"] * frames
        (labels / f"{name}.txt").write_text("\n".join(lines))
        folder = root / "cropped_aligned" / name
        folder.mkdir(parents=True)
        for frame in range(frames):
            cv2.imwrite(str(folder / f"{frame + 1:05d}.jpg"), grey)


def test_batches_of_prepared_videos_hold_frames_of_many(tmp_path):
    write_affwild2(tmp_path / "source", videos=20, frames=25)
    source = open_source("affwild2", str(tmp_path / "source"))
    output, spec = str(tmp_path / "prepared"), source.crop_spec()
    prepare.prepare(source, output, crop_spec=spec, rows_a_chunk=100)
    data = open_prepared(output)
    videos = data.training_columns["video"]
    names = np.unique(videos)
    assert len(names) == 18  # A tenth of the recordings is held out.
    assert all(name.startswith(b"0/video") for name in names)
    everything = draw(data, "all")
    for step in range(everything.epoch_size // 64):
        rows, _ = everything.batch(step, 64)
        # 64 draws miss a given video with probability (17 / 18)^64 = 2.6 %.
        assert len(np.unique(videos[rows])) >= 14
    some = draw(data, "videos", limit=4)
    assert some.epoch_size == 4 * 18
    rows, _ = some.epoch(0)
    assert set(np.unique(videos[rows], return_counts=True)[1]) == {4}


def test_a_small_folder_is_in_every_window():
    """As FER2013 beside 4,758 drawn faces, whose blocks fell into one window of three.

    Each of the two begins and ends in a window within one example of its share; the
    last window, which is short, likewise.
    """
    data = Columns()
    data.counts = lambda split: [28709, 0, 4758]
    order = draw(data, "all", window=16384)
    share = 4758 / order.epoch_size
    for epoch in range(4):
        rows, turns = order.epoch(epoch)
        assert sorted(rows) == list(range(order.epoch_size)) and set(turns) == {epoch}
        for start in range(0, len(rows), 16384):
            window = rows[start : start + 16384] >= 28709
            assert abs(window.sum() - share * len(window)) <= 2
        batches = (rows[: len(rows) // 128 * 128] >= 28709).reshape(-1, 128)
        assert batches.any(axis=1).all()
