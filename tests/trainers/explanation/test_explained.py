import numpy as np
import pytest

from fer_tf import labels
from tests.trainers.explanation.untrained import loaded
from trainers.explanation import faces
from trainers.explanation.explained import Explained


def test_the_label_is_explained_unless_something_else_is_asked_for(small, drawn):
    rows = [0, 5, 9]
    classes = [labels.EXPRESSIONS.index(drawn[row].expression) for row in rows]
    assert small.explain(rows)["target"].tolist() == classes
    assert small.explain(rows, target="fear")["target"].tolist() == [4] * 3
    assert small.output_name(None, 4) == "fear"
    unlabelled = [faces.Picture(name=p.name, image=p.image) for p in drawn[:3]]
    each = Explained("r", small.model, unlabelled)
    read = np.asarray(small.model(each.images)["expression"]).argmax(1)
    np.testing.assert_array_equal(each.explain([0, 1, 2])["target"], read)
    with pytest.raises(ValueError, match="happiness.*'AU12'"):
        small.explain(rows, target="AU12")


def test_another_layer(small, drawn):
    other = Explained("m", small.model, drawn[:4], layer="stem_conv")
    last, first = (each.explain([0, 1])["grad_cam"] for each in (small, other))
    assert last.shape == first.shape and np.abs(last - first).max() > 0
    with pytest.raises(ValueError, match="such as .*Received: 'expression'"):
        Explained("m", small.model, drawn[:1], layer="expression")


def test_masks_cannot_be_given(drawn):
    model = loaded("gan_man", masks="given")
    with pytest.raises(ValueError, match="image, region_masks"):
        Explained("gan_man", model, drawn[:1])
