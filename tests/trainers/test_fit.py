import dataclasses
import importlib.util
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from ml_collections import ConfigDict

import fer_tf
from data_pipelines import layouts
from data_pipelines.preparation import prepare
from data_pipelines.sources import open_source
from fer_tf.model_io import model_folder
from tests.fer_tf.test_backends import run
from tests.testing_utils import tiny_config
from trainers import fit
from trainers.configs import wang_synthetic
from trainers.training import optimizers, streams

WORKER = pathlib.Path(__file__).with_name("fit_worker.py")
AMOUNTS = [
    "quick",
    *(pytest.param(a, marks=pytest.mark.long) for a in ("tiny", "papers")),
]


@pytest.fixture(scope="module")
def npz_data(tmp_path_factory):
    """Every label, 96 px colour."""
    output = str(tmp_path_factory.mktemp("prepared") / "npz")
    source = open_source("synthetic", "seed=2,examples=120")
    spec = source.crop_spec()
    prepare.prepare(source, output, crop_spec=spec, format="npz")
    return output


@pytest.fixture(scope="module")
def losses(tmp_path_factory, npz_data):
    directory, found = tmp_path_factory.mktemp("fits"), {}

    def get(backend, amount):
        if (backend, amount) not in found:
            path = directory / f"{backend}_{amount}.npz"
            run(backend, WORKER, path, npz_data, amount)
            found[backend, amount] = dict(np.load(path))
        return found[backend, amount]

    return get


@pytest.mark.slow
@pytest.mark.parametrize("amount", AMOUNTS)
def test_the_first_losses_are_those_of_the_loop(amount, losses):
    found = losses("tensorflow", amount)
    names = [name for name in found if name.startswith("fit/")]
    assert len(names) == {"quick": 1, "tiny": 4, "papers": 6}[amount]
    for name in names:
        assert len(found[name]) == 4 and len(set(found[name])) == 4
        expected = found[name.replace("fit/", "loop/")]
        np.testing.assert_allclose(found[name], expected, rtol=1e-5, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_without_tensorflow_the_losses_are_the_same(backend, amount, losses):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    expected, found = losses("tensorflow", amount), losses(backend, amount)
    assert set(found) == {name for name in expected if name.startswith("fit/")}
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], rtol=2e-3, err_msg=name)
        np.testing.assert_allclose(value[0], expected[name][0], rtol=1e-4, err_msg=name)


@pytest.mark.slow
def test_one_call_trains_evaluates_saves_and_reads_back(synthetic_data, tmp_path):
    config = tiny_config()
    config.stages[0].learning_rate = 0.05
    model, arguments = fit.compiled(config, synthetic_data)
    assert isinstance(arguments["x"], tf.data.Dataset)
    history = model.fit(**arguments, verbose=0).history
    assert len(history["loss"]) == 2 and np.isfinite(history["loss"]).all()
    # Of one task the total is the loss; the window is the whole validation crop's.
    assert history["loss"] == pytest.approx(history["expression_loss"], rel=1e-5)
    assert {"accuracy", "macro_f1", "val_loss", "val_accuracy"} <= set(history)
    found = model.evaluate(arguments["validation_data"], verbose=0, return_dict=True)
    assert found["accuracy"] == pytest.approx(history["val_accuracy"][-1], abs=1e-6)

    image = next(iter(arguments["validation_data"]))[0]
    expected = model.predict(image, verbose=0)["expression"]
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        again.predict(image, verbose=0)["expression"], expected, atol=1e-6
    )
    assert again.evaluate(
        arguments["validation_data"], verbose=0, return_dict=True
    ) == pytest.approx(found, abs=1e-5)
    model_folder.save(str(tmp_path / "folder"), model.network, model.card)
    loaded = fer_tf.load(str(tmp_path / "folder"))
    np.testing.assert_allclose(
        loaded(image, training=False)["expression"], expected, atol=1e-5
    )


def test_a_row_without_a_label_moves_nothing(synthetic_data):
    config = tiny_config()
    model, arguments = fit.compiled(config, synthetic_data)
    image, labels, weights = next(iter(arguments["x"]))
    outputs = {"expression": tf.random.stateless_normal((16, 7), (0, 0))}
    kept = np.arange(16) % 3 > 0
    weights = {**weights, "expression": tf.constant(kept, tf.float32)}
    loss = model.compute_loss(image, labels, outputs, weights)
    named = labels["expression"].numpy()
    logs = tf.nn.log_softmax(outputs["expression"]).numpy()[np.arange(16), named]
    assert float(loss) == pytest.approx(-logs[kept].mean(), rel=1e-5)
    model.compute_metrics(image, labels, outputs, weights)
    right = outputs["expression"].numpy().argmax(-1) == named
    assert float(model.scores["accuracy"].result()) == pytest.approx(right[kept].mean())


@pytest.mark.slow
def test_stages_follow_one_another(synthetic_data):
    config = tiny_config()
    second = config.stages[0].copy_and_resolve_references()
    second.name, second.train = "head", "expression"
    config.stages = (config.stages[0], second)
    first, _ = fit.compiled(config, synthetic_data)
    model, arguments = fit.compiled(config, synthetic_data, stage=1, after=first)
    assert model.network is first.network
    before = {v.path: v.numpy() for v in model.network.variables}
    model.fit(**arguments | dict(epochs=1), verbose=0)
    moved = {
        v.path for v in model.network.variables if (v.numpy() != before[v.path]).any()
    }
    assert {path for path in moved if "seed" not in path} == {
        "expression/kernel",
        "expression/bias",
    }
    # It begins where the batches of the first stage ended.
    prepared = fit.open_prepared(synthetic_data)
    step = optimizers.total_steps(config, config.stages[0], prepared.count("train"))
    (expected,) = streams.train_stream(config, prepared, start_step=step).take(1)
    image, _, _ = next(iter(arguments["x"]))
    np.testing.assert_array_equal(image, expected["image"])


