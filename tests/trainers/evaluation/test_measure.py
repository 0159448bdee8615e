import json

import numpy as np
import pytest

from fer_tf import labels, scores
from fer_tf.export import score_tables
from fer_tf.scores import bootstrap
from tests.trainers.evaluation.drawn import columns
from trainers.evaluation import measure, scoring
from trainers.evaluation.predictions import Predictions

RNG = np.random.default_rng(0)
NAMES = labels.EXPRESSIONS  # Eight; these models have seven.


def measured(given, validation=None, derived=()):
    if validation is not None:
        validation = Predictions.from_columns(validation)
    predictions = Predictions.from_columns(given)
    return measure.measure_split(
        predictions, validation, expressions=NAMES, derived=derived
    )


def calibration_of(given, validation):
    same = validation is given
    given = Predictions.from_columns(given)
    if validation is not None:
        validation = given if same else Predictions.from_columns(validation)
    return measure.calibration_of(given, validation)


def test_every_number_comes_with_an_interval_around_it():
    found = measured(columns(), columns(seed=1))
    assert json.loads(json.dumps(found)) == found
    for name in ("accuracy", "mean_class_accuracy", "macro_f1", "nll"):
        low, high = found["intervals"][name]
        assert low < found["metrics"][name] < high
    assert "ece" in found["metrics"] and "ece" not in found["intervals"]
    resampling = found["resampling"]
    assert (resampling["unit"], resampling["num_units"]) == ("subject", 60)


def test_labels_that_are_derived_are_called_so_where_they_were_used():
    found = measured(columns(), derived=("expression", "valence_arousal"))
    assert found["derived"] == ["expression"]
    (note,) = score_tables.notes(found)
    assert note.startswith("derived expression (computed from other labels)")
    assert "derived" not in measured(columns())
    assert not list(score_tables.notes(measured(columns())))
    (note,) = score_tables.notes({"metrics": {}, "trained_on_derived": ["valence"]})
    assert note == (
        "the model was trained on derived valence (computed from other labels)"
    )


def test_classes_that_data_or_model_lack_are_counted_and_said():
    given = columns(40)
    given["true_expression"] = np.arange(40) % 4
    given["true_expression"][:6] = 7  # Contempt, of which the model has no output.
    given["expression_weight"][:6] = 0
    given["expression_weight"][6:8] = 0  # Nobody labelled them.
    found = measured(given)
    assert (found["unknown_expressions"], found["absent_expressions"]) == (6, 3)
    text = (
        "40 examples (labelled: expression 32, 6 of an expression that the model lacks)"
    )
    assert score_tables.examples(found) == text
    assert score_tables.absent_note(found).endswith("macro_f1 and expression_score: 3")
    whole = measured(columns(600))
    assert score_tables.examples(whole) == "600 examples"
    assert not score_tables.absent_note(whole)


def test_confusions_are_counted_of_the_labelled_alone():
    given = columns(8)
    given["true_expression"] = np.array([0, 0, 0, 1, 1, 4, 4, 7])
    given["expression_weight"] = np.array([1, 1, 1, 1, 1, 1, 0, 0])
    given["expression"] = np.eye(7)[[0, 0, 2, 1, 0, 2, 4, 1]]
    found = measured(given)["confusion"]
    assert found["expressions"] == list(NAMES[:7])
    counts = np.zeros((7, 7), int)
    counts[0, 0], counts[0, 2], counts[1, 1], counts[1, 0], counts[4, 2] = 2, 1, 1, 1, 1
    assert found["counts"] == counts.tolist()
    recall, precision = (found["intervals"][k] for k in ("recall", "precision"))
    assert recall[0][0] < 2 / 3 < recall[0][1] == 1.0
    assert recall[4] is None and recall[3] is None  # Of one face, and of none.
    assert precision[2] == [0.0, pytest.approx(1 - 0.025**0.5)]  # Never right.


def test_the_surest_part_is_not_certain_either():
    given = columns(20, subjects=0)
    given["expression"] = 9.0 * np.eye(7)[given["true_expression"]]
    first = calibration_of(given, None)["coverage"][0]
    assert first["accuracy"] == 1.0
    np.testing.assert_allclose(first["interval"], [0.025 ** (1 / 20), 1.0])
    whole = scoring.intervals(Predictions.from_columns(given))
    assert first["interval"] == whole["accuracy"]
    one = {name: values[:1] for name, values in given.items()}
    assert "interval" not in calibration_of(one, None)["coverage"][0]


