import json

import numpy as np
import pytest

from fer_tf import labels, scores
from fer_tf.export import score_tables
from fer_tf.scores import bootstrap
from trainers.evaluation import evaluator, measure

RNG = np.random.default_rng(0)
NAMES = labels.EXPRESSIONS  # Eight; these models have seven.


def columns(count=600, *, sharp=1.0, subjects=60, groups=True, seed=0):
    """Logits of which labels are drawn, then made `sharp` times too sure."""
    rng = np.random.default_rng(seed)
    logits = 1.5 * rng.normal(size=(count, 7))
    p = np.exp(scores.log_softmax(logits))
    people = rng.integers(0, subjects, count) if subjects else np.zeros(count)
    named = [
        json.dumps({"age": "young" if k % 3 else "old"} if k % 5 else {}).encode()
        for k in people.astype(int)
    ]
    return {
        "sample_id": np.array([b"id%d" % k for k in range(count)], object),
        "subject": np.array(
            [b"s%d" % k if subjects else b"" for k in people.astype(int)], object
        ),
        "video": np.full(count, b"", object),
        "groups": np.array(named if groups else [b"{}"] * count, object),
        "expression": sharp * logits,
        "true_expression": (p.cumsum(1) > rng.random((count, 1))).argmax(1),
        "expression_weight": np.ones(count),
    }


def test_every_number_comes_with_an_interval_around_it():
    found = measure.measured(columns(), columns(seed=1), expressions=NAMES)
    assert json.loads(json.dumps(found)) == found
    for name in ("accuracy", "mean_class_accuracy", "macro_f1", "nll"):
        low, high = found["intervals"][name]
        assert low < found["metrics"][name] < high
    assert "ece" in found["metrics"] and "ece" not in found["intervals"]
    resampling = found["resampling"]
    assert (resampling["unit"], resampling["num_units"]) == ("subject", 60)


def test_people_are_resampled_together():
    """One interval for a set, and for the set with every row ten times."""
    once = columns(200, subjects=200)
    rows = np.repeat(np.arange(200), 10)
    ten = {name: values[rows] for name, values in once.items()}
    # Rows that share a person are copies here: the subjects must be the rows.
    once["subject"] = np.array([b"p%d" % k for k in range(200)], object)
    ten["subject"] = once["subject"][rows]
    np.testing.assert_allclose(
        evaluator.intervals(ten)["accuracy"], evaluator.intervals(once)["accuracy"]
    )
    ten["subject"] = np.full(2000, b"", object)
    narrow = np.ptp(evaluator.intervals({**ten, "sample_id": np.arange(2000)})["nll"])
    wide = np.ptp(evaluator.intervals(once)["nll"])
    np.testing.assert_allclose(wide / narrow, np.sqrt(10), rtol=0.2)


@pytest.mark.parametrize(
    "subject, video, unit, count",
    [
        ([b"", b"", b""], [b"", b"", b""], "example", 3),
        ([b"", b"", b""], [b"v", b"v", b"w"], "video", 2),
        ([b"a", b"a", b""], [b"v", b"w", b"w"], "subject or video", 2),
        # A set of people beside one of videos: a video stays one unit.
        ([b"a", b"", b""], [b"", b"v", b"v"], "subject or video", 2),
        # A person called like a picture is not that picture.
        ([b"z", b"a", b""], [b"", b"", b""], "subject or example", 3),
    ],
)
def test_what_is_independent(subject, video, unit, count):
    found, name = evaluator.independent_units(
        {
            "sample_id": np.array([b"x", b"y", b"z"], object),
            "subject": np.array(subject, object),
            "video": np.array(video, object),
        }
    )
    assert (name, len(np.unique(found))) == (unit, count)


def test_classes_that_data_or_model_lack_are_counted_and_said():
    given = columns(40)
    given["true_expression"] = np.arange(40) % 4
    given["true_expression"][:6] = 7  # Contempt, of which the model has no output.
    given["expression_weight"][:6] = 0
    given["expression_weight"][6:8] = 0  # Nobody labelled them.
    found = measure.measured(given, expressions=NAMES)
    assert (found["unknown_expressions"], found["absent_expressions"]) == (6, 3)
    text = (
        "40 examples (labelled: expression 32, 6 of an expression that the model lacks)"
    )
    assert score_tables.examples(found) == text
    assert score_tables.absent_note(found).endswith("macro_f1 and expression_score: 3")
    whole = measure.measured(columns(600), expressions=NAMES)
    assert score_tables.examples(whole) == "600 examples"
    assert not score_tables.absent_note(whole)


