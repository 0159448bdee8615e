import numpy as np
import pytest
import tensorflow as tf
from ml_collections import ConfigDict

from trainers.training import objectives

ROWS = 6


def batch(**weights):
    rng = np.random.default_rng(0)
    found = {
        "expression": tf.constant(rng.integers(0, 7, ROWS)),
        "valence_arousal": tf.constant(rng.uniform(-1, 1, (ROWS, 2)), tf.float32),
        "action_units": tf.constant(rng.integers(0, 2, (ROWS, 8)), tf.float32),
        "is_face": tf.constant(rng.integers(0, 2, ROWS)),
        "region_masks": tf.constant(rng.integers(0, 2, (ROWS, 6, 6, 8)), tf.float32),
        "region_masks_weight": tf.ones(ROWS),
    }
    for task in ("expression", "valence_arousal", "is_face"):
        found[f"{task}_weight"] = tf.ones(ROWS)
    found["action_units_weight"] = tf.ones((ROWS, 8))
    return found | {k: tf.constant(v, tf.float32) for k, v in weights.items()}


def outputs():
    rng = np.random.default_rng(1)
    draw = lambda *shape: tf.constant(rng.normal(size=shape), tf.float32)
    return {
        "expression": draw(ROWS, 7),
        "valence_arousal": draw(ROWS, 2),
        "action_units": draw(ROWS, 8),
        "is_face": draw(ROWS, 2),
        "region_masks": tf.sigmoid(draw(ROWS, 6, 6, 8)),
    }


def cross_entropy(labels, logits, rows=slice(None)):
    labels, logits = np.asarray(labels)[rows], np.asarray(logits, np.float64)[rows]
    logs = np.log(np.exp(logits).sum(-1))
    return np.mean(logs - logits[np.arange(len(labels)), labels])


def ccc(x, y):
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    covariance = np.mean((x - x.mean()) * (y - y.mean()))
    return 2 * covariance / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)


def test_expression_is_the_mean_over_the_labelled_rows():
    weights = [1, 1, 0, 1, 0, 1]
    data, found = batch(expression_weight=weights), outputs()
    total, tasks = objectives.Expression()(data, found)
    rows = np.array(weights) > 0
    expected = cross_entropy(data["expression"], found["expression"], rows)
    assert float(total) == pytest.approx(expected, rel=1e-5)
    assert float(tasks["expression"]) == float(total)


def test_a_class_the_model_does_not_have_counts_as_no_label():
    # AffectNet's contempt (7) in front of Wang et al.'s seven categories.
    data, found = batch(), outputs()
    named = data["expression"].numpy()
    named[[1, 4]] = 7
    data["expression"] = tf.constant(named)
    total, _ = objectives.Expression()(data, found)
    kept = [0, 2, 3, 5]
    expected = cross_entropy(named, found["expression"], kept)
    assert float(total) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "reading, weights",
    [("A", (0.5, 0.3, 0.7)), ("B", (0.5, 0.15, 0.35)), ("C", (0.3, 1, 0.5)),
     ("D", (0.5, 0.3, 0.3))],
)  # fmt: skip
@pytest.mark.parametrize("regression", ["tukey", "mse"])
def test_wang_equation_4_in_its_four_readings(reading, weights, regression):
    data, found = batch(), outputs()
    objective = objectives.Wang2018(reading=reading, regression=regression)
    total, tasks = objective(data, found)
    residual = np.asarray(
        found["valence_arousal"] - data["valence_arousal"], np.float64
    )
    c = 4.685
    tukey = c**2 / 6 * (1 - np.clip(1 - (residual / c) ** 2, 0, None) ** 3)
    dimensions = (tukey if regression == "tukey" else residual**2).mean(0)
    category = cross_entropy(data["expression"], found["expression"])
    expected = np.dot(weights, (category, *dimensions))
    assert float(total) == pytest.approx(expected, rel=1e-4)
    assert set(tasks) == {"expression", "valence", "arousal"}


def test_wang_equation_4_with_weights_of_ones_own():
    data, found = batch(), outputs()
    objective = objectives.Wang2018(weights=(1.0, 2.0, 4.0))
    total, tasks = objective(data, found)
    parts = [float(tasks[name]) for name in ("expression", "valence", "arousal")]
    assert float(total) == pytest.approx(np.dot((1, 2, 4), parts), rel=1e-5)
    with pytest.raises(ValueError, match="must be three"):
        objectives.Wang2018(weights=(1.0, 2.0))


