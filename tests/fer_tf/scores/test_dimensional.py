import numpy as np
from sklearn import metrics as sk

from fer_tf import scores

RNG = np.random.default_rng(0)


def test_dimensional_by_hand_and_against_numpy():
    t = RNG.uniform(-1, 1, (300, 2))
    p = 0.5 * t + 0.3 * RNG.normal(size=t.shape) + 0.2
    ours = scores.dimensional_scores(t, p)
    for i, name in enumerate(("valence", "arousal")):
        (var_t, cov), (_, var_p) = np.cov(t[:, i], p[:, i], ddof=0)
        off = (t[:, i].mean() - p[:, i].mean()) ** 2
        np.testing.assert_allclose(ours[f"ccc_{name}"], 2 * cov / (var_t + var_p + off))
        np.testing.assert_allclose(
            ours[f"pcc_{name}"], np.corrcoef(t[:, i], p[:, i])[0, 1]
        )
        np.testing.assert_allclose(
            ours[f"rmse_{name}"], sk.root_mean_squared_error(t[:, i], p[:, i])
        )
        np.testing.assert_allclose(ours[f"sagr_{name}"], (t[:, i] * p[:, i] > 0).mean())
    np.testing.assert_allclose(
        ours["ccc_mean"], (ours["ccc_valence"] + ours["ccc_arousal"]) / 2
    )
    # Means 2 and 3, variances 2/3, covariance 2/3: (4/3) / (4/3 + 1).
    found = scores.dimension_sums([1, 2, 3], [2, 3, 4], "valence").values()
    np.testing.assert_allclose(found["ccc_valence"], 4 / 7)


def test_constant_predictions_have_no_concordance():
    ours = scores.dimensional_scores([[0.0, 0.5], [1.0, 0.5]], [[0.5, 0.5]] * 2)
    assert ours["ccc_valence"] == ours["ccc_arousal"] == ours["pcc_arousal"] == 0.0


def test_a_constant_has_no_concordance_whatever_rounding_leaves():
    constant, other = np.full(7, 0.1), np.linspace(-1, 1, 7)
    for pair in ((constant, constant + 0.3), (constant, other), (other, constant)):
        found = scores.dimension_sums(*pair, "arousal").values()
        assert found["ccc_arousal"] == found["pcc_arousal"] == 0.0
