from fer_tf import explain
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.model_io.card import Card
from fer_tf.models import create_model


def test_a_head_that_nothing_trained_is_not_explained_by_default():
    model = create_model("two_att_two_mt", width=0.125)
    assert explain.default_task(model) == "expression"
    model.card = Card(
        model="two_att_two_mt", arguments={}, crop_spec=CROP_SPECS["wang2018"],
        views="center", average="logits", trained=("valence", "arousal"),
    )  # fmt: skip
    assert explain.default_task(model) == "valence_arousal"