def test_the_rate_drops_when_the_loss_does_not(synthetic_data):
    config = tiny_config()
    stage = config.stages[0]
    stage.schedule = ConfigDict(dict(name="plateau", factor=0.5, patience=1))
    stage.learning_rate = 0.08
    model, arguments = fit.compiled(config, synthetic_data)
    (plateau,) = [c for c in arguments["callbacks"] if isinstance(c, fit._Plateau)]
    rates = _rates(plateau, model, (2.0, 1.5, 1.6, 1.4, 1.5))
    assert rates == pytest.approx([0.08, 0.08, 0.04, 0.04, 0.02])

    model, arguments = fit.compiled(config, synthetic_data, first_epoch=5)
    (plateau,) = [c for c in arguments["callbacks"] if isinstance(c, fit._Plateau)]
    model.optimizer.learning_rate = 0.02  # As its restored state has it.
    assert _rates(plateau, model, (1.4, 1.5)) == pytest.approx([0.02, 0.01])

    config.eval_epochs = 2  # Means of 2.0, 2.0 and 1.0: at epoch 4 none has dropped.
    model, arguments = fit.compiled(config, synthetic_data)
    (plateau,) = [c for c in arguments["callbacks"] if isinstance(c, fit._Plateau)]
    rates = _rates(plateau, model, (3.0, 1.0, 1.0, 3.0, 1.5, 0.5))
    assert rates == pytest.approx([0.08, 0.08, 0.08, 0.04, 0.04, 0.04])


def _rates(plateau, model, losses):
    plateau.set_model(model)
    plateau.on_train_begin()
    rates = []
    for epoch, loss in enumerate(losses):
        plateau.on_epoch_end(epoch, {"loss": loss})
        rates.append(float(model.optimizer.learning_rate))
    return rates


@pytest.mark.parametrize(
    "key, value",
    [("mixup", 0.2), ("ema_decay", 0.99), ("micro_batches", 2), ("patience", 3)],
)
def test_what_fit_would_leave_out_is_refused(key, value, synthetic_data):
    config = tiny_config(**{key: value})
    with pytest.raises(ValueError, match=f"`{key}` {value} is for trainers.train"):
        fit.compiled(config, synthetic_data)


def test_keras_refuses_its_own_class_weight(synthetic_data):
    """As the docstring of `fit` says; else missing labels would come to weigh."""
    model, arguments = fit.compiled(tiny_config(), synthetic_data)
    with pytest.raises(ValueError, match="class_weight.*sample_weight"):
        model.fit(**arguments, class_weight={0: 1.0, 1: 2.0}, verbose=0)


@pytest.mark.slow
@pytest.mark.parametrize("format", ["tfrecord", "npz"])
def test_votes_are_the_target_of_fit_too(format, tmp_path):
    layouts.write("ferplus", str(tmp_path / "in"), examples=60)
    source = open_source("ferplus", str(tmp_path / "in"), rule="probability")
    output = str(tmp_path / "out")
    prepare.prepare(source, output, crop_spec=source.crop_spec(), format=format)
    config = tiny_config()
    config.model.arguments.num_classes = 8
    config.objective = ConfigDict(dict(name="votes"))
    model, arguments = fit.compiled(config, output)
    image, labels, weights = next(iter(arguments["x"]))
    votes = np.asarray(labels["votes"])
    assert votes.shape == (16, 8) and (votes.max(-1) < 1).any()
    outputs = {"expression": tf.random.stateless_normal((16, 8), (0, 0))}
    loss = model.compute_loss(image, labels, outputs, weights)
    logs = tf.nn.log_softmax(outputs["expression"]).numpy()
    assert float(loss) == pytest.approx(-(votes * logs).sum(-1).mean(), rel=1e-5)
    history = model.fit(**arguments | dict(epochs=1), verbose=0).history
    assert np.isfinite(history["loss"]).all() and "val_accuracy" in history


@pytest.mark.slow
def test_a_loss_without_labels_trains_no_head(synthetic_data):
    config = wang_synthetic.get_config()
    config.update(input=dict(size=48, window=40), batch_size=16)
    config.model.arguments.update(width=0.125, input_shape=(40, 40, 1))
    config.stages[0].epochs = 1
    model, arguments = fit.compiled(config, synthetic_data)
    assert model.card.trained is None
    unlabelled = lambda image, labels, weights: (
        image, labels, {**weights, "valence_arousal": 0 * weights["valence_arousal"]}
    )  # fmt: skip
    arguments |= dict(x=arguments["x"].map(unlabelled), steps_per_epoch=1)
    model.fit(**arguments | dict(validation_data=None, epochs=1), verbose=0)
    assert model.card.trained == ("expression",)
    following, arguments = fit.compiled(config, synthetic_data, after=model)
    following.fit(**arguments | dict(steps_per_epoch=1, epochs=1), verbose=0)
    assert following.card.trained == ("expression", "valence", "arousal")
    model.card = dataclasses.replace(model.card, trained=None)  # Restored weights'.
    _, arguments = fit.compiled(config, synthetic_data, after=model)
    assert not any(isinstance(c, fit._Trained) for c in arguments["callbacks"])