def test_tukey_residuals_are_scaled_as_a_flag_says():
    # A flag arrives as text: "mad", or a number.
    data, found = batch(), outputs()
    literal, halved, mad = (
        float(objectives.Wang2018(scale=scale)(data, found)[1]["valence"])
        for scale in ("1.0", "0.5", "mad")
    )
    c, residual = 4.685, found["valence_arousal"][:, 0] - data["valence_arousal"][:, 0]
    residual = np.asarray(residual, np.float64)
    spread = 1.4826 * np.median(np.abs(residual - np.median(residual)))
    for value, scale in ((literal, 1.0), (halved, 0.5), (mad, spread)):
        inside = np.clip(1 - (residual / scale / c) ** 2, 0, None)
        expected = np.mean(c**2 / 6 * (1 - inside**3))
        assert value == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ValueError, match="'wide'"):
        objectives.Wang2018(scale="wide")


def test_wang_single_target_networks_see_only_their_own_dimension():
    data = batch()
    found = {"arousal": tf.zeros((ROWS, 1))}
    objective = objectives.Wang2018(regression="mse", outputs=("arousal",))
    total, _ = objective(data, found)
    expected = 0.7 * np.mean(np.asarray(data["valence_arousal"])[:, 1] ** 2)
    assert float(total) == pytest.approx(expected, rel=1e-5)


def mtanet_tasks(data, found):
    truth, guess = data["valence_arousal"], found["valence_arousal"]
    va = 1 - (ccc(truth[:, 0], guess[:, 0]) + ccc(truth[:, 1], guess[:, 1])) / 2
    y, x = (np.asarray(d["action_units"], np.float64) for d in (data, found))
    units = np.log1p(np.exp(-x)) * y + np.log1p(np.exp(x)) * (1 - y)
    # Eq. 2 sums over the eight units; the mean is over the batch alone.
    return (
        va,
        units.sum(1).mean(),
        cross_entropy(data["expression"], found["expression"]),
    )


def test_mtanet_sums_first_and_weighs_by_uncertainty_then():
    data, found = batch(), outputs()
    va, units, category = mtanet_tasks(data, found)
    total, _ = objectives.Zhang2020()(data, found)
    assert float(total) == pytest.approx(va + units + category, rel=1e-4)
    with pytest.raises(ValueError, match=r"`weights` must be positive .*\(1, 0, 1\)"):
        objectives.Zhang2020(weights=(1, 0, 1), weighting="uncertainty")
    total, _ = objectives.Zhang2020(weights=(2.0, 3.0, 4.0))(data, found)
    assert float(total) == pytest.approx(2 * va + 3 * units + 4 * category, rel=1e-4)

    weighted = objectives.Zhang2020(weighting="uncertainty")
    # At sigma = 1, Eq. 5 is the sum with half of the valence-arousal loss.
    total, _ = weighted(data, found)
    assert float(total) == pytest.approx(va / 2 + units + category, rel=1e-4)
    sigma = {"valence_arousal": 0.7, "action_units": 2.0, "expression": 1.3}
    for variable in weighted.layer.variables:
        task = variable.name.removeprefix("log_variance_")
        variable.assign(2 * np.log(sigma[task]))
    expected = (
        va / (2 * 0.7**2) + units / 2.0**2 + category / 1.3**2
        + np.log(0.7) + np.log(2.0) + np.log(1.3)
    )  # fmt: skip
    assert float(weighted(data, found)[0]) == pytest.approx(expected, rel=1e-4)


def test_mtanets_losses_are_of_the_labelled_alone():
    row = np.arange(ROWS)
    units = ((row[:, None] + np.arange(8)) % 3 > 0) * (row[:, None] % 4 > 0)
    weights = {"valence_arousal": row % 2 > 0, "expression": row % 3 > 0}
    missing = {f"{task}_weight": given for task, given in weights.items()}
    data, found = batch(action_units_weight=units, **missing), outputs()
    kept = {k: np.flatnonzero(given) for k, given in weights.items()}
    truth, guess = (
        np.asarray(each["valence_arousal"])[kept["valence_arousal"]]
        for each in (data, found)
    )
    va = 1 - (ccc(truth[:, 0], guess[:, 0]) + ccc(truth[:, 1], guess[:, 1])) / 2
    y, x = (np.asarray(d["action_units"], np.float64) for d in (data, found))
    costs = np.log1p(np.exp(-x)) * y + np.log1p(np.exp(x)) * (1 - y)
    au = (costs * units).sum(1)[units.any(1)].mean()
    category = cross_entropy(
        *(np.asarray(each["expression"])[kept["expression"]] for each in (data, found))
    )
    total, tasks = objectives.Zhang2020()(data, found)
    expected = {"valence_arousal": va, "action_units": au, "expression": category}
    assert {k: float(v) for k, v in tasks.items()} == pytest.approx(expected, rel=1e-4)
    assert float(total) == pytest.approx(sum(expected.values()), rel=1e-4)
    # Under their mean, a row's sum is divided by its own number of units.
    _, tasks = objectives.Zhang2020(au_reduction="mean")(data, found)
    rows = units.any(1)
    means = (costs * units).sum(1)[rows] / units.sum(1)[rows]
    assert float(tasks["action_units"]) == pytest.approx(means.mean(), rel=1e-4)


