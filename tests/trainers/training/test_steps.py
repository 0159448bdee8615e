"""What each option of the training step claims."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ml_collections import ConfigDict

from data_pipelines.batches import pipeline
from fer_tf import losses
from fer_tf.optimizers import CoupledSGD
from tests.testing_utils import tiny_config
from tests.trainers.training.one_step import batch, small, values
from trainers.training import (
    build,
    objectives,
    optimizers,
    steps,
    streams,
)


def test_micro_batches_give_the_step_of_the_whole_batch():
    found = []
    for parts in (1, 4):
        model, objective = small()
        step = steps.make_train_step(
            model, CoupledSGD(0.1, momentum=0.9), objective,
            jit_compile=False, micro_batches=parts,
        )  # fmt: skip
        losses = [float(step(batch())["loss"]) for _ in range(2)]
        learned = [v.numpy() for v in objective.layer.variables]
        found.append((losses, values(model) + learned))
    (losses_a, a), (losses_b, b) = found
    np.testing.assert_allclose(losses_a, losses_b, rtol=1e-5)
    for x, y in zip(a, b, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)


def test_micro_batches_are_one_pass_of_the_parts_with_dropout_and_statistics():
    # The parts under one tape, which is what two ways through them must come to.
    model, objective = small(dropout=0.5, normalize=True)
    with tf.GradientTape() as tape:
        image = batch()["image"]
        first, second = (model(x, training=True) for x in (image[:8], image[8:]))
        outputs = {name: tf.concat([first[name], second[name]], 0) for name in first}
        total, _ = objective(batch(), outputs)
    own = model.trainable_variables
    expected = [v - 0.1 * g for v, g in zip(own, tape.gradient(total, own))]
    rest = [v.numpy() for v in model.non_trainable_variables]

    model, objective = small(dropout=0.5, normalize=True)
    step = steps.make_train_step(
        model, CoupledSGD(0.1), objective, jit_compile=False, micro_batches=2
    )
    np.testing.assert_allclose(step(batch())["loss"], total, rtol=1e-5)
    for x, y in zip(expected, values(model), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-6)
    # Moving averages, and the seeds of the dropout that come next.
    after = {v.path: v.numpy() for v in model.non_trainable_variables}
    assert any("seed_gen" in path for path in after)
    for x, (path, y) in zip(rest, after.items(), strict=True):
        if "seed_gen" in path:
            x, y = x[1], y[1]  # How far the draws have come.
        np.testing.assert_allclose(x, y, rtol=1e-5, err_msg=path)


@pytest.mark.parametrize("name", ["clip_norm", "clip_value"])
def test_gradients_are_clipped_as_asked(name):
    model, objective = small()
    with tf.GradientTape() as tape:
        total, _ = objective(batch(), model(batch()["image"], training=True))
    gradients = [g.numpy() for g in tape.gradient(total, model.trainable_variables)]
    with tf.GradientTape() as tape:
        total, _ = objective(batch(), model(batch()["image"], training=True))
    learned = tape.gradient(total, objective.layer.trainable_variables)
    norm = np.sqrt(sum(np.sum(np.square(g)) for g in [*gradients, *learned]))
    limit = {"clip_norm": float(norm) / 3, "clip_value": 0.02}[name]
    assert max(np.abs(g).max() for g in gradients) > 0.02
    if name == "clip_norm":
        expected = [g / 3 for g in gradients]
    else:
        expected = [np.clip(g, -0.02, 0.02) for g in gradients]

    config = tiny_config()
    config.stages[0].update({name: limit, "learning_rate": 1.0})
    config.stages[0].optimizer = ConfigDict(dict(name="sgd"))
    before = values(model)
    optimizer = optimizers.build_optimizer(config, config.stages[0], 10)
    step = steps.make_train_step(model, optimizer, objective, jit_compile=False)
    step(batch())
    for was, now, gradient in zip(before, values(model), expected, strict=True):
        np.testing.assert_allclose(was - now, gradient, rtol=1e-4, atol=1e-6)


def test_an_overflow_in_float16_skips_the_step_and_halves_the_scale():
    config = tiny_config(dtype_policy="mixed_float16")
    model, objective = small(policy="mixed_float16")
    optimizer = optimizers.build_optimizer(config, config.stages[0], 10)
    step = steps.make_train_step(model, optimizer, objective, jit_compile=False)
    before = values(model)
    optimizer.dynamic_scale.assign(2.0**40)
    assert np.isfinite(float(step(batch())["loss"]))
    assert float(optimizer.dynamic_scale) == 2.0**39
    for was, now in zip(before, values(model)):
        np.testing.assert_array_equal(was, now)
    assert int(optimizer.inner_optimizer.iterations) == 0
    optimizer.dynamic_scale.assign(2.0**10)
    step(batch())
    assert float(optimizer.dynamic_scale) == 2.0**10
    assert any((was != now).any() for was, now in zip(before, values(model)))
    assert int(optimizer.inner_optimizer.iterations) == 1


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_learns_as_float32_does(policy):
    found = []
    for each in ("float32", policy):
        model, objective = small(policy=each)
        config = tiny_config(dtype_policy=each)
        optimizer = optimizers.build_optimizer(config, config.stages[0], 10)
        step = steps.make_train_step(model, optimizer, objective, jit_compile=False)
        found.append([float(step(batch())["loss"]) for _ in range(5)])
        kinds = {v.dtype for v in model.trainable_variables}
        assert kinds == {"float32"}  # Weights are kept whole.
    assert found[0][4] < found[0][0] - 0.05
    np.testing.assert_allclose(*found, atol=0.02)
    assert found[0] != found[1]


@pytest.mark.slow
def test_model_fit_gives_the_same_losses_as_the_loop(synthetic_data):
    config = tiny_config(augment=tiny_config().augment)
    config.model.arguments.dropout_rate = 0.0
    prepared = pipeline.open_prepared(synthetic_data)
    batches = list(streams.train_stream(config, prepared).take(5))

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
    for rows in batches:
        one = pipeline.for_fit(tf.data.Dataset.from_tensors(rows), ["expression"])
        theirs += model.fit(one, verbose=0).history["loss"]
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.slow
def test_xla_gives_the_same_losses_without_recompiling(synthetic_data):
    config = tiny_config()
    config.model.arguments.dropout_rate = 0.0
    prepared = pipeline.open_prepared(synthetic_data)
    batches = list(streams.train_stream(config, prepared).take(4))
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
    (batch,) = streams.train_stream(config, prepared).take(1)
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
