import pytest

from tests.fer_tf.plotting.legible import assert_legible
from tests.trainers.explanation.untrained import loaded
from trainers.explanation import faces, paper_figures
from trainers.explanation.explained import Explained


@pytest.mark.slow
def test_figures_of_gan(small, drawn):
    """Cells: faces and maps, counted by hand, and a bar of colours."""
    other = Explained("gan_vgg16", loaded("gan_vgg16"), drawn)
    kinds = {p.expression for p in drawn}
    assert len(kinds) == 7
    five = paper_figures.gan_5([small, other])
    assert len(five.axes) == 7 * (1 + 2 * 2) + 1
    seven = paper_figures.gan_7([small, other])
    assert len(seven.axes) == (len(kinds) - 1) * (1 + 2)  # CK+ has no neutral.
    names = [text.get_text() for text in seven.texts]
    assert names.index("surprise") < names.index("anger")  # From right to left.
    six = paper_figures.gan_6([small])
    counts = [
        min(6, len({p.person for p in drawn if p.expression == kind})) for kind in kinds
    ]
    assert len(six.axes) == sum(counts) + 1
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
    figure = paper_figures.gan_8([Explained("m", small.model, pictures)])
    # Two columns, anger and fear; b, of whom more is known, comes first.
    faces_drawn = figure.axes[:-1]  # The last is the bar of colours.
    places = sorted((-a.get_position().y0, a.get_position().x0) for a in faces_drawn)
    words = [text.get_text() for text in figure.texts]
    assert [word for word in words if word in ("a", "b")] == ["b", "a"]
    assert len(places) == 3 and places[0][0] == places[1][0] < places[2][0]
    assert places[2][1] == places[0][1]


@pytest.mark.slow
def test_figures_of_meen(drawn):
    each = Explained("meen_model1_all", loaded("meen_model1_all"), drawn[:4])
    maps = each.model.get_layer("face_features").output.shape[-1]
    assert maps > 6
    for figure in (paper_figures.meen_3([each]), paper_figures.meen_4([each])):
        assert len(figure.axes) == 4 * (1 + 6)
        assert_legible(figure)


def test_meen_needs_facial_features(small):
    with pytest.raises(ValueError, match="no facial features"):
        paper_figures.meen_3([small])


def test_figures_need_labels(small):
    pictures = [faces.Picture(name="p", image=small.pictures[0].image)]
    each = Explained("small_resnet", small.model, pictures)
    for figure in (
        paper_figures.gan_5,
        paper_figures.gan_6,
        paper_figures.gan_7,
        paper_figures.gan_8,
    ):
        with pytest.raises(ValueError, match="needs labelled faces"):
            figure([each])
