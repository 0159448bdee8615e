import json

import pytest

from data_pipelines.batches import arrays, pipeline
from data_pipelines.sources import DataError
from data_pipelines.storage import prepared
from tests.data_pipelines.storage.sealed import put, refusal, rewrite


def test_more_examples_than_the_file_can_hold_are_not_made_room_for(npz_folder):
    path = npz_folder / "manifest.json"
    manifest = json.loads(path.read_text())
    count = 2**39
    manifest["num_examples"] += count - manifest["counts"]["train"]["fear"]
    (shard,) = [s for s in manifest["shards"] if "train" in s["name"]]
    shard["num_examples"] += count - manifest["counts"]["train"]["fear"]
    manifest["counts"]["train"]["fear"] = count
    path.write_text(json.dumps(manifest))
    assert "too small for the" in refusal(npz_folder)


def test_batches_of_either_reader_say_it_before_the_first(npz_folder):
    rewrite(npz_folder, put("expression", -1))
    data, size = prepared.open_prepared(str(npz_folder)), dict(size=48, channels=1)
    for batches in (pipeline.eval_batches, arrays.EvalBatches):
        more = {} if batches is pipeline.eval_batches else {"tasks": None}
        with pytest.raises(DataError, match="expression must be 0 to 7, is -1"):
            batches(data, "train", ops=[], batch_size=4, **more, **size)
