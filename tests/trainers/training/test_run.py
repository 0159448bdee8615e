import csv
import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from ml_collections import ConfigDict

from data_pipelines.batches import pipeline
from fer_tf import losses
from fer_tf.layers.uncertainty_weighting import UncertaintyWeighting
from fer_tf.model_io import model_folder
from fer_tf.optimizers import CoupledSGD
from tests.testing_utils import tiny_config
from trainers.common.cli import UsageError
from trainers.evaluation.predictions import Predictions
from trainers.training import build, objectives, optimizers, report, steps, workdir
from trainers.training import run as loop


def start(config, data, path):
    prepared = pipeline.open_prepared(data)
    return loop.Run(config, prepared, str(path))


def variables(run):
    path = tf.train.latest_checkpoint(run.workdir.checkpoints)
    reader = tf.train.load_checkpoint(path)
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if "_CHECKPOINTABLE" not in name
    }


def assert_same(a, b):
    assert a.keys() == b.keys()
    different = [name for name in a if not np.array_equal(a[name], b[name])]
    assert not different, different


@pytest.fixture(scope="module")
def finished(synthetic_data, tmp_path_factory):
    """A run that nobody disturbed; `traces` counts how often its loss was traced."""
    path = tmp_path_factory.mktemp("runs") / "whole"
    run = start(tiny_config(), synthetic_data, path)
    objective, run.traces = run.objectives[0], []

    class Counting(objectives.Expression):
        def __call__(self, *args):
            run.traces.append(args)
            return objective(*args)

    run.objectives = [Counting()]
    run.train()
    report.finish(run)
    return run, path


class Weighted(objectives.Expression):
    """Has a weight of its own to learn, as MTANet's second stage has."""

    def __init__(self):
        super().__init__()
        self.layer = UncertaintyWeighting({"expression": 1.0})
        self.layer.build()

    def __call__(self, batch, outputs):
        loss, tasks = super().__call__(batch, outputs)
        return self.layer({"expression": loss}), tasks


@pytest.fixture(scope="module")
def weighted(synthetic_data, tmp_path_factory):
    """One whose objective learns, and whose first weights stay the best."""
    path = tmp_path_factory.mktemp("runs") / "weighted"
    run = first_is_best(start(tiny_config(), synthetic_data, path))
    run.train()
    return run, path


def first_is_best(run):
    """Gives a run an objective that learns, and scores that only fall."""
    run.objectives = [Weighted()]
    run.selector.scores = lambda stream: {"accuracy": 1 / (1 + int(run.state.step))}
    return run


@pytest.fixture(scope="module")
def averaged(synthetic_data, tmp_path_factory):
    """One of two stages with mixup, whose evaluated weights are an average."""
    config = tiny_config(ema_decay=0.9, mixup=0.3)
    second = tiny_config().stages[0]
    config.stages = (config.stages[0], second)
    for name, stage in zip(("first", "second"), config.stages):
        stage.update(name=name, epochs=1)
    second.train = "expression|stage3.*"
    path = tmp_path_factory.mktemp("runs") / "averaged"
    run = start(config, synthetic_data, path)
    run.train()
    return run, path


@pytest.fixture(scope="module")
def dropping(synthetic_data, tmp_path_factory):
    """One whose loss never drops by enough, so that its rate does."""
    config = tiny_config()
    config.stages[0].epochs = 3
    config.stages[0].schedule = ConfigDict(
        dict(name="plateau", factor=0.1, patience=1, min_delta=100.0)
    )
    path = tmp_path_factory.mktemp("runs") / "dropping"
    run = start(config, synthetic_data, path)
    run.train()
    return run, path


class Stopped(Exception):
    pass


def note_begins(monkeypatch):
    """A list, to which each stage that is run adds the step that it begins at."""
    make, begun = steps.make_counted_step, []

    def noting(step, state, **kwargs):
        begun.append(int(state.step))
        return make(step, state, **kwargs)

    monkeypatch.setattr(steps, "make_counted_step", noting)
    return begun


