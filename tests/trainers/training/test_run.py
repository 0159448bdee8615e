import csv
import json
import re

import numpy as np
import pytest
import tensorflow as tf
from ml_collections import ConfigDict

from fer_tf.model_io.card import read_card
from tests.testing_utils import paper_config, tiny_config
from tests.trainers.training.small_runs import (
    FakeSelector,
    assemble,
    assemble_and_check,
)
from trainers.evaluation.predictions import Predictions
from trainers.training import objectives, run, streams


@pytest.mark.slow
def test_what_an_objective_learned_is_in_the_log(weighted):
    run, path = weighted
    learned = [row["log_variance_expression"] for row in run.workdir.rows]
    assert 0 not in learned and len(set(learned)) == 2
    card = read_card(str(path / "best" / "clean"))
    assert (card["epoch"], card["step"]) == (1, 7)


def test_nothing_is_traced_after_the_first_epoch(finished):
    run, _ = finished
    assert len(run.traces) == 1 and len(run.workdir.rows) == 2
    assert run.selector._call.experimental_get_tracing_count() == 1


@pytest.mark.slow
def test_the_rate_drops_after_an_epoch_whose_loss_did_not(dropping):
    run, _ = dropping
    rates = [row["learning_rate"] for row in run.workdir.rows]
    np.testing.assert_allclose(rates, [rates[0], rates[0], 0.1 * rates[0]], rtol=1e-6)


@pytest.mark.slow
def test_what_a_stage_freezes_does_not_move_and_what_it_trains_does(
    synthetic_data, tmp_path
):
    config = tiny_config()
    config.stages[0].train = "expression|stage3.*"
    config.stages[0].epochs = 1
    run = assemble(config, synthetic_data, tmp_path)
    before = {v.path: v.numpy() for v in run.model.variables}
    run.train()
    moved = {v.path for v in run.model.variables if (v.numpy() != before[v.path]).any()}
    seeds = {path for path in moved if "seed_generator" in path}
    assert moved - seeds == {
        path
        for path in before
        if path.startswith(("expression", "stage3")) and "seed" not in path
    }


def test_a_pattern_that_matches_nothing_is_refused(synthetic_data, tmp_path):
    config = tiny_config()
    config.stages[0].train = "stage9.*"
    with pytest.raises(ValueError, match="'stage9"):
        assemble_and_check(config, synthetic_data, tmp_path)


def test_a_loss_that_is_not_finite_stops_with_step_and_stage(synthetic_data, tmp_path):
    class Broken(objectives.Expression):
        def __call__(self, batch, outputs):
            total, tasks = super().__call__(batch, outputs)
            return total * tf.where(run.state.step == 5, np.nan, 1.0), tasks

    run = assemble(tiny_config(checkpoint_steps=100), synthetic_data, tmp_path)
    run.objectives = [Broken()]
    with pytest.raises(FloatingPointError, match="step 5 of stage 'train'"):
        run.train()
    assert tf.train.latest_checkpoint(run.workdir.checkpoints) is None


def test_a_finished_workdir_holds_what_it_should(finished, synthetic_data):
    run, path = finished
    for name in ("config.json", "metrics.csv", "results.json", "report.md",
                 "curves.png", "confusion.png"):  # fmt: skip
        assert (path / name).stat().st_size > 0, name
    report = (path / "report.md").read_text()
    assert re.search(r"of the time, \d+\.\d% went to waiting for data", report)
    timing = json.loads((path / "timing.json").read_text())
    parts = [timing[f"{part}_seconds"] for part in ("data", "evaluation", "checkpoint")]
    assert parts[1] > 0 and sum(parts) < timing["seconds"]
    rows = list(csv.DictReader(open(path / "metrics.csv")))
    assert [int(row["epoch"]) for row in rows] == [1, 2]
    steps = 2 * run.num_train // 16
    assert int(rows[-1]["step"]) == steps
    best = max(float(row["validation/accuracy"]) for row in rows)
    assert read_card(str(path / "best" / "clean"))["epoch"] in [
        int(r["epoch"]) for r in rows if float(r["validation/accuracy"]) == best
    ]
    assert not [p for p in path.rglob("*") if p.name.startswith(".part")]
    predictions = Predictions.load(str(path / "outputs" / "clean.npz"))
    test = streams.eval_stream(run.config, run.prepared, "test").unbatch()
    ids = {row["sample_id"].numpy() for row in test if row["mask"] > 0}
    assert set(predictions.sample_id.tolist()) == ids
    results = json.loads((path / "results.json").read_text())
    found = results["protocols"]["clean"]
    counts = {split: run.prepared.count(split) for split in ("validation", "test")}
    assert counts == {s: found[s]["num_examples"] for s in counts}
    assert found["test"]["calibration"]["num_fitted"] == counts["validation"]


