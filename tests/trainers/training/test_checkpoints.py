import os
import threading

import numpy as np
import pytest
import tensorflow as tf

from fer_tf.optimizers import CoupledSGD
from tests.testing_utils import full_disk
from trainers.training import checkpoints


@pytest.fixture
def parts():
    return {"a": [tf.Variable(tf.random.stateless_normal((50, 400), (1, 2)))],
            "b": {"step": tf.Variable(7, dtype=tf.int64)}}  # fmt: skip


def zeroed(parts):
    return tf.nest.map_structure(lambda v: tf.Variable(tf.zeros_like(v)), parts)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_what_is_saved_is_what_was_there_when_it_was_asked(
    jit_compile, parts, tmp_path, monkeypatch
):
    """The next steps write to the variables before the checkpoint is written."""
    go, write = threading.Event(), checkpoints.Checkpoints._write
    monkeypatch.setattr(
        checkpoints.Checkpoints, "_write", lambda *args: go.wait() and write(*args)
    )
    (weights,), step = parts["a"], parts["b"]["step"]
    optimizer = CoupledSGD(0.1, momentum=0.9)
    optimizer.build([weights])
    parts["slots"] = [v.value for v in optimizer.variables]

    @tf.function(jit_compile=jit_compile)
    def train():
        optimizer.apply([tf.ones_like(weights)], [weights])
        step.assign_add(1)

    train()
    expected = tf.nest.map_structure(lambda v: v.numpy().copy(), parts)
    saver = checkpoints.Checkpoints(str(tmp_path))
    saver.save(parts, 8)
    for _ in range(3):
        train()
    go.set()
    saver.wait()
    assert (weights.numpy() != expected["a"][0]).all()
    path = tf.train.latest_checkpoint(str(tmp_path))
    assert path == saver.newest() == str(tmp_path / "ckpt-8")
    assert int(checkpoints.value(path, "b", "step")) == 8
    read = zeroed(parts)
    checkpoints.restore(path, read)
    tf.nest.map_structure(np.testing.assert_array_equal, read, expected)


def test_the_newest_two_are_kept_and_the_rest_of_a_kill_is_cleared_up(parts, tmp_path):
    saver = checkpoints.Checkpoints(str(tmp_path))
    for number in (1, 2, 3):
        saver.save(parts, number)
    saver.wait()
    names = sorted(os.listdir(tmp_path))
    expected = ["checkpoint"]
    for number in (2, 3):
        expected += [f"ckpt-{number}.data-00000-of-00001", f"ckpt-{number}.index"]
    assert names == expected
    (tmp_path / "ckpt-4_temp").mkdir()
    for name in ("ckpt-4_temp/part", "ckpt-1.index", "checkpoint.tmp123"):
        (tmp_path / name).write_text("x")
    saver.clear_up()
    assert sorted(os.listdir(tmp_path)) == expected


@pytest.mark.parametrize("damage", [b"", b"\0" * 64, None], ids=["empty", "0", "none"])
def test_a_damaged_list_of_checkpoints_loses_none(damage, parts, tmp_path):
    saver = checkpoints.Checkpoints(str(tmp_path))
    for number in (9, 10):
        saver.save(parts, number)
    saver.wait()
    index = tmp_path / "checkpoint"
    index.unlink() if damage is None else index.write_bytes(damage)
    again = checkpoints.Checkpoints(str(tmp_path))
    assert again.newest() == str(tmp_path / "ckpt-10")
    again.clear_up()
    assert len(list(tmp_path.glob("ckpt-*.index"))) == 2
    again.save(parts, 11)
    again.wait()
    assert again.newest() == str(tmp_path / "ckpt-11")
    assert len(list(tmp_path.glob("ckpt-*.index"))) == checkpoints.KEPT


@pytest.mark.parametrize("name", ["lr[1]", "a*", "a?", "a\\b"])
def test_a_folder_whose_name_is_a_pattern_is_refused(name):
    with pytest.raises(ValueError, match="cannot be read back"):
        checkpoints.Checkpoints(f"runs/{name}/checkpoints")


def test_a_full_disk_is_one_line_and_leaves_the_checkpoint_before_whole(
    parts, tmp_path
):
    saver = checkpoints.Checkpoints(str(tmp_path))
    saver.save(parts, 1)
    saver.wait()
    parts["b"]["step"].assign(9)
    with full_disk(20_000):
        saver.save(parts, 2)
        with pytest.raises(OSError, match="checkpoint 2 cannot be written") as error:
            saver.wait()
    assert "\n" not in str(error.value) and str(tmp_path) in str(error.value)
    assert not list(tmp_path.glob("*_temp"))
    assert saver.newest() == str(tmp_path / "ckpt-1")
    read = zeroed(parts)
    checkpoints.restore(saver.newest(), read)
    assert int(read["b"]["step"]) == 7
    saver.save(parts, 2)  # There is room again.
    saver.wait()
    assert saver.newest() == str(tmp_path / "ckpt-2")


def test_a_checkpoint_of_another_model_is_refused(parts, tmp_path):
    saver = checkpoints.Checkpoints(str(tmp_path))
    saver.save(parts, 1)
    saver.wait()
    for other in ({**parts, "c": [tf.Variable(0.0)]}, {"a": [tf.Variable(0.0)]}):
        with pytest.raises(ValueError, match="does not fit this model"):
            checkpoints.restore(saver.newest(), other)
