import types

import cv2
import numpy as np
import pytest

from fer_tf.plotting import score_figures
from tests.fer_tf.plotting.legible import assert_legible
from tests.trainers.explanation.untrained import loaded
from trainers.explanation import face_maps, faces
from trainers.explanation.explained import Explained


def stub(maps, moving, people):
    """Something that explains faces by maps that are given."""
    pictures = [types.SimpleNamespace(person=person) for person in people]
    images = np.zeros((*moving.shape, 1), np.float32)
    images[:, :, moving.shape[2] // 2 :] = 9.0
    explain = lambda rows, target=None: {"grad_cam": maps[rows]}
    return types.SimpleNamespace(
        name="stub", pictures=pictures, images=images, moving=moving, explain=explain
    )


def test_localisation_by_hand():
    moving = np.zeros((4, 8, 8), bool)
    moving[:3, :2] = True  # A quarter of the image; the last face stands still.
    maps = np.zeros((4, 8, 8))
    maps[0, 0, 0], maps[0, 7, 7] = 3.0, 1.0  # 3/4 of the mass.
    maps[1] = 1.0  # 1/4, and the third is empty.
    found = face_maps.localise([stub(maps, moving, "abcd")])
    assert (found["num_faces"], found["num_still"]) == (4, 1)
    row = found["models"]["stub"]["grad_cam"]
    assert row["num_empty"] == 1 and row["interval"] == [0.25, 0.75]
    np.testing.assert_allclose(
        [row["mass"], row["uniform"], row["ratio"]], [0.5, 0.25, 2.0]
    )
    # Brightness changes along a whole column: a quarter of that is moving.
    np.testing.assert_allclose(found["models"]["stub"]["edges"]["mass"], 0.25)
    text = "\n".join(face_maps.in_words(found))
    assert "3 drawn faces" in text and "0.500 [0.250, 0.750]" in text
    assert_legible(score_figures.localisation(found["models"]))


def test_nothing_moves():
    still = stub(np.ones((2, 4, 4)), np.zeros((2, 4, 4), bool), "ab")
    with pytest.raises(ValueError, match="no drawn face moves"):
        face_maps.localise([still])


def test_a_picture_of_every_map(drawn, tmp_path):
    each = Explained("gan_man", loaded("gan_man"), drawn[:3])
    described = face_maps.draw(each, str(tmp_path), target=None, most=2)
    assert [d["source"] for d in described] == ["synthetic_0000", "synthetic_0001"]
    for row, picture in zip(described, drawn):
        assert row["output"] == row["labelled"] == picture.expression
        assert cv2.imread(str(tmp_path / row["picture"])).shape[2] == 3
    assert not list(tmp_path.glob(".*"))


def test_pictures_of_one_name_do_not_overwrite_each_other(small, drawn, tmp_path):
    names = ["a.jpg", "a.png", "sub/a.png", "sub_a.png", "a-2.png"]
    pictures = [faces.Picture(name=name, image=drawn[0].image) for name in names]
    each = Explained("net", small.model, pictures)
    described = face_maps.draw(each, str(tmp_path), target=None, most=9)
    assert [face["source"] for face in described] == names
    written = [face["picture"] for face in described]
    assert len(set(written)) == 5
    assert {path.name for path in tmp_path.iterdir()} == set(written)
    assert written[:3] == ["a_net.png", "a-2_net.png", "sub_a_net.png"]


def test_models_of_one_kind_are_called_by_their_folders():
    resnet = types.SimpleNamespace(card=types.SimpleNamespace(model="small_resnet"))
    vgg = types.SimpleNamespace(card=types.SimpleNamespace(model="gan_vgg16"))
    names = face_maps.model_names(
        [resnet, vgg, resnet], ["runs/a/", "runs/b", "runs/c"]
    )
    assert names == ["a", "gan_vgg16", "c"]