def test_a_stage_is_trained_by_its_own_objective(synthetic_data, tmp_path):
    config, second = tiny_config(), tiny_config().stages[0]
    second.name = "second"
    second.objective = ConfigDict(dict(name="expression", label_smoothing=0.5))
    config.stages = (config.stages[0], second)
    run, used = assemble(config, synthetic_data, tmp_path), []
    assert [o.label_smoothing for o in run.objectives] == [0.0, 0.5]
    run.make_step = lambda model, optimizer, objective: used.append(objective)
    for number in range(2):
        run.prepare_stage(number)
    assert used == run.objectives


@pytest.mark.parametrize(
    "batch_size, every, epochs, ends",
    [
        # 119 faces: 7.4 steps of 16 an epoch, or 2.5 of 48.
        (16, 1, 2, {7: 1, 14: 2}),
        (16, 2, 5, {14: 2, 29: 4, 37: 5}),
        (48, 1, 3, {2: 1, 4: 2, 7: 3}),
        (48, 2, 5, {4: 2, 9: 4, 12: 5}),
    ],
)
def test_epochs_end_where_their_faces_do(
    batch_size, every, epochs, ends, synthetic_data, tmp_path
):
    config = tiny_config(batch_size=batch_size, eval_epochs=every)
    config.stages[0].epochs = epochs
    run = assemble(config, synthetic_data, tmp_path)
    assert run.num_train == 119
    assert run.epoch_ends(run.total_steps(config.stages[0])) == ends


def test_the_board_holds_the_crops_and_the_confusions(finished):
    _, path = finished
    pictures = {}
    for file in (path / "tensorboard").iterdir():
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "images":
                    pictures.setdefault(value.tag, []).append(event.step)
    assert pictures["crops/train"] == [1]
    assert len(pictures["confusion/validation"]) == 2  # Once an evaluation.


def test_a_metric_needs_labels():
    with pytest.raises(ValueError, match="test: no labels of what the model predicts"):
        run._signed({}, "ccc_mean", "test")
    with pytest.raises(ValueError, match="one of accuracy"):
        run._signed({"accuracy": 0.5}, "ccc_mean", "test")
    assert run._signed({"rmse_mean": 0.25}, "-rmse_mean", "test") == -0.25


def test_a_test_set_without_the_chosen_metric_is_refused_before_training(
    synthetic_data, tmp_path
):
    run = assemble(paper_config(), synthetic_data, tmp_path / "run")
    # A batch of validation data has it; neither a batch nor all of the test data.
    scores = iter([{"accuracy": 0.5}, {"ccc_mean": 0.1}, {"ccc_mean": 0.1}])
    run.selector = FakeSelector(lambda stream: next(scores))
    with pytest.raises(ValueError, match="that test has labels for, one of ccc_mean"):
        run.check()
    assert not (tmp_path / "run").exists()


def test_patience_ends_a_run_that_gets_no_better(synthetic_data, tmp_path, capsys):
    config = tiny_config(patience=2)
    config.stages[0].epochs = 9
    run = assemble_and_check(config, synthetic_data, tmp_path / "run")
    # Validation and test alike.
    run.selector = FakeSelector(
        lambda stream: {"accuracy": [0.3, 0.5, 0.4, 0.5, 0.9][len(run.workdir.rows)]}
    )
    run.train()
    # The second is the best. The fourth is no better.
    assert [row["epoch"] for row in run.workdir.rows] == [1, 2, 3, 4]
    assert "2 evaluations brought no better validation/accuracy" in (
        capsys.readouterr().out
    )
    again = assemble(config, synthetic_data, tmp_path / "run")
    again.train()
    assert not again.trained
