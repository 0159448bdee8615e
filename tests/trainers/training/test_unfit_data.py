"""Data that lacks what a row of a table needs is refused in one line."""

import dataclasses

import pytest

from data_pipelines.batches import pipeline
from tests import testing_utils
from tests.trainers.training.small_runs import FakeSelector, assemble
from trainers.tables.runs import load_config
from trainers.training import build, run, streams


def without(prepared, **changes):
    manifests = tuple({**m, **changes} for m in prepared.manifests)
    return dataclasses.replace(prepared, manifests=manifests)


def test_region_masks_need_landmarks(synthetic_data):
    config, prepared = (
        load_config("gan_synthetic"),
        pipeline.open_prepared(synthetic_data),
    )
    streams.train_ops(config, prepared)
    with pytest.raises(ValueError, match=f"{synthetic_data}: no landmarks"):
        streams.train_ops(config, without(prepared, num_landmarks=0))


def test_a_metric_needs_labels():
    with pytest.raises(ValueError, match="test: no labels of what the model predicts"):
        run._signed({}, "ccc_mean", "test")
    with pytest.raises(ValueError, match="one of accuracy"):
        run._signed({"accuracy": 0.5}, "ccc_mean", "test")
    assert run._signed({"rmse_mean": 0.25}, "-rmse_mean", "test") == -0.25


def test_a_test_set_without_the_chosen_metric_is_refused_before_training(
    synthetic_data, tmp_path
):
    run = assemble(testing_utils.tiny_config(), synthetic_data, tmp_path / "run")
    # A batch of validation data has it; neither a batch nor all of the test data.
    scores = iter([{"accuracy": 0.5}, {"ccc_mean": 0.1}, {"ccc_mean": 0.1}])
    run.selector = FakeSelector(lambda stream: next(scores))
    with pytest.raises(ValueError, match="that test has labels for, one of ccc_mean"):
        run.check()
    assert not (tmp_path / "run").exists()


def test_weights_to_begin_with_must_be_given(synthetic_data):
    config = load_config("gan_rafdb_vgg16")
    config.model.arguments.width = 0.05
    model = build.build_model(config)
    with pytest.raises(ValueError, match="begins with vgg_face; give its file"):
        build.load_weights(config, model)
    config.published.format = "imagenet"
    with pytest.raises(ValueError, match="one of vgg_face, vggface2"):
        build.load_weights(config, model)
    config.published.format = ""
    config.submodels = {"face_network": ""}
    with pytest.raises(ValueError, match="submodels.face_network. is empty"):
        build.load_weights(config, model)