@pytest.mark.parametrize(
    "stop, kind, begin",
    [(1, "finished", 0), (8, "finished", 7), (4, "averaged", 3), (7, "averaged", 7),
     (12, "averaged", 10), (17, "dropping", 15), (8, "weighted", 7)],
)  # fmt: skip
def test_a_run_stopped_anywhere_ends_like_one_that_was_not(
    stop, kind, begin, request, synthetic_data, tmp_path, monkeypatch
):
    """Epochs are 7 steps; checkpoints follow every third step of a stage, and epochs.

    Stopped at 1, there is none yet: two whole runs, in which no clock has a part.
    """
    whole, path = request.getfixturevalue(kind)
    make = steps.make_counted_step

    def stopping(step, state, **kwargs):
        counted = make(step, state, **kwargs)

        def run(batch):
            if int(state.step) == stop:
                raise Stopped
            counted(batch)

        return run

    def another():
        run = start(whole.config, synthetic_data, tmp_path)
        return first_is_best(run) if kind == "weighted" else run

    monkeypatch.setattr(steps, "make_counted_step", stopping)
    with pytest.raises(Stopped):
        another().train()
    monkeypatch.setattr(steps, "make_counted_step", make)
    again, begun = another(), note_begins(monkeypatch)
    again.train()
    assert begun[0] == begin
    assert_same(variables(again), variables(whole))
    for protocol in ("clean", "paper"):
        kept, expected = (
            model_folder.load(str(folder / "best" / protocol))
            for folder in (tmp_path, path)
        )
        cards = [
            model_folder.read_card(str(folder / "best" / protocol))
            for folder in (tmp_path, path)
        ]
        assert cards[0]["step"] == cards[1]["step"]
        for a, b in zip(kept.get_weights(), expected.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    log = (tmp_path / "metrics.csv").read_bytes()
    assert log == (path / "metrics.csv").read_bytes()


def test_what_an_objective_learned_is_in_the_log(weighted):
    run, path = weighted
    learned = [row["log_variance_expression"] for row in run.workdir.rows]
    assert 0 not in learned and len(set(learned)) == 2
    card = model_folder.read_card(str(path / "best" / "clean"))
    assert (card["epoch"], card["step"]) == (1, 7)


def test_nothing_is_traced_after_the_first_epoch(finished):
    run, _ = finished
    assert len(run.traces) == 1 and len(run.workdir.rows) == 2
    assert run.selector._call.experimental_get_tracing_count() == 1


def test_the_best_weights_are_the_average_and_a_stage_hands_it_on(averaged):
    run, path = averaged
    assert len(run.workdir.rows) == 2
    best = model_folder.load(str(path / "best" / "clean"))
    stage = model_folder.read_card(str(path / "best" / "clean"))["step"]
    # What was evaluated: the average at its step, which ends either stage.
    assert stage in (7, 14)
    for average, variable in zip(run.average.averages, run.average._of_model):
        np.testing.assert_array_equal(average.numpy(), variable.numpy())
    frozen = [v for v in run.model.variables if v.path.startswith("stem")]
    kept = {v.path: v.numpy() for v in best.variables}
    assert frozen
    for variable in frozen:  # By the second stage, bit for bit.
        np.testing.assert_array_equal(kept[variable.path], variable.numpy())


def test_within_a_stage_the_average_is_evaluated_and_the_weights_train_on(
    synthetic_data, tmp_path, monkeypatch
):
    run = start(tiny_config(ema_decay=0.9), synthetic_data, tmp_path)
    values = lambda variables: np.concatenate([v.numpy().ravel() for v in variables])
    weights = lambda: values(run.average._of_model)
    scores, end_of_epoch, evaluated = run.selector.scores, run._end_of_epoch, []

    def evaluating(stream):
        evaluated.append(weights())
        return scores(stream)

    def first_epoch(*args):
        before, average = weights(), values(run.average.averages)
        assert not np.array_equal(before, average)
        end_of_epoch(*args)
        assert evaluated
        for found in evaluated:
            np.testing.assert_array_equal(found, average)
        np.testing.assert_array_equal(weights(), before)
        raise Stopped

    monkeypatch.setattr(run.selector, "scores", evaluating)
    monkeypatch.setattr(run, "_end_of_epoch", first_epoch)
    with pytest.raises(Stopped):
        run.train()
    assert int(run.state.step) < run.total_steps(run.config.stages[0])


def test_the_rate_drops_after_an_epoch_whose_loss_did_not(dropping):
    run, _ = dropping
    rates = [row["learning_rate"] for row in run.workdir.rows]
    np.testing.assert_allclose(rates, [rates[0], rates[0], 0.1 * rates[0]], rtol=1e-6)


def test_a_second_run_in_one_workdir_is_refused(finished, synthetic_data):
    run, path = finished
    times = lambda: {
        p: p.stat().st_mtime_ns for p in path.rglob("*") if p.name != ".lock"
    }
    with run.workdir.opened():
        before = times()
        with pytest.raises(OSError, match="another process is at work here"):
            start(run.config, synthetic_data, path).train()
        assert times() == before


def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    finished, synthetic_data, tmp_path, capsys, monkeypatch
):
    whole, path = finished
    shutil.copytree(path, tmp_path / "run")
    newest = tf.train.latest_checkpoint(str(tmp_path / "run" / "checkpoints"))
    newest = str(tmp_path / "run" / "checkpoints" / newest.rsplit("/", 1)[-1])
    data = open(f"{newest}.data-00000-of-00001", "rb").read()
    open(f"{newest}.data-00000-of-00001", "wb").write(data[: len(data) // 2])
    begun = note_begins(monkeypatch)
    again = start(tiny_config(), synthetic_data, tmp_path / "run")
    again.train()
    assert begun == [12]  # That of step 14 is damaged, the one before is of 12.
    assert "is damaged" in capsys.readouterr().out
    assert_same(variables(again), variables(whole))


@pytest.mark.parametrize("gone", ["best", "best/clean", "best/paper/model.json"])
def test_best_weights_that_are_gone_are_one_line_and_what_goes_on_says_where(
    gone, finished, synthetic_data, tmp_path, capsys
):
    _, path = finished
    shutil.copytree(path, tmp_path / "run")
    again = start(tiny_config(), synthetic_data, tmp_path / "run")
    again.train()
    assert capsys.readouterr().out == "resumed at step 14 of 14\n"
    lost = tmp_path / "run" / gone
    shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    with pytest.raises(ValueError, match="best weights so far were here") as error:
        again.train()
    folder = "best/paper" if "paper" in gone else "best/clean"
    assert str(error.value).startswith(f"{tmp_path / 'run' / folder}: ")


def test_what_a_stage_freezes_does_not_move_and_what_it_trains_does(
    synthetic_data, tmp_path
):
    config = tiny_config()
    config.stages[0].train = "expression|stage3.*"
    config.stages[0].epochs = 1
    run = start(config, synthetic_data, tmp_path)
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
        start(config, synthetic_data, tmp_path).train()


def test_a_loss_that_is_not_finite_stops_with_step_and_stage(
    synthetic_data, tmp_path, monkeypatch
):
    class Broken(objectives.Expression):
        def __call__(self, batch, outputs):
            total, tasks = super().__call__(batch, outputs)
            return total * tf.where(run.state.step == 5, np.nan, 1.0), tasks

    run = start(tiny_config(checkpoint_steps=100), synthetic_data, tmp_path)
    run.objectives = [Broken()]
    with pytest.raises(FloatingPointError, match="step 5 of stage 'train'"):
        run.train()
    assert tf.train.latest_checkpoint(run.workdir.checkpoints) is None


def test_minutes_of_training_are_saved_whatever_the_steps(
    synthetic_data, tmp_path, monkeypatch
):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0)
    run = start(tiny_config(checkpoint_steps=100), synthetic_data, tmp_path)
    saved = []
    save = run.checkpoints.save
    run.checkpoints.save = lambda parts, number: (saved.append(number),
                                                  save(parts, number))  # fmt: skip
    run.train()
    assert saved == list(range(1, int(run.state.step) + 1))


def test_model_fit_gives_the_same_losses_as_the_loop(synthetic_data):
    config = tiny_config(augment=tiny_config().augment)
    config.model.arguments.dropout_rate = 0.0
    prepared = pipeline.open_prepared(synthetic_data)
    batches = list(build.train_stream(config, prepared).take(5))

    def fresh():
        keras.utils.set_random_seed(1)
        return build.build_model(config), CoupledSGD(0.05, momentum=0.9)

    model, optimizer = fresh()
    objective = objectives.make_objective(config.objective)
    step = steps.make_train_step(model, optimizer, objective, jit_compile=False)
    ours = [float(step(batch)["loss"]) for batch in batches]

    model, optimizer = fresh()
    model.compile(optimizer, loss={"expression": losses.CrossEntropy()})
    theirs = []
    for batch in batches:
        one = pipeline.for_fit(tf.data.Dataset.from_tensors(batch), ["expression"])
        theirs += model.fit(one, verbose=0).history["loss"]
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_xla_gives_the_same_losses_without_recompiling(synthetic_data):
    config = tiny_config()
    config.model.arguments.dropout_rate = 0.0
    prepared = pipeline.open_prepared(synthetic_data)
    batches = list(build.train_stream(config, prepared).take(4))
    found, traces = [], 0
    for jit_compile in (False, True):
        keras.utils.set_random_seed(1)
        model = build.build_model(config)
        objective = objectives.make_objective(config.objective)
        step = steps.make_train_step(
            model, CoupledSGD(0.05), objective, jit_compile=jit_compile
        )
        found.append([float(step(batch)["loss"]) for batch in batches])
        traces += step.experimental_get_tracing_count()
    # Rounding differs, and batch normalisation of 16 rows makes it grow.
    np.testing.assert_allclose(*found, rtol=3e-3)
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-5)
    assert traces == 2  # One each: full batches only, so no shape changes.


