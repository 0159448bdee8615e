import dataclasses

import pytest

from data_pipelines.sources import dataset_facts
from fer_tf.export import model_card
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.models import MODELS

SPLIT = {
    "num_examples": 3589,
    "metrics": {"accuracy": 0.6728893, "ece": 0.0557403},
    "intervals": {"accuracy": [0.657286, 0.687935]},
}


def facts(dataset):
    return [dataclasses.asdict(fact) for fact in dataset_facts(dataset)]


DESCRIBED = {
    "model": "small_resnet",
    "parameters": 2807703,
    "names": {"expressions": ["neutral", "happiness"], "crop_spec": {}},
    "crop_spec": CROP_SPECS["meen"].to_dict(),
    "views": "center_mirror",
    "average": "logits",
    "dataset": "fer2013",
    "dataset_facts": facts("fer2013"),
    "protocol": "clean",
    "epoch": 12,
    "measured": {"epoch": 12, "validation": SPLIT, "test": SPLIT},
    "weights": {"file": "model.weights.h5", "bytes": 11, "sha256": "ab" * 32},
    "files": {"model.onnx": {"bytes": 22, "sha256": "cd" * 32}},
    "checked_on": {"crops": 1000, "source": "fer2013, test"},
    "formats": {
        "onnx": {
            "largest_difference": {"probabilities": 2.1e-7},
            "mean_difference": {"probabilities": 3.4e-8},
            "agreement": 0.998,
        }
    },
    "training": {"command": "python -m trainers.train --x", "epochs": 12, "seed": 0},
    "versions": {"keras": "3.15.1"},
}


def test_it_says_that_labels_were_derived():
    assert "derived" not in model_card.render("quick", DESCRIBED)
    split = SPLIT | {"derived": ["valence_arousal"]}
    text = model_card.render(
        "quick",
        DESCRIBED | {"derived": ["valence_arousal"], "measured": {"test": split}},
    )
    assert "**It was trained on derived valence_arousal" in text
    assert "On test, derived valence_arousal" in text


def test_it_says_what_was_measured_and_on_what():
    text = model_card.render("quick", DESCRIBED)
    for part in (
        "# quick", "2,807,703 parameters", "neutral, happiness",
        "0.6729 [0.6573, 0.6879]", "| ece | 0.0557 | 0.0557 |", "3,589",
        "weights chosen on validation", "ICML 2013", "1,516 groups of identical",
        "who is missing cannot be told", "not passed on",
        "| onnx | 2.1e-07 | 3.4e-08 |",
        "99.80 %", "1,000 crops (fer2013, test)", "ab" * 32, "cd" * 32,
        "python -m trainers.train --x", "Chosen at epoch: 12", "keras 3.15.1",
        "EXIF",
    ):  # fmt: skip
        assert part in text, part
    assert "valence" not in text and "action unit" not in text
    assert "temperature" not in text and "unsure" not in text and "By group" not in text


def test_it_says_what_is_not_known():
    bare = {k: v for k, v in DESCRIBED.items() if k not in ("dataset", "measured")}
    text = model_card.render("quick", bare | {"protocol": "paper"})
    assert "data it was trained on are not stated" in text
    assert "Nothing measured came with the weights" in text
    joined = {"dataset": "folder+synthetic"}
    joined["dataset_facts"] = facts(joined["dataset"])
    own = model_card.render("quick", DESCRIBED | joined)
    assert "ask who trained the model" in own and "No person at all" in own
    assert "FER2013" not in own
    flattering = model_card.render("quick", DESCRIBED | {"protocol": "paper"})
    assert "the test numbers flatter the model" in flattering


