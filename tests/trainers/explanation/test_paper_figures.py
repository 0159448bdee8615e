import types

import cv2
import keras
import numpy as np
import pytest

from fer_tf import labels, models
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.model_io import model_folder
from tests.fer_tf.plotting.test_legibility import assert_legible
from trainers.explanation import face_maps, faces, paper_figures
from trainers.prediction import picture_files

SMALL = {
    "gan_man": {"input_shape": (96, 96, 3)},
    "gan_vgg16": {"input_shape": (32, 32, 3)},
    "small_resnet": {"blocks": 1},
}


def loaded(name, spec="synthetic", masks=None, **spec_changes):
    """An untrained model as `fer_tf.load` gives it."""
    keras.utils.set_random_seed(0)
    arguments = {"width": 1 / 8, **SMALL.get(name, {})}
    arguments |= {"masks": masks} if masks else {}
    model = models.create_model(name, **arguments)
    height, _, channels = model.get_layer("image").output.shape[1:]
    spec = CROP_SPECS[spec]
    changes = {"size": height, "color": "grey" if channels == 1 else "rgb"}
    spec = type(spec)(**{**spec.to_dict(), **changes, **spec_changes})
    model.card = model_folder.Card(
        model=name, arguments=arguments, crop_spec=spec, views="center",
        average="logits",
    )  # fmt: skip
    model.crop_spec = spec
    return model


@pytest.fixture(scope="module")
def drawn():
    return faces.drawn("seed=2,examples=110", 96)


@pytest.fixture(scope="module")
def small(drawn):
    return paper_figures.Explained("small_resnet", loaded("small_resnet"), drawn)


@pytest.mark.parametrize("spec, size", [("synthetic", 48), ("meen", 48), ("meen", 44)])
def test_the_moving_parts_are_where_the_model_sees_them(spec, size, drawn):
    """A picture that is white where the face moves is white there in the crop too."""
    white = [
        faces.Picture(
            name=p.name,
            image=np.repeat(255 * p.moving[..., None].astype(np.uint8), 3, axis=-1),
            points=p.points,
            moving=p.moving,
        )
        for p in drawn[:6]
    ]
    model = loaded("small_resnet", spec, size=size)
    images, moving = faces.windows(white, model)
    assert images.shape == (6, 44, 44, 1) and moving.shape == (6, 44, 44)
    assert moving.any((1, 2)).sum() >= 5 and moving.mean() < 0.3
    np.testing.assert_array_equal(images[..., 0] > 127, moving)


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
    text = "\n".join(face_maps.lines(found))
    assert "3 drawn faces" in text and "0.500 [0.250, 0.750]" in text
    assert_legible(face_maps.picture(found))


def test_nothing_moves():
    still = stub(np.ones((2, 4, 4)), np.zeros((2, 4, 4), bool), "ab")
    with pytest.raises(ValueError, match="no drawn face moves"):
        face_maps.localise([still])


def test_the_label_is_explained_unless_something_else_is_asked_for(small, drawn):
    rows = [0, 5, 9]
    classes = [labels.EXPRESSIONS.index(drawn[row].expression) for row in rows]
    assert small.explain(rows)["target"].tolist() == classes
    assert small.explain(rows, target="fear")["target"].tolist() == [4] * 3
    assert small.output_name(None, 4) == "fear"
    unlabelled = [faces.Picture(name=p.name, image=p.image) for p in drawn[:3]]
    each = paper_figures.Explained("r", small.model, unlabelled)
    read = np.asarray(small.model(each.images)["expression"]).argmax(1)
    np.testing.assert_array_equal(each.explain([0, 1, 2])["target"], read)
    with pytest.raises(ValueError, match="happiness.*'AU12'"):
        small.explain(rows, target="AU12")


def test_figures_of_gan(small, drawn):
    """Cells: faces and maps, counted by hand."""
    other = paper_figures.Explained("gan_vgg16", loaded("gan_vgg16"), drawn)
    kinds = {p.expression for p in drawn}
    assert len(kinds) == 7
    five = paper_figures.gan_5([small, other])
    assert len(five.axes) == 7 * (1 + 2 * 2)
    seven = paper_figures.gan_7([small, other])
    assert len(seven.axes) == (len(kinds) - 1) * (1 + 2)  # CK+ has no neutral.
    names = [text.get_text() for text in seven.texts]
    assert names.index("surprise") < names.index("anger")  # From right to left.
    six = paper_figures.gan_6([small])
    counts = [
        min(6, len({p.person for p in drawn if p.expression == kind})) for kind in kinds
    ]
    assert len(six.axes) == sum(counts)
    for figure in (five, six, seven):
        assert_legible(figure)
    with pytest.raises(ValueError, match="shows one model. Received: 2"):
        paper_figures.gan_6([small, other])


def test_figure_8_has_a_person_a_row(small):
    pictures = [
        faces.Picture(name=f"{kind}{who}", image=small.pictures[0].image,
                      expression=kind, person=who)
        for who, kinds in (("a", ("anger",)), ("b", ("fear", "anger", "neutral")))
        for kind in kinds
    ]  # fmt: skip
    figure = paper_figures.gan_8([paper_figures.Explained("m", small.model, pictures)])
    # Two columns, anger and fear; b, of whom more is known, comes first.
    places = sorted((-a.get_position().y0, a.get_position().x0) for a in figure.axes)
    assert len(places) == 3 and places[0][0] == places[1][0] < places[2][0]
    assert places[2][1] == places[0][1]