def test_one_batch_is_learned_by_heart(synthetic_data):
    config = tiny_config()
    config.model.arguments.dropout_rate = 0.0
    config.stages[0].learning_rate = 0.1
    prepared = pipeline.open_prepared(synthetic_data)
    (batch,) = build.train_stream(config, prepared).take(1)
    keras.utils.set_random_seed(0)
    model = build.build_model(config)
    step = steps.make_train_step(
        model,
        optimizers.build_optimizer(config, config.stages[0], 100),
        objectives.make_objective(config.objective),
        jit_compile=False,
    )
    first = float(step(batch)["loss"])
    for _ in range(80):
        last = float(step(batch)["loss"])
    assert first > 1.0 and last < 0.1


def test_a_finished_workdir_holds_what_it_should(finished, synthetic_data):
    run, path = finished
    for name in ("config.json", "metrics.csv", "results.json", "report.md",
                 "curves.png", "confusion.png"):  # fmt: skip
        assert (path / name).stat().st_size > 0, name
    rows = list(csv.DictReader(open(path / "metrics.csv")))
    assert [int(row["epoch"]) for row in rows] == [1, 2]
    steps = 2 * run.num_train // 16
    assert int(rows[-1]["step"]) == steps
    best = max(float(row["validation/accuracy"]) for row in rows)
    assert model_folder.read_card(str(path / "best" / "clean"))["epoch"] in [
        int(r["epoch"]) for r in rows if float(r["validation/accuracy"]) == best
    ]
    assert not [p for p in path.rglob("*") if p.name.startswith(".part")]
    predictions = Predictions.load(str(path / "outputs" / "clean.npz"))
    test = build.eval_stream(run.config, run.prepared, "test").unbatch()
    ids = {row["sample_id"].numpy() for row in test if row["mask"] > 0}
    assert set(predictions.sample_id.tolist()) == ids
    results = json.loads((path / "results.json").read_text())
    found = results["protocols"]["clean"]
    counts = {split: run.prepared.count(split) for split in ("validation", "test")}
    assert counts == {s: found[s]["num_examples"] for s in counts}
    assert found["test"]["calibration"]["num_fitted"] == counts["validation"]


