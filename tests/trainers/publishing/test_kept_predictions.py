"""Every number that a kept result prints follows from what was said of each face."""

import glob
import os

import pytest

from fer_tf.model_io.protocol import Protocol
from trainers import readme
from trainers.evaluation import measure
from trainers.evaluation.predictions import Predictions
from trainers.publishing.kept_results import read_all

KEPT = read_all(readme.RESULTS)
# Measured before the faces' outputs were kept; a later result has to have them.
WITHOUT = {
    "fer2013_best", "fer2013_meen_model3_facial", "fer2013_meen_model3_separately",
    "fer2013_mtanet_senet50", "fer2013_quick", "fer2013_two_att_two_mt",
    "fer2013_vgg19", "league_fer_fer2013", "league_fer_ferplus", "league_fer_london",
}  # fmt: skip
# Of tables no faces are kept yet: `trainers.readme --add_table` takes none.


def printed():
    """`{name of the file: scores}` of all kept runs, and of the league's sets."""
    scores = {}
    for name, result in KEPT.items():
        if "protocols" in result:
            scores[name] = result["protocols"][Protocol.CLEAN]["test"]
        for data, measured in result.get("sets", {}).items():
            scores[f"{name}_{data}"] = measured
    return scores


def files():
    found = glob.glob(os.path.join(readme.RESULTS, "predictions", "*.npz"))
    return {os.path.splitext(os.path.basename(path))[0]: path for path in found}


def test_every_result_has_its_faces():
    assert printed().keys() == files().keys() | WITHOUT
    assert not files().keys() & WITHOUT


@pytest.mark.parametrize("name", files())
def test_the_numbers_follow_from_the_faces(name):
    scores, predictions = printed()[name], Predictions.load(files()[name])
    again = measure.measure_split(
        predictions, expressions=scores["confusion"]["expressions"]
    )
    assert again["num_examples"] == scores["num_examples"]
    assert again["confusion"] == scores["confusion"]
    assert again["metrics"] == pytest.approx(scores["metrics"], rel=1e-6)
    for metric, ends in scores["intervals"].items():
        assert again["intervals"][metric] == pytest.approx(ends, rel=1e-6)
    for attribute, groups in scores.get("groups", {}).items():
        for value, group in groups.items():
            found = again["groups"][attribute][value]
            assert found["metrics"] == pytest.approx(group["metrics"], rel=1e-6)
