import dataclasses

import numpy as np
import pytest

from fer_tf import scores
from fer_tf.scores import table


def test_every_metric_that_is_computed_has_an_entry():
    rng = np.random.default_rng(0)
    found = scores.classification_scores(rng.integers(0, 2, 9), rng.random((9, 2)), 2)
    found |= scores.dimensional_scores(rng.random((9, 2)), rng.random((9, 2)))
    found |= scores.action_unit_scores(rng.random((9, 8)), rng.random((9, 8)))
    del found["confusion"]
    assert {table.entry_of(name) for name in found} == set(scores.METRICS)


@pytest.mark.parametrize(
    "name, entry",
    [
        ("face_macro_f1", "macro_f1"),
        ("accuracy_pooled", "accuracy"),
        ("sagr_mean", "sagr_{}"),
        ("au_f1", "au_f1"),
        ("au_f1_brow_up", "au_f1_{}"),
    ],
)
def test_a_name_belongs_to_an_entry(name, entry):
    assert table.entry_of(name) == entry
    assert scores.metric_of(name) is scores.METRICS[entry]


def test_a_name_of_no_metric():
    with pytest.raises(ValueError, match="accuracy, .* Received: 'rmse'"):
        scores.metric_of("rmse")


def test_what_a_reader_looks_for_first():
    assert scores.leading(["nll", "macro_f1", "accuracy_pooled", "accuracy"]) == [
        "accuracy"
    ]
    assert scores.leading(["ccc_arousal", "macro_f1", "ccc_valence", "au_f1_AU1"]) == [
        "ccc_arousal", "macro_f1", "ccc_valence"
    ]  # fmt: skip
    names = ["face_accuracy", "accuracy", "ccc_valence", "ccc_mean", "au_score"]
    assert scores.leading(names) == [
        "face_accuracy", "accuracy", "ccc_mean", "au_score"
    ]  # fmt: skip


def test_a_new_entry_is_computed_of_every_set(monkeypatch):
    """Of the whole set and, by the same formula, of each resample."""
    error = dataclasses.replace(
        scores.METRICS["accuracy"], formula=lambda sums: 1 - table.accuracy(sums)
    )
    monkeypatch.setitem(scores.METRICS, "error", error)
    bias = dataclasses.replace(
        scores.METRICS["rmse_{}"], formula=lambda moments: moments.difference
    )
    monkeypatch.setitem(scores.METRICS, "bias_{}", bias)
    found = scores.classification_scores([0, 1], np.eye(2)[[0, 0]], 2)
    assert found["error"] == 0.5
    found = scores.dimensional_scores([[0.5, 0.5]] * 2, [[0.25, 0.5]] * 2)
    assert (found["bias_valence"], found["bias_mean"]) == (0.25, 0.125)