def test_figures_of_meen(drawn):
    each = paper_figures.Explained(
        "meen_model1_all", loaded("meen_model1_all"), drawn[:4]
    )
    maps = each.model.get_layer("face_features").output.shape[-1]
    assert maps > 6
    for figure in (paper_figures.meen_3([each]), paper_figures.meen_4([each])):
        assert len(figure.axes) == 4 * (1 + 6)
        assert_legible(figure)


def test_meen_needs_facial_features(small):
    with pytest.raises(ValueError, match="no facial features"):
        paper_figures.meen_3([small])


def test_another_layer(small, drawn):
    other = paper_figures.Explained("m", small.model, drawn[:4], layer="stem_conv")
    last, first = (each.explain([0, 1])["grad_cam"] for each in (small, other))
    assert last.shape == first.shape and np.abs(last - first).max() > 0
    with pytest.raises(ValueError, match="such as .*Received: 'expression'"):
        paper_figures.Explained("m", small.model, drawn[:1], layer="expression")


def test_masks_cannot_be_given(drawn):
    model = loaded("gan_man", masks="given")
    with pytest.raises(ValueError, match="image, region_masks"):
        paper_figures.Explained("gan_man", model, drawn[:1])


def test_figures_need_labels(small):
    pictures = [faces.Picture(name="p", image=small.pictures[0].image)]
    each = paper_figures.Explained("small_resnet", small.model, pictures)
    for figure in (
        paper_figures.gan_5,
        paper_figures.gan_6,
        paper_figures.gan_7,
        paper_figures.gan_8,
    ):
        with pytest.raises(ValueError, match="needs labelled faces"):
            figure([each])


def test_a_picture_of_every_map(drawn, tmp_path):
    each = paper_figures.Explained("gan_man", loaded("gan_man"), drawn[:3])
    described = face_maps.draw(each, str(tmp_path), target=None, most=2)
    assert [d["source"] for d in described] == ["synthetic_0000", "synthetic_0001"]
    for row, picture in zip(described, drawn):
        assert row["output"] == row["labelled"] == picture.expression
        assert cv2.imread(str(tmp_path / row["picture"])).shape[2] == 3
    assert not list(tmp_path.glob(".*"))


def test_pictures_of_one_name_do_not_overwrite_each_other(small, drawn, tmp_path):
    names = ["a.jpg", "a.png", "sub/a.png", "sub_a.png", "a-2.png"]
    pictures = [faces.Picture(name=name, image=drawn[0].image) for name in names]
    each = paper_figures.Explained("net", small.model, pictures)
    described = face_maps.draw(each, str(tmp_path), target=None, most=9)
    assert [face["source"] for face in described] == names
    written = [face["picture"] for face in described]
    assert len(set(written)) == 5
    assert {path.name for path in tmp_path.iterdir()} == set(written)
    assert written[:3] == ["a_net.png", "a-2_net.png", "sub_a_net.png"]


class OneFace:
    """Finds a face in any picture that is not black."""

    def detect(self, image):
        points = np.array([(30, 40), (66, 40), (48, 55), (35, 70), (61, 70)])
        small = {"box": [0, 0, 5, 5], "landmarks": points / 10}
        large = {"box": [10, 10, 80, 80], "landmarks": points}
        return [small, large] if image.any() else []


def test_photographs_in_folders(tmp_path):
    for name in ("Happy/b.png", "anger/b.png", "anger/a.png", "x.png", "wall.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        image = np.full((96, 96, 3), 0 if "wall" in name else 200, np.uint8)
        cv2.imwrite(str(tmp_path / name), image)
    (tmp_path / "page.jpg").write_text("<html>")
    found = list(faces.photographs(picture_files.find(str(tmp_path)), OneFace()))
    pictures = [each for each in found if isinstance(each, faces.Picture)]
    failed = dict(each for each in found if not isinstance(each, faces.Picture))
    assert failed.keys() == {"page.jpg", "wall.png"}
    assert failed["wall.png"] == "no face found"
    assert [(p.name, p.expression, p.person) for p in pictures] == [
        ("x.png", None, "x.png"),
        ("Happy/b.png", "happiness", "b.png"),
        ("anger/a.png", "anger", "a.png"),
        ("anger/b.png", "anger", "b.png"),
    ]
    assert pictures[0].points[0].tolist() == [30, 40]  # Of the larger face.
    files = picture_files.find(str(tmp_path / "x.png"))
    (one,) = faces.photographs(files, OneFace())
    assert one.name == "x.png"


def test_models_of_one_kind_are_called_by_their_folders():
    resnet = types.SimpleNamespace(card=types.SimpleNamespace(model="small_resnet"))
    vgg = types.SimpleNamespace(card=types.SimpleNamespace(model="gan_vgg16"))
    found = face_maps.names([resnet, vgg, resnet], ["runs/a/", "runs/b", "runs/c"])
    assert found == ["a", "gan_vgg16", "c"]