def test_temperature_is_of_validation_and_lowers_the_calibration_error():
    test, validation = columns(3000, sharp=3.0), columns(3000, sharp=3.0, seed=1)
    found = calibration_of(test, validation)
    assert abs(found["temperature"] / 3 - 1) < 0.1 and found["num_fitted"] == 3000
    assert found["ece_after"] < 0.03 < 0.15 < found["ece_before"]
    assert found["nll_after"] < found["nll_before"]
    without = calibration_of(test, None)
    assert without["temperature"] is without["ece_after"] is None
    assert without["ece_before"] == found["ece_before"]
    itself = calibration_of(test, test)
    assert itself["temperature"] and itself["ece_after"] is itself["nll_after"] is None


def test_coverage_against_accuracy_by_hand():
    sure = np.array([0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.51])
    hits = np.array([1, 1, 1, 0, 1, 1, 0, 1, 0, 0])
    given = {
        "sample_id": np.arange(10),
        "expression": np.log(np.stack([sure, 1 - sure], 1)),
        "true_expression": 1 - hits,
        "expression_weight": np.ones(10),
    }
    # Fitted on other data, a temperature changes no confidence that a user sees.
    wrong = {**given, "true_expression": hits}
    assert calibration_of(given, wrong)["temperature"] != 1
    found = calibration_of(given, wrong)["coverage"]
    assert found == calibration_of(given, None)["coverage"]
    assert [row["coverage"] for row in found] == [1.0, 0.9, 0.8, 0.7]
    np.testing.assert_allclose(
        [row["accuracy"] for row in found], [6 / 10, 6 / 9, 6 / 8, 5 / 7]
    )
    np.testing.assert_allclose(
        [row["confidence"] for row in found], [0.51, 0.55, 0.6, 0.65]
    )
    assert all(r["interval"][0] < r["accuracy"] < r["interval"][1] for r in found)


def test_groups_split_the_set_and_are_measured_alone():
    given = columns()
    found = measured(given)["groups"]["age"]
    assert found.keys() == {"old", "young", "not annotated"}
    assert sum(group["num_examples"] for group in found.values()) == 600
    assert sum(group["num_units"] for group in found.values()) == 60
    rows = np.array([text == b'{"age": "old"}' for text in given["groups"]])
    hits = given["expression"].argmax(1) == given["true_expression"]
    old = found["old"]
    assert old["num_examples"] == rows.sum()
    np.testing.assert_allclose(old["metrics"]["accuracy"], hits[rows].mean())
    low, high = old["intervals"]["accuracy"]
    assert low < old["metrics"]["accuracy"] < high
    assert "groups" not in measured(columns(groups=False))


def test_a_group_says_how_many_of_it_are_labelled():
    given = columns()
    rows = np.flatnonzero([b"young" in text for text in given["groups"]])
    given["expression_weight"][rows[:9]] = 0
    young = measured(given)["groups"]["age"]["young"]
    assert young["num_examples"] == len(rows)
    assert young["labelled"] == {"expression": len(rows) - 9}
    assert score_tables.examples(young).endswith(
        f"(labelled: expression {len(rows) - 9})"
    )


def test_a_group_without_a_class_has_no_macro_f1():
    given = columns()
    young = np.array([b"young" in text for text in given["groups"]])
    given["true_expression"][young & (given["true_expression"] == 5)] = 0
    found = measured(given)["groups"]["age"]
    assert "macro_f1" not in found["young"]["metrics"]
    assert "macro_f1" in found["old"]["metrics"]
    assert "mean_class_accuracy" in found["young"]["metrics"]


def test_all_tasks_at_once():
    given = columns(200)
    true = RNG.uniform(-1, 1, (200, 2))
    given |= {
        "valence_arousal": 0.5 * true,
        "true_valence_arousal": true,
        "valence_arousal_weight": np.ones(200),
        "action_units": RNG.normal(size=(200, 8)),
        "true_action_units": RNG.integers(0, 2, (200, 8)),
        "action_units_weight": np.ones((200, 8)),
        "valence": 0.5 * true[:, :1],
    }
    given["action_units_weight"][:50] = 0
    given["valence_arousal_weight"][:20] = 0
    found = measured(given)
    labelled = dict(expression=200, valence_arousal=180, action_units=150)
    assert found["labelled"] == labelled
    given["valence_arousal"][:20] = 9.0  # Whatever is said of them.
    found = measured(given)
    expected = scores.dimensional_scores(true[20:], 0.5 * true[20:])
    expected |= scores.action_unit_scores(
        given["true_action_units"][50:], given["action_units"][50:]
    )
    for name, value in expected.items():
        np.testing.assert_allclose(found["metrics"][name], value, err_msg=name)
        assert name in found["intervals"]
    resampled = bootstrap.intervals(
        scores.dimensional_sums(true[20:], 0.5 * true[20:]),
        Predictions.from_columns(given).independent_units()[0][20:],
    )
    np.testing.assert_allclose(found["intervals"]["ccc_mean"], resampled["ccc_mean"])
