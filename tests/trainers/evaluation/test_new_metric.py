"""A metric is added in one place: its entry in `METRICS`."""

import pytest

from fer_tf import labels, scores
from fer_tf.export import model_card
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.scores import table
from tests.trainers.evaluation.drawn import columns
from trainers.common.cli import UsageError
from trainers.evaluation import measure
from trainers.evaluation.predictions import Predictions
from trainers.publishing import paper_tables
from trainers.training import report, run


@pytest.fixture
def measured(monkeypatch):
    """The JSON of a split, with a metric that did not exist before."""
    error = table.Metric(
        kind=table.CLASSES,
        formula=lambda sums, ops=table.NUMPY: 1 - table.accuracy(sums, ops),
        meaning="the share of the faces that are read wrong",
        smaller_is_better=True,
        interval=table.SHARE,
        headline=True,
        by_group=True,
    )
    monkeypatch.setitem(scores.METRICS, "error", error)
    predictions = Predictions.from_columns(columns())
    return measure.measure_split(predictions, expressions=labels.EXPRESSIONS)


def test_it_is_measured_with_its_interval_and_of_groups(measured):
    value = measured["metrics"]["error"]
    assert value == pytest.approx(1 - measured["metrics"]["accuracy"])
    low, high = measured["intervals"]["error"]
    assert low < value < high
    assert "error" in measured["groups"]["age"]["old"]["metrics"]


def test_weights_can_be_selected_by_it_in_its_direction(measured):
    value = measured["metrics"]["error"]
    assert run._signed(measured["metrics"], "-error", "validation") == -value
    with pytest.raises(UsageError, match="worst weights: give '-error'"):
        run._signed(measured["metrics"], "error", "validation")


def test_reports_cards_and_tables_show_it(measured):
    shown = f"{measured['metrics']['error']:.4f} ["
    results = {"protocols": {"clean": {"test": measured}}, "paper": {}}
    assert f"| error | {shown}" in report.table(results)
    stated = {**results, "paper": {"error": 0.125}}
    assert f"| error | 0.1250 | {shown}" in report.table(stated)
    described = {
        "model": "small_resnet", "names": {}, "formats": {}, "dataset": "fer2013",
        "measured": {"test": measured}, "crop_spec": CROP_SPECS["meen"].to_dict(),
        "views": "center", "average": "logits", "files": {},
        "weights": {"file": "model.weights.h5", "bytes": 1, "sha256": "ab"},
    }  # fmt: skip
    text = model_card.render("quick", described)
    assert f"| error | {shown}" in text
    assert "`error`: the share of the faces that are read wrong" in text
    assert scores.leading(["error"]) == ["error"]
    entry = dict(
        row="Ours", protocol="clean", paper={}, ours={"error": 0.25}, std=None,
        intervals={}, seeds=1, epochs=1.0, num_examples=9, configs=[], commands=[],
        split_sizes=dict(train=1, test=1),
    )  # fmt: skip
    found = dict(
        title="T", dataset="a", paper_dataset="a", percent=False, rows=[entry],
        changed={}, machine="m", note="", command="",
    )  # fmt: skip
    assert "| Ours | error | — | 0.250 |" in paper_tables.paper_table(found)
