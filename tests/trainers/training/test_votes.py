import numpy as np
import pytest
from ml_collections import ConfigDict

from data_pipelines import layouts
from data_pipelines.batches import pipeline
from data_pipelines.checks import verification
from data_pipelines.preparation import prepare
from data_pipelines.sources import Sample, open_source
from data_pipelines.storage.prepared import open_prepared
from trainers.training.objectives import make_objective

LOGITS = np.array([[2.0, 1, 0, -1], [0, 0, 3, 0], [1, 1, 1, 1]], np.float32)
VOTES = np.array([[0.5, 0.5, 0, 0], [0, 1, 0, 0], [0.25, 0, 0, 0.75]], np.float32)
WEIGHT = np.array([1.0, 1, 0], np.float32)
# The order of the records, which is not that of the owner's columns.
NAMES = ("neutral happiness sadness surprise fear disgust anger contempt").split()
LOG = LOGITS - np.log(np.exp(LOGITS).sum(-1, keepdims=True))


def loss(config, votes=VOTES):
    batch = {"votes": votes, "expression_weight": WEIGHT}
    total, tasks = make_objective(ConfigDict(config))(batch, {"expression": LOGITS})
    assert float(tasks["expression"]) == float(total)
    return float(total)


def test_shares_and_the_best_of_the_chosen_by_hand():
    shares = -((LOG[0, 0] + LOG[0, 1]) / 2 + LOG[1, 1]) / 2
    assert loss({"name": "votes"}) == pytest.approx(shares, rel=1e-5)
    best = -(LOG[0, 0] + LOG[1, 1]) / 2
    assert loss({"name": "votes", "best": True}) == pytest.approx(best, rel=1e-5)


def test_what_the_votes_do_not_fit_is_refused():
    with pytest.raises(ValueError, match="needs records of FER"):
        make_objective(ConfigDict({"name": "votes"}))({}, {"expression": LOGITS})
    with pytest.raises(ValueError, match="for 8 expressions, and the model has 4"):
        loss({"name": "votes"}, np.ones((3, 8), np.float32) / 8)


@pytest.mark.parametrize("format", ["tfrecord", "npz"])
def test_votes_travel_from_the_owners_csv_into_batches(format, tmp_path):
    layouts.write("ferplus", str(tmp_path / "in"), examples=60)
    source = open_source("ferplus", str(tmp_path / "in"), rule="crossentropy")
    wanted = {
        row.sample_id: [row.votes[name] for name in NAMES]
        for row in source.rows()
        if isinstance(row, Sample)
    }
    output = str(tmp_path / "out")
    spec = source.crop_spec()
    manifest = prepare.prepare(source, output, crop_spec=spec, format=format)
    assert manifest["votes"] and verification.verify_prepared(output)["num_pictures"]
    found = {}
    for split in ("train", "validation", "test"):
        batches = pipeline.eval_batches(
            open_prepared(output), split, size=48, channels=1, batch_size=8
        )
        for batch in batches:
            for name, votes, mask in zip(
                batch["sample_id"].numpy(), batch["votes"].numpy(), batch["mask"]
            ):
                if mask:
                    found[name.decode()] = votes
    assert set(found) == set(wanted)
    for name, votes in found.items():
        np.testing.assert_allclose(votes, wanted[name], atol=1e-6)
        assert votes.sum() == pytest.approx(1)
    assert any(0 < share < 1 for votes in found.values() for share in votes)
