"""A model meets crops of its own recipe, and labels of its own names."""

import dataclasses
import json
import shutil
import types

import pytest

import fer_tf
from data_pipelines.batches import pipeline
from fer_tf import labels
from fer_tf.faces.crop_spec import CROP_SPECS
from tests.testing_utils import run_command, save_tiny_model
from trainers.evaluation import agreement
from trainers.training import build


@pytest.fixture
def model_folder(tmp_path):
    """An untrained model that was made for FER2013's framing."""
    return save_tiny_model(tmp_path / "model", CROP_SPECS["meen"])


@pytest.mark.slow
def test_evaluate_on_data_framed_otherwise(model_folder, synthetic_data, tmp_path):
    scores = tmp_path / "scores.json"
    result = run_command(
        "evaluate",
        f"--workdir={model_folder}",
        f"--data={synthetic_data}",
        f"--json={scores}",
    )
    assert result.returncode == 1
    (line,) = result.stderr.strip().splitlines()
    assert f"differ from those of the data in {synthetic_data}: " in line
    assert "name is 'meen', there 'synthetic'; template is ((0.3187, 0.3822)," in line
    assert "size" not in line and "color" not in line  # Those are derived.
    assert not scores.exists()


@pytest.mark.slow
def test_predict_with_a_card_that_does_not_fit(model_folder, tmp_path):
    path = tmp_path / "model" / "model.json"
    card = json.loads(path.read_text())
    card["crop_spec"]["color"] = "rgb"
    path.write_text(json.dumps(card))
    match = "model.json: the crop spec 'meen' does not fit: color is 'rgb', but"
    with pytest.raises(ValueError, match=match):
        fer_tf.Predictor(model_folder)


def test_folders_framed_by_different_recipes_are_not_trained_on(
    synthetic_data, tmp_path
):
    from trainers.configs import base

    config = base.get_config()
    again = shutil.copytree(synthetic_data, tmp_path / "again")
    prepared = pipeline.open_prepared(f"{synthetic_data},{again}")
    other = json.loads(json.dumps(prepared.manifests[1]))
    other["crop_spec"]["margin"] = 0.2
    mixed = dataclasses.replace(prepared, manifests=(prepared.manifests[0], other))
    assert build.crop_spec(config, prepared).margin == 0.1
    with pytest.raises(ValueError, match="margin is 0.1, there 0.2"):
        build.crop_spec(config, mixed)
    config.mixed_crops = True
    assert build.crop_spec(config, mixed).margin == 0.1


UNITS = ("AU1", "AU2", "AU4", "AU6", "AU9", "AU12", "AU25", "AU26")  # DISFA's


def card(expressions=labels.EXPRESSIONS, action_units=labels.ACTION_UNITS):
    return types.SimpleNamespace(expressions=expressions, action_units=action_units)


def data(**names):
    return types.SimpleNamespace(folders=("data/x",), **names)


def test_only_names_of_places_that_labels_are_for_must_be_the_same():
    other = (*labels.EXPRESSIONS[:7], "other")
    given = data(expressions=other)
    agreement.require_names(card(), given, "expressions", [0, 3, 3, 6])
    with pytest.raises(ValueError, match="data/x: its expressions are .*other; .*cont"):
        agreement.require_names(card(), given, "expressions", [0, 7])


def test_units_of_another_set_are_not_compared():
    given = data(action_units=UNITS)
    agreement.require_names(card(), given, "action_units", [0, 1, 2, 3])
    with pytest.raises(ValueError, match="its action_units are .*AU9"):
        agreement.require_names(card(), given, "action_units", [0, 4])
    # A place that the model does not have.
    with pytest.raises(ValueError, match="its action_units"):
        agreement.require_names(
            card(), data(action_units=labels.ACTION_UNITS_2022), "action_units", [11]
        )
