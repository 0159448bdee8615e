"""Every number that a kept result prints follows from what was said of each face."""

import glob
import os

import pytest

from fer_tf.model_io.protocol import Protocol
from trainers import readme
from trainers.evaluation import measure, scoring
from trainers.evaluation.predictions import Predictions
from trainers.publishing.kept_results import read_all

KEPT = read_all(readme.RESULTS)
# Measured before the faces' outputs were kept; a later result has to have them.
WITHOUT = {
    "fer2013_best", "fer2013_meen_model3_facial", "fer2013_meen_model3_separately",
    "fer2013_mtanet_senet50", "fer2013_quick", "fer2013_two_att_two_mt",
    "fer2013_vgg19", "league_fer_fer2013", "league_fer_ferplus", "league_fer_london",
}  # fmt: skip
TABLES_WITHOUT = {
    "gan_3_synthetic", "meen_1", "wang_1_as_cited", "wang_1_synthetic",
    "wang_2_synthetic", "wang_3_synthetic", "wang_5_synthetic", "zhang_1_synthetic",
}  # fmt: skip
TABLES = {name for name, result in KEPT.items() if "rows" in result}


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


def of_table(name):
    """`{run: Predictions}` of a table's runs."""
    paths = glob.glob(os.path.join(readme.RESULTS, "predictions", name, "*.npz"))
    names = [os.path.splitext(os.path.basename(path))[0] for path in paths]
    return dict(zip(names, map(Predictions.load, paths)))


@pytest.mark.parametrize("name", sorted(TABLES - TABLES_WITHOUT))
def test_a_tables_numbers_follow_from_the_faces(name):
    said, checked = of_table(name), set()
    for entry in KEPT[name]["rows"]:
        if not entry["ours"] or entry["protocol"] != Protocol.CLEAN:
            continue
        values = {}
        for config in entry["configs"]:
            own = [run for run in said if run.rpartition("_seed")[0] == config]
            assert len(own) == entry["seeds"]
            checked |= {*own}
            for run in own:
                for metric, value in scoring.score(said[run]).items():
                    values.setdefault(metric, []).append(value)
        for metric in entry["ours"].keys() & values.keys():
            mean = sum(values[metric]) / len(values[metric])
            assert mean == pytest.approx(entry["ours"][metric], rel=1e-6), metric
        assert entry["ours"].keys() & values.keys()
    assert checked == said.keys() and checked