def test_calibration_and_groups_are_shown_where_they_were_measured():
    coverage = {"coverage": 0.8, "accuracy": 0.75, "interval": [0.7, 0.8],
                "confidence": 0.61}  # fmt: skip
    group = {"num_examples": 7, "metrics": {"accuracy": 0.5}, "intervals": {}}
    split = {
        **SPLIT,
        "calibration": {"temperature": 0.83, "num_fitted": 3589, "ece_before": 0.056,
                        "ece_after": 0.021, "coverage": [coverage]},
        "groups": {"age": {"60-69": group}},
    }  # fmt: skip
    text = model_card.render("quick", DESCRIBED | {"measured": {"test": split}})
    assert "temperature 0.830" in text and "0.0210 instead of 0.0560" in text
    assert "| 80% | 0.7500 [0.7000, 0.8000] | 0.610 |" in text
    assert "expression has less than 0.610. That bounds the surest 80% of" in text
    assert "logarithm" not in text
    inside = {"temperature": {"value": 1.25, "num_fitted": 40}, "balance": 0.3}
    inside = model_card.render("q", DESCRIBED | inside | {"measured": {"test": split}})
    assert "temperature 1.250 (fitted on 40 " in inside and "error is 0.0560." in inside
    assert "\n0.3 of the logarithm of each expression's frequency" in inside
    assert "| age: 60-69 | 7 | 0.5000 |" in text
    del coverage["interval"]  # Of a single person.
    text = model_card.render("quick", DESCRIBED | {"measured": {"test": split}})
    assert "| 80% | 0.7500 | 0.610 |" in text
    for none in ({"temperature": None, "ece_after": None}, {"ece_after": None}):
        without = {**split, "calibration": {**split["calibration"], **none}}
        text = model_card.render("quick", DESCRIBED | {"measured": {"test": without}})
        assert "temperature" not in text


def test_each_expression_has_its_recall_and_precision():
    names = ["neutral", "fear", "contempt", "surprise", "anger"]
    counts = [
        [6, 0, 0, 2, 0],
        [3, 1, 0, 2, 0],
        [1, 0, 0, 0, 0],
        [0] * 5,
        [0, 0, 0, 0, 4],
    ]
    ends = {"recall": [[0.7, 0.8], None, None, None, None], "precision": [None] * 5}
    found = {"expressions": names, "counts": counts, "intervals": ends}
    split = {**SPLIT, "confusion": found}
    parts = {"measured": {"test": split}, "measured_elsewhere": {"London": split}}
    text = model_card.render("quick", DESCRIBED | parts)
    for row in (
        "| neutral | 8 | 0.7500 [0.7000, 0.8000] | 0.6000 | surprise (0.2500) |",
        "| fear | 6 | 0.1667 | 1.0000 | neutral (0.5000) |",
        "| contempt | 1 | 0.0000 |  | neutral (1.0000) |",  # Never said.
        "| anger | 4 | 1.0000 | 1.0000 |  |",
    ):
        assert text.count(row) == 2, row
    assert "| surprise |" not in text  # Nobody was surprised.
    assert "expression | examples | recall" not in model_card.render("q", DESCRIBED)


def test_without_a_test_split_the_numbers_flatter():
    text = model_card.render("quick", DESCRIBED | {"measured": {"validation": SPLIT}})
    assert "for want of a test split" in text and "reported on test" not in text


@pytest.mark.parametrize(
    "name",
    ["two_att_two_mt", "two_att_cnn_valence", "mtanet_senet50", "face_network"],
)
def test_every_kind_of_output_is_named(name):
    """On the model's own outputs: none may be missing from the summary."""
    from types import SimpleNamespace

    from fer_tf.model_io import serving
    from fer_tf.model_io.card import Card

    model = MODELS[name](name=name, width=0.125)
    card = Card(
        model=name, arguments={}, crop_spec=CROP_SPECS["meen"], views="center",
        average="logits",
    )  # fmt: skip
    wrapped = SimpleNamespace(output=model.output, card=card)
    names = serving.names_inside(wrapped)
    widths = {k: len(v) for k, v in names.items() if k != "crop_spec"}
    expected = {
        {"expression": "expressions", "is_face": "faces"}.get(k, k): v.shape[-1]
        for k, v in model.output.items()
    }
    assert widths == expected
    text = model_card.render("x", DESCRIBED | {"names": names})
    assert text.split("## Use")[0].count("\n- ") == len(widths)
