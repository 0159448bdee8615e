import dataclasses
import types

import numpy as np
import pytest

from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.model_io import model_folder
from fer_tf.model_io.card import read_card
from tests.testing_utils import save_tiny_model
from tests.trainers.evaluation.drawn import columns
from trainers.evaluation.predictions import Predictions
from trainers.training import report

COUNTS = [40, 20, 10, 10, 0, 10, 10]


def run(balance=0.0):
    prepared = types.SimpleNamespace(
        count=lambda split: 4000, class_counts=lambda split: np.array(COUNTS)
    )
    config = types.SimpleNamespace(balance=balance)
    return types.SimpleNamespace(prepared=prepared, config=config)


def predictions(temperature):
    """Of labels that are drawn from the logits divided by a temperature."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (4000, 7))
    # The Gumbel-max trick draws from a softmax.
    drawn = (logits / temperature + rng.gumbel(size=logits.shape)).argmax(1)
    whole = columns(4000) | {"expression": logits, "true_expression": drawn}
    return Predictions.from_columns(whole)


@pytest.fixture
def best(tmp_path):
    """A run's best weights, as training leaves them."""
    folder = save_tiny_model(tmp_path / "best", CROP_SPECS["meen"], views="center")
    facts = {"protocol": "clean", "epoch": 3, "step": 70}
    facts["derived"] = ["valence_arousal"]

    def save(**changes):
        model = model_folder.load(folder)
        card = dataclasses.replace(model.card, **changes)
        model_folder.save(folder, model, card, extra=facts)
        return folder

    return save


def head(folder):
    return model_folder.load(folder).get_layer("expression").get_weights()


def test_a_temperature_is_put_into_the_best_weights_once(best, monkeypatch):
    folder = best()
    before = head(folder)
    said = lambda run, model, splits: {s: predictions(2.5) for s in splits}
    monkeypatch.setattr(report, "_predictions", said)
    report.calibrate(run(), folder)
    card = read_card(folder)
    assert (card["epoch"], card["step"]) == (3, 70)
    assert card["derived"] == ["valence_arousal"]
    inside = card["temperature"]
    assert inside["value"] == pytest.approx(2.5, rel=0.05)
    assert inside["num_fitted"] == 4000
    for old, new in zip(before, head(folder)):
        np.testing.assert_allclose(new, old / inside["value"], rtol=1e-6)
    report.calibrate(run(), folder)
    assert read_card(folder) == card


@pytest.mark.parametrize(
    "changes, labels",
    [
        # Probabilities that are averaged have no logits to divide.
        (dict(views="center_mirror", average="probabilities"), 2.5),
        ({}, 1e6),  # Nothing is known of the labels: none is best.
    ],
)
def test_none_is_put_in_where_none_helps(best, monkeypatch, changes, labels):
    folder = best(**changes)
    before = head(folder)
    said = lambda run, model, splits: {s: predictions(labels) for s in splits}
    monkeypatch.setattr(report, "_predictions", said)
    report.calibrate(run(), folder)
    assert read_card(folder)["temperature"] is None
    for old, new in zip(before, head(folder)):
        np.testing.assert_array_equal(new, old)


def test_the_balance_is_put_in_once_and_before_the_temperature(best, monkeypatch):
    folder = best()
    kernel, bias = head(folder)
    said = lambda run, model, splits: {s: predictions(2.5) for s in splits}
    monkeypatch.setattr(report, "_predictions", said)
    report.calibrate(run(balance=0.5), folder)
    card = read_card(folder)
    assert card["balance"] == 0.5
    # Half the logarithms of 2 and 4; what has no example is as the commonest.
    raised = np.log([1, 2, 4, 4, 1, 4, 4]) / 2
    new_kernel, new_bias = (x * card["temperature"]["value"] for x in head(folder))
    np.testing.assert_allclose(new_kernel, kernel, rtol=1e-5)
    moved = new_bias - bias
    np.testing.assert_allclose(moved - moved[0], raised, rtol=1e-4, atol=1e-5)
    report.calibrate(run(balance=0.5), folder)
    assert read_card(folder) == card
