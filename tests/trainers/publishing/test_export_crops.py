import numpy as np
import pytest

from data_pipelines.batches import pipeline
from fer_tf.model_io import model_folder
from trainers.publishing import export_crops


def test_crops_of_the_data_are_spread_over_the_split(synthetic_data, finished_run):
    model = model_folder.load(str(finished_run / "m"))
    spec = pipeline.open_prepared(synthetic_data).crop_specs[0]
    with pytest.raises(ValueError, match="crops differ"):
        export_crops.for_check(
            model, synthetic_data, "test", 5, workdir=str(finished_run / "m")
        )
    object.__setattr__(model.card, "crop_spec", spec)
    prepared = pipeline.open_prepared(synthetic_data)
    total = prepared.count("test")
    everything = export_crops.for_check(
        model, synthetic_data, "test", total, workdir=str(finished_run / "m")
    )
    assert everything["crops"].shape == (total, 48, 48, 3)
    assert everything["crops"].dtype == np.uint8
    some = export_crops.for_check(
        model, synthetic_data, "test", total // 3, workdir=str(finished_run / "m")
    )
    step = -(-total // (total // 3))
    np.testing.assert_array_equal(some["crops"], everything["crops"][::step])
    np.testing.assert_array_equal(some["labels"], everything["labels"][::step])
    assert 0 < len(some["calibration"]) <= 200
    assert some["source"] == "synthetic, test"


def test_a_class_that_the_model_lacks_is_no_miss(
    synthetic_data, finished_run, monkeypatch
):
    model = model_folder.load(str(finished_run / "m"))
    spec = pipeline.open_prepared(synthetic_data).crop_specs[0]
    object.__setattr__(model.card, "crop_spec", spec)
    every = export_crops.for_check(
        model, synthetic_data, "test", 9, workdir=str(finished_run / "m")
    )
    spread = export_crops._spread
    monkeypatch.setattr(
        export_crops, "_spread",
        lambda *args: (lambda crops, labels: (crops, np.where(labels == 3, 7, labels)))(
            *spread(*args)
        ),
    )  # fmt: skip
    some = export_crops.for_check(
        model, synthetic_data, "test", 9, workdir=str(finished_run / "m")
    )
    kept = every["labels"] != 3
    assert 0 < kept.sum() < len(kept)
    np.testing.assert_array_equal(some["labels"], every["labels"][kept])
    np.testing.assert_array_equal(some["crops"], every["crops"][kept])


def test_drawn_faces_have_the_models_own_framing(finished_run, monkeypatch):
    monkeypatch.setattr(export_crops, "_DRAWN", 8)
    model = model_folder.load(str(finished_run / "m"))
    found = export_crops.for_check(
        model, None, "test", 1000, workdir=str(finished_run / "m")
    )
    assert found["crops"].shape == (8, 48, 48, 1)
    assert found["labels"] is None
    assert found["source"] == found["calibrated_on"] == "drawn faces"
    # None of the faces of the check decides the ranges.
    check = {crop.tobytes() for crop in found["crops"]}
    assert not check & {crop.tobytes() for crop in found["calibration"]}
    assert len(check) == 8