def test_confusions_are_counted_of_the_labelled_alone():
    given = columns(8)
    given["true_expression"] = np.array([0, 0, 0, 1, 1, 4, 4, 7])
    given["expression_weight"] = np.array([1, 1, 1, 1, 1, 1, 0, 0])
    given["expression"] = np.eye(7)[[0, 0, 2, 1, 0, 2, 4, 1]]
    found = measure.measured(given, expressions=NAMES)["confusion"]
    assert found["expressions"] == list(NAMES[:7])
    counts = np.zeros((7, 7), int)
    counts[0, 0], counts[0, 2], counts[1, 1], counts[1, 0], counts[4, 2] = 2, 1, 1, 1, 1
    assert found["counts"] == counts.tolist()
    recall, precision = (found["intervals"][k] for k in ("recall", "precision"))
    assert recall[0][0] < 2 / 3 < recall[0][1] == 1.0
    assert recall[4] is None and recall[3] is None  # Of one face, and of none.
    assert precision[2] == [0.0, pytest.approx(1 - 0.025**0.5)]  # Never right.


def test_pictures_of_two_sets_that_share_ids_are_two_units():
    ids = np.array([b"1.png", b"2.png", b"1.png", b"2.png"], object)
    found, _ = evaluator.independent_units({"sample_id": ids})
    assert len(np.unique(found)) == 4


def test_the_order_of_the_rows_does_not_matter():
    given = columns(300, subjects=0)
    mixed = np.random.default_rng(1).permutation(300)
    other = {name: values[mixed] for name, values in given.items()}
    assert evaluator.intervals(given)["accuracy"] == pytest.approx(
        evaluator.intervals(other)["accuracy"]
    )


def test_a_share_of_one_is_not_certain():
    """Clopper and Pearson: the p of which 20 of 20 come in 2.5 % of all cases."""
    given = columns(20, subjects=0)
    given["expression"] = 9.0 * np.eye(7)[given["true_expression"]]
    found = evaluator.intervals(given)
    low, high = found["accuracy"]
    np.testing.assert_allclose(low**20, 0.025)
    assert high == 1.0 and found["mean_class_accuracy"] == [low, high]
    given["expression"] = -given["expression"]
    low, high = evaluator.intervals(given)["accuracy"]
    np.testing.assert_allclose((1 - high) ** 20, 0.025)


def test_the_surest_part_is_not_certain_either():
    given = columns(20, subjects=0)
    given["expression"] = 9.0 * np.eye(7)[given["true_expression"]]
    first = measure.calibrated(given, None)["coverage"][0]
    assert first["accuracy"] == 1.0
    np.testing.assert_allclose(first["interval"], [0.025 ** (1 / 20), 1.0])
    assert first["interval"] == evaluator.intervals(given)["accuracy"]
    one = {name: values[:1] for name, values in given.items()}
    assert "interval" not in measure.calibrated(one, None)["coverage"][0]


def test_temperature_is_of_validation_and_lowers_the_calibration_error():
    test, validation = columns(3000, sharp=3.0), columns(3000, sharp=3.0, seed=1)
    found = measure.calibrated(test, validation)
    assert abs(found["temperature"] / 3 - 1) < 0.1 and found["num_fitted"] == 3000
    assert found["ece_after"] < 0.03 < 0.15 < found["ece_before"]
    assert found["nll_after"] < found["nll_before"]
    without = measure.calibrated(test, None)
    assert without["temperature"] is without["ece_after"] is None
    assert without["ece_before"] == found["ece_before"]
    itself = measure.calibrated(test, test)
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
    assert measure.calibrated(given, wrong)["temperature"] != 1
    found = measure.calibrated(given, wrong)["coverage"]
    assert found == measure.calibrated(given, None)["coverage"]
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
    found = measure.measured(given, expressions=NAMES)["groups"]["age"]
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
    assert "groups" not in measure.measured(columns(groups=False), expressions=NAMES)


def test_a_group_says_how_many_of_it_are_labelled():
    given = columns()
    rows = np.flatnonzero([b"young" in text for text in given["groups"]])
    given["expression_weight"][rows[:9]] = 0
    young = measure.measured(given, expressions=NAMES)["groups"]["age"]["young"]
    assert young["num_examples"] == len(rows)
    assert young["labelled"] == {"expression": len(rows) - 9}
    assert score_tables.examples(young).endswith(
        f"(labelled: expression {len(rows) - 9})"
    )


def test_a_group_without_a_class_has_no_macro_f1():
    given = columns()
    young = np.array([b"young" in text for text in given["groups"]])
    given["true_expression"][young & (given["true_expression"] == 5)] = 0
    found = measure.measured(given, expressions=NAMES)["groups"]["age"]
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
    found = measure.measured(given, expressions=NAMES)
    labelled = dict(expression=200, valence_arousal=180, action_units=150)
    assert found["labelled"] == labelled
    given["valence_arousal"][:20] = 9.0  # Whatever is said of them.
    found = measure.measured(given, expressions=NAMES)
    expected = scores.dimensional_scores(true[20:], 0.5 * true[20:])
    expected |= scores.action_unit_scores(
        given["true_action_units"][50:], given["action_units"][50:]
    )
    for name, value in expected.items():
        np.testing.assert_allclose(found["metrics"][name], value, err_msg=name)
        assert name in found["intervals"]
    resampled = bootstrap.intervals(
        scores.dimensional_sums(true[20:], 0.5 * true[20:]),
        evaluator.independent_units(given)[0][20:],
    )
    np.testing.assert_allclose(found["intervals"]["ccc_mean"], resampled["ccc_mean"])
