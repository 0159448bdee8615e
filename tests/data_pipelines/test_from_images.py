"""Pictures cropped on the fly beside the same pictures prepared."""

import dataclasses

import cv2
import numpy as np
import pytest
import tensorflow as tf

from data_pipelines import ops, pipeline, prepare, synthetic
from data_pipelines.images import from_images
from data_pipelines.sources import DataError, open_source
from fer_tf.faces.crop_spec import CROP_SPECS

OPTIONS = synthetic.SyntheticOptions(size=200)


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image[..., ::-1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Faces of several sizes and a wall, by expression."""
    root = tmp_path_factory.mktemp("images")
    for number in range(20):
        image = synthetic.draw(number, OPTIONS).image[: 200 - number % 3 * 10]
        name = ("happiness", "sadness")[number % 2]
        write(root / name / f"{number}.{'jpg' if number % 3 else 'png'}", image)
    write(root / "sadness" / "wall.png", np.full((90, 120, 3), 127, np.uint8))
    return root


def rows(batches):
    """The examples of all batches, by their id."""
    found = {}
    for batch in batches.as_numpy_iterator():
        for row, name in enumerate(batch["sample_id"]):
            found[name] = {key: value[row] for key, value in batch.items()}
    return found


@pytest.mark.parametrize("detector, crop", [("mtcnn", "zhang2020"), ("none", "meen")])
def test_crops_and_labels_are_those_of_prepare(detector, crop, folder, tmp_path):
    spec = CROP_SPECS[crop]
    manifest = prepare.prepare(
        open_source("folder", str(folder)), str(tmp_path / "out"), crop_spec=spec,
        detector=detector, on_no_face="whole", rows_a_chunk=7,
    )  # fmt: skip
    # Drawn faces are not all faces to MTCNN, and the wall is none.
    assert (manifest["cropped"].get("aligned", 0) > 15) == (detector == "mtcnn")
    assert manifest["cropped"]["whole"] >= 1
    prepared = pipeline.open_prepared(str(tmp_path / "out"))
    batches, expected = {}, {}
    for split in manifest["counts"]:
        batches[split] = pipeline.eval_batches(
            prepared, split, size=spec.size, channels=spec.channels, batch_size=1
        )
        expected |= rows(batches[split])
    made = from_images(str(folder), crop=crop, detector=detector, batch_size=6)
    kinds = lambda ds: {k: (s.dtype, s.shape[1:]) for k, s in ds.element_spec.items()}
    assert kinds(made) == kinds(batches["train"])
    found = rows(made)
    assert found.keys() == expected.keys() and len(found) == 21
    for name, example in expected.items():
        for key, value in example.items():
            np.testing.assert_array_equal(found[name][key], value, err_msg=key)
    only = from_images(str(folder), crop=crop, detector="none", split="train")
    assert rows(only).keys() == rows(batches["train"]).keys()


def test_ops_and_fit_take_its_batches(folder):
    spec = dataclasses.replace(CROP_SPECS["meen"], size=32)
    batches = from_images(
        str(folder), [ops.random_flip(seed=0), ops.to_model_input()], crop=spec,
        detector="none", batch_size=8,
    )  # fmt: skip
    sizes = [len(batch["image"]) for batch in batches]
    assert sizes == [8, 8, 5]
    image, labels, weights = next(iter(pipeline.for_fit(batches, ["expression"])))
    assert image.shape == (8, 32, 32, 1) and image.dtype == tf.float32
    assert weights["expression"].numpy().tolist() == [1] * 8
    assert labels["expression"].numpy().tolist() == [1] * 8  # Happiness comes first.


def test_a_folder_without_labels(tmp_path):
    for name in ("b.png", "a.png", "deep/c.png"):
        write(tmp_path / name, synthetic.draw(3, OPTIONS).image)
    made = from_images(str(tmp_path), detector="none", labelled=False)
    (batch,) = made.as_numpy_iterator()
    assert batch["sample_id"].tolist() == [b"a.png", b"b.png", b"deep/c.png"]
    weights = [batch[f"{t}_weight"] for t in ("expression", "is_face", "action_units")]
    assert not any(weight.any() for weight in weights)
    (tmp_path / "deep" / "c.png").unlink()
    (tmp_path / "deep").rmdir()
    assert len(rows(from_images(str(tmp_path), detector="none"))) == 2


def test_what_cannot_be_used_is_an_error_or_listed(folder, tmp_path):
    write(tmp_path / "sad" / "a.png", synthetic.draw(3, OPTIONS).image)
    (tmp_path / "sad" / "b.jpg").write_bytes(b"<html>")
    (tmp_path / "stray.png").write_bytes(b"")
    with pytest.raises(tf.errors.OpError, match="DataError: sad/b.jpg: an HTML page"):
        rows(from_images(str(tmp_path), detector="none"))
    rejects = [{"path": "of another pass"}]
    batches = from_images(str(tmp_path), detector="none", rejects=rejects)
    for _ in range(2):
        assert list(rows(batches)) == [b"sad/a.png"]
        assert rejects == [
            {"path": "sad/b.jpg", "reason": "an HTML page, not an image"},
            {"path": "stray.png", "reason": "lies in no class folder"},
        ]
    (tmp_path / "sad" / "b.jpg").unlink()
    with pytest.raises(tf.errors.OpError, match="stray.png: lies in no class folder"):
        rows(from_images(str(tmp_path), detector="none"))
    (tmp_path / "sad" / "a.png").unlink()
    with pytest.raises(tf.errors.OpError, match="no usable picture here; stray.png"):
        rows(from_images(str(tmp_path), detector="none", rejects=rejects))


def test_no_face_is_as_chosen(tmp_path):
    write(tmp_path / "wall.png", np.full((90, 120, 3), 127, np.uint8))
    write(tmp_path / "face.png", synthetic.draw(3, OPTIONS).image)
    rejects = []
    found = from_images(str(tmp_path), on_no_face="skip", rejects=rejects)
    assert list(rows(found)) == [b"face.png"]
    assert rejects == [{"path": "wall.png", "reason": "no face found"}]
    with pytest.raises(tf.errors.OpError, match="wall.png: no face found"):
        rows(from_images(str(tmp_path), on_no_face="error"))


def test_arguments_are_checked(tmp_path):
    with pytest.raises(DataError, match="absent: no such folder"):
        from_images(str(tmp_path / "absent"))
    with pytest.raises(DataError, match="no file here"):
        from_images(str(tmp_path))
    for name in ("crop", "detector", "on_no_face", "split"):
        with pytest.raises(ValueError, match=f"`{name}` is unknown. Received: 'x'"):
            from_images(str(tmp_path), **{name: "x"})
    (tmp_path / "holiday").mkdir()
    with pytest.raises(DataError, match="holiday/ is not named as an expression"):
        from_images(str(tmp_path))
