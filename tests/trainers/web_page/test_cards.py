import base64
import re

import cv2
import numpy as np

from trainers.web_page.cards import cards

FACE = {
    "expression": "fear", "probabilities": {"fear": 0.75, "anger": 0.25},
    "confidence": 0.984, "enlargement": 0.5, "action_units": {"AU1": 0.125},
}  # fmt: skip


def test_a_card_has_what_the_model_reads_and_nothing_else():
    found = cards([FACE], [])
    bars = re.findall("<span>(.*?)</span> <span>(.*?)</span>", found)
    assert bars == [("fear", "75 %"), ("anger", "25 %"), ("AU1", "12 %")]
    assert "face_score 0.98<br>enlargement 0.50" in found
    assert "valence" not in found and "<img" not in found
    assert "derived valence -0.50" in cards([{**FACE, "circumplex_valence": -0.5}], [])


def test_the_first_faces_have_pictures_that_are_described():
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[..., 0] = 200  # Red.
    found = cards([FACE, {**FACE, "unsure": True}], [picture])
    (alt, data), *more = re.findall(
        '<img alt="(.*?)" src="data:image/png;base64,(.*?)"', found
    )
    assert alt == "Where it looked in 1" and not more
    stored = np.frombuffer(base64.b64decode(data), np.uint8)
    np.testing.assert_array_equal(cv2.imdecode(stored, 1)[..., ::-1], picture)
    assert re.findall("<figcaption>(.*?)<", found) == ["1 fear", "2 fear? unsure"]


def test_the_name_of_a_class_is_no_html():
    found = cards(
        [{"confidence": 1.0, "expression": "<b>", "probabilities": {"<b>": 1}}], []
    )
    assert "<b>" not in found and found.count("&lt;b&gt;") == 2
