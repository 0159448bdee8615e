"""Numbers of rows from outputs written by hand."""

import json

import numpy as np
import pytest

from fer_tf import labels
from trainers.evaluation.predictions import Predictions
from trainers.tables import papers
from trainers.tables.plan import PlannedRow
from trainers.tables.runs import Run
from trainers.tables.scores import row_scores

CKPLUS = papers.TABLES["gan_6"].classes


def finished(top, name, columns, protocol="clean"):
    """A run's folder as far as a table reads it."""
    path = top / "runs" / name
    (path / "best" / protocol).mkdir(parents=True)
    card = {"schema_version": 1, "weights": {"sha256": f"hash of {name}"}}
    (path / "best" / protocol / "model.json").write_text(json.dumps(card))
    ids = np.array(
        [f"{name} {i}".encode() for i in range(len(next(iter(columns.values()))))]
    )
    columns = {"sample_id": ids, **columns}
    Predictions.from_columns(columns).save(str(path / "outputs" / f"{protocol}.npz"))
    (path / "report.md").write_text("done")
    return Run("gan_ckplus_man", "data", str(path), {})


def classified(true, predicted, num_classes=8, **more):
    logits = np.full((len(true), num_classes), -3.0, np.float32)
    logits[np.arange(len(true)), predicted] = 3.0
    return {"true_expression": np.array(true), "expression": logits,
            "expression_weight": np.ones(len(true), np.float32), **more}  # fmt: skip


def names(text):
    short = {name[:2]: n for n, name in enumerate(labels.EXPRESSIONS)}
    return [short[part] for part in text.split()]


def test_folds_are_averaged_as_in_the_paper_and_pooled_beside(tmp_path):
    # Two of three right in the first fold, one of one in the second.
    first = classified(
        names("an an fe"), names("an sa fe"), subject=np.array([b"a", b"a", b"b"])
    )
    second = classified(names("an"), names("an"), subject=np.array([b"c"]))
    runs = [[(finished(tmp_path, "f0", first),), (finished(tmp_path, "f1", second),)]]
    planned = PlannedRow(papers.Row("Ours"), tuple(map(tuple, runs)))
    found = row_scores(planned, "clean", CKPLUS)
    assert found["mean"]["accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["mean"]["accuracy_pooled"] == pytest.approx(3 / 4)
    matrix = np.array(found["confusion"])
    # The second fold shows no fear, which halves that row, as the paper's sums to 90.
    place = {name: n for n, name in enumerate(CKPLUS)}
    an, fe, sa = place["anger"], place["fear"], place["sadness"]
    assert matrix[an, an] == pytest.approx((1 / 2 + 1) / 2)
    assert matrix[an, sa] == pytest.approx(1 / 4)
    assert matrix[fe, fe] == matrix[fe].sum() == pytest.approx(1 / 2)
    assert found["mean"]["mean_class_accuracy"] == pytest.approx((3 / 4 + 1 / 2) / 7)
    pooled = np.array(found["confusion_pooled"])
    assert pooled[an, an] == pytest.approx(2 / 3) and pooled[fe, fe] == 1
    assert found["std"]["accuracy"] is None and found["seeds"] == 1
    assert found["resampled"] == "subject" and found["num_examples"] == 4


def test_nothing_right_is_no_proof_of_nothing(tmp_path):
    columns = classified([0] * 20, [1] * 20, 7)
    run = finished(tmp_path, "s0", columns)
    found = row_scores(PlannedRow(papers.Row("Ours"), (((run,),),)), "clean")
    # Clopper and Pearson: (1 - p)^20 = 0.025.
    assert found["mean"]["accuracy"] == 0
    assert found["intervals"]["accuracy"] == pytest.approx([0, 1 - 0.025 ** (1 / 20)])


def test_seeds_have_a_mean_a_deviation_and_one_interval(tmp_path):
    rng = np.random.default_rng(0)
    true, seeds, columns = rng.integers(0, 7, 200), [], []
    for seed in range(3):
        guess = np.where(rng.random(200) < 0.5 + 0.1 * seed, true, (true + 1) % 7)
        columns.append(classified(true, guess, 7))
        seeds.append(((finished(tmp_path, f"s{seed}", columns[-1]),),))
    found = row_scores(PlannedRow(papers.Row("Ours"), tuple(seeds)), "clean")
    each = [np.mean(c["expression"].argmax(1) == true) for c in columns]
    assert found["per_seed"]["accuracy"] == pytest.approx(each)
    assert found["mean"]["accuracy"] == pytest.approx(np.mean(each))
    assert found["std"]["accuracy"] == pytest.approx(np.std(each, ddof=1))
    # An independent bootstrap: the same pictures for every seed.
    hits = np.mean([c["expression"].argmax(1) == true for c in columns], axis=0)
    drawn = [hits[rng.integers(0, 200, 200)].mean() for _ in range(4000)]
    np.testing.assert_allclose(
        found["intervals"]["accuracy"], np.percentile(drawn, [2.5, 97.5]), atol=0.01
    )
    assert found["weights"] == [f"hash of s{n}" for n in range(3)]


def test_two_networks_of_one_dimension_are_one_row(tmp_path):
    rng = np.random.default_rng(1)
    true = rng.uniform(-1, 1, (50, 2)).astype(np.float32)
    guess = (true + rng.normal(0, 0.3, true.shape)).astype(np.float32)
    shared = {"true_valence_arousal": true, "valence_arousal_weight": np.ones(50)}
    one = finished(tmp_path, "v", {**shared, "valence": guess[:, :1]})
    two = finished(tmp_path, "a", {**shared, "arousal": guess[:, 1:]})
    found = row_scores(PlannedRow(papers.Row("2Att-CNN"), (((one, two),),)), "clean")
    x, y = true.astype(np.float64), guess.astype(np.float64)
    covariance = ((x - x.mean(0)) * (y - y.mean(0))).mean(0)
    ccc = 2 * covariance / (x.var(0) + y.var(0) + (x.mean(0) - y.mean(0)) ** 2)
    rmse = np.sqrt(((x - y) ** 2).mean(0))
    mean = found["mean"]
    assert [mean["ccc_valence"], mean["ccc_arousal"]] == pytest.approx(list(ccc))
    assert mean["ccc_mean"] == pytest.approx(ccc.mean())
    assert mean["rmse_mean"] == pytest.approx(rmse.mean())


def test_what_is_not_finished_is_not_counted(tmp_path):
    columns = classified(names("an fe"), names("an an"))
    done = finished(tmp_path, "s0", columns)
    planned = lambda *runs: PlannedRow(papers.Row("Ours"), tuple(((r,),) for r in runs))
    begun = Run("gan_ckplus_man", "data", str(tmp_path / "runs" / "s1"), {})
    assert row_scores(planned(done, begun), "clean")["seeds"] == 1
    assert row_scores(planned(begun), "clean") is None
    assert row_scores(planned(done), "paper") is None