def test_face_or_not_is_a_cross_entropy_over_the_labelled():
    logits = np.array([[2.0, -1.0], [0.5, 0.0], [0.0, 3.0]], np.float32)
    data = {
        "is_face": tf.constant([1, 0, 1]),
        "is_face_weight": tf.constant([1.0, 0, 1]),
    }
    total, tasks = objectives.IsFace()(data, {"is_face": tf.constant(logits)})
    expected = (np.log1p(np.exp(3.0)) + np.log1p(np.exp(-3.0))) / 2
    assert float(total) == float(tasks["is_face"]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "task, weights",
    [("action_units", np.zeros((ROWS, 8))), ("valence_arousal", np.zeros(ROWS)),
     # One row has no concordance correlation.
     ("valence_arousal", np.eye(ROWS)[2])],
)  # fmt: skip
def test_a_task_without_a_label_in_the_batch_moves_nothing(task, weights):
    data = batch(**{f"{task}_weight": weights})
    weighted = objectives.Zhang2020(weighting="uncertainty")
    variables = weighted.layer.trainable_variables
    with tf.GradientTape() as tape:
        found = {k: tf.Variable(v) for k, v in outputs().items()}
        total, _ = weighted(data, found)
    gradients = tape.gradient(total, [found[task], *[v.value for v in variables]])
    assert gradients[0] is None or not np.any(gradients[0])
    still = [v.name for v, g in zip(variables, gradients[1:]) if not np.any(g)]
    assert still == [f"log_variance_{task}"]


def test_region_masks_sum_over_cells_and_average_over_rows():
    data, found = batch(region_masks_weight=[1, 1, 1, 0, 0, 1]), outputs()
    total, _ = objectives.RegionMasks()(data, found)
    half, _ = objectives.RegionMasks(caffe_half=True)(data, found)
    assert float(half) == pytest.approx(float(total) / 2)
    squares = np.asarray(data["region_masks"] - found["region_masks"]) ** 2
    expected = squares.sum((1, 2, 3))[[0, 1, 2, 5]].mean()
    assert float(total) == pytest.approx(expected, rel=1e-5)


def test_unknown_names_and_values_are_refused():
    from ml_collections import ConfigDict

    with pytest.raises(ValueError, match="'luck'"):
        objectives.make_objective(ConfigDict(dict(name="luck")))
    with pytest.raises(ValueError, match="reading='E'"):
        objectives.Wang2018(reading="E")
    with pytest.raises(ValueError, match="weighting='mean'"):
        objectives.Zhang2020(weighting="mean")


LOGITS = np.array([[2.0, 1, 0, -1], [0, 0, 3, 0], [1, 1, 1, 1]], np.float32)


VOTES = np.array([[0.5, 0.5, 0, 0], [0, 1, 0, 0], [0.25, 0, 0, 0.75]], np.float32)


WEIGHT = np.array([1.0, 1, 0], np.float32)


LOG = LOGITS - np.log(np.exp(LOGITS).sum(-1, keepdims=True))


def loss(config, votes=VOTES, labels=(3, 3, 3)):
    batch = {
        "votes": votes,
        "expression": np.array(labels),
        "expression_weight": WEIGHT,
    }
    total, tasks = objectives.make_objective(ConfigDict(config))(
        batch, {"expression": LOGITS}
    )
    assert float(tasks["expression"]) == float(total)
    return float(total)


def test_shares_and_the_best_of_the_chosen_by_hand():
    shares = -((LOG[0, 0] + LOG[0, 1]) / 2 + LOG[1, 1]) / 2
    assert loss({"name": "votes"}) == pytest.approx(shares, rel=1e-5)
    best = -(LOG[0, 0] + LOG[1, 1]) / 2
    assert loss({"name": "votes", "best": True}) == pytest.approx(best, rel=1e-5)


@pytest.mark.parametrize("best", [False, True])
def test_the_target_of_a_face_without_votes_is_its_label(best):
    votes = np.array([[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]], np.float32)
    found = loss({"name": "votes", "best": best}, votes, labels=(2, 0, 1))
    assert found == pytest.approx(-(LOG[0, 2] + LOG[1, 1]) / 2, rel=1e-5)


def test_what_the_votes_do_not_fit_is_refused():
    with pytest.raises(ValueError, match="needs records of FER"):
        objectives.make_objective(ConfigDict({"name": "votes"}))(
            {}, {"expression": LOGITS}
        )
    with pytest.raises(ValueError, match="for 8 expressions, and the model has 4"):
        loss({"name": "votes"}, np.ones((3, 8), np.float32) / 8)