# After a kill the repeated epoch may beat one protocol's best and not the other's.
@pytest.mark.parametrize("same, step", [(True, 2), (False, 4), (False, 2)])
def test_weights_that_both_protocols_chose_are_measured_once(
    same, step, synthetic_data, tmp_path, monkeypatch
):
    run = start(tiny_config(), synthetic_data, tmp_path)
    for protocol, chosen, answer in (
        ("clean", 2, 2),
        ("paper", step, 2 if same else 4),
    ):
        # Each protocol's weights say something of their own.
        bias = run.model.layers[-1].bias
        bias.assign(10 * np.eye(bias.shape[0])[answer])
        row = {"epoch": chosen // 2, "step": chosen}
        run.workdir.save_best(run.model, protocol, row)
    read = []
    real = model_folder.load
    monkeypatch.setattr(
        model_folder, "load", lambda path: read.append(path) or real(path)
    )
    report.finish(run)
    results = json.loads((tmp_path / "results.json").read_text())["protocols"]
    clean, paper = results["clean"], results["paper"]
    assert len(read) == (1 if same else 2)
    assert (clean["test"] == paper["test"]) == same
    assert (clean["step"], paper["step"]) == (2, step)
    for protocol in results:
        assert (tmp_path / "outputs" / f"{protocol}.npz").stat().st_size > 0


@pytest.mark.parametrize(
    "select, other",
    [("nll", "-nll"), ("ece", "-ece"), ("rmse_mean", "-rmse_mean"),
     ("-accuracy", "accuracy")],
)  # fmt: skip
def test_the_worst_weights_cannot_be_selected(select, other):
    found = {"nll": 1.0, "ece": 0.1, "rmse_mean": 0.3, "accuracy": 0.5}
    with pytest.raises(UsageError, match=f"worst weights: give '{other}'"):
        loop._signed(found, select, "test")
    sign = -1 if other.startswith("-") else 1
    assert loop._signed(found, other, "test") == sign * found[other.removeprefix("-")]


def test_a_killed_exports_folder_does_not_stop_a_run(synthetic_data, tmp_path):
    run = start(tiny_config(), synthetic_data, tmp_path / "run")
    with run.workdir.opened():
        pass
    left = tmp_path / "run" / ".part-export"
    left.mkdir()
    (tmp_path / "run" / ".part-file").write_text("")
    with run.workdir.opened():
        assert left.is_dir() and not (tmp_path / "run" / ".part-file").exists()


def test_a_workdir_of_before_a_setting_goes_on_and_one_of_another_says_which(
    synthetic_data, tmp_path
):
    config = tiny_config()
    config.objective = ConfigDict(
        dict(name="two_stage_multitask", reading="A", weights=(), outputs=())
    )
    prepared = pipeline.open_prepared(synthetic_data)
    workdir.begin(str(tmp_path), config, prepared)
    written = json.loads((tmp_path / "config.json").read_text())
    assert "weights" not in written["config"]["objective"]
    workdir.require_same(str(tmp_path), config, prepared)
    config.objective.weights = (1.0, 2.0, 3.0)
    with pytest.raises(ValueError, match=r"\(objective.weights was None, now \[1.0"):
        workdir.require_same(str(tmp_path), config, prepared)


def test_of_equal_scores_the_earlier_epoch_is_kept(
    synthetic_data, tmp_path, monkeypatch
):
    run = start(tiny_config(), synthetic_data, tmp_path)
    kept = []
    monkeypatch.setattr(
        run.workdir, "save_best", lambda model, protocol, row: kept.append(row["epoch"])
    )
    # 0.7 is above the nearest float32, in which the best score is stored.
    monkeypatch.setattr(run.selector, "scores", lambda stream: {"accuracy": 0.7})
    for epoch in (1, 2):
        run._evaluate(run.config.stages[0], {"epoch": epoch, "step": epoch})
    assert kept == [1, 1]


def test_each_protocol_chooses_on_its_own_split(synthetic_data, tmp_path, monkeypatch):
    config = tiny_config(views="center_mirror")
    run = start(config, synthetic_data, tmp_path)
    split_of = {id(stream): split for split, stream in run.eval_streams.items()}
    told = {"validation": iter([0.3, 0.6, 0.5, 0.9]), "test": iter([0.9, 0.2, 0.95, 1])}
    kept = {"clean": [], "paper": []}
    monkeypatch.setattr(
        run.workdir, "save_best", lambda _, protocol, row: kept[protocol].append(row)
    )
    monkeypatch.setattr(
        run.selector, "scores", lambda x: {"accuracy": next(told[split_of[id(x)]])}
    )
    (stage,) = run.config.stages
    for epoch in (1, 2, 3):
        run._evaluate(stage, {"epoch": epoch, "step": epoch})
    epochs = {name: [row["epoch"] for row in rows] for name, rows in kept.items()}
    assert epochs == {"clean": [1, 2], "paper": [1, 3]}
    with stage.unlocked():
        stage.keep_best = False  # As in a stage that only prepares the next.
    run._evaluate(stage, {"epoch": 4, "step": 4})
    assert len(kept["clean"]) == len(kept["paper"]) == 2
    # Weights are chosen by the centre window, whatever is reported.
    assert run.selector.model.get_layer("views").views == "center"


def test_a_stage_is_trained_by_its_own_objective(synthetic_data, tmp_path, monkeypatch):
    config, second = tiny_config(), tiny_config().stages[0]
    second.name = "second"
    second.objective = ConfigDict(dict(name="expression", label_smoothing=0.5))
    config.stages = (config.stages[0], second)
    run, used = start(config, synthetic_data, tmp_path), []
    assert [each.label_smoothing for each in run.objectives] == [0.0, 0.5]
    monkeypatch.setattr(
        steps, "make_train_step", lambda _, __, objective, **kw: used.append(objective)
    )
    for number, stage in enumerate(config.stages):
        run.make_step(number, stage, 7)
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
    run = start(config, synthetic_data, tmp_path)
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


@pytest.mark.parametrize(
    "change, message",
    [(dict(batch_size=8), r"batch_size was 16, now 8"), (dict(seed=3), "seed was 0")],
)
def test_a_workdir_of_another_config_is_refused(
    change, message, finished, synthetic_data
):
    _, path = finished
    with pytest.raises(ValueError, match=message):
        start(tiny_config(**change), synthetic_data, path).train()
