"""Two sets in one training, each of which teaches what it is kept for."""

import numpy as np
import pytest

from data_pipelines.batches import pipeline
from data_pipelines.preparation import prepare
from data_pipelines.sources import OptionError, open_source
from data_pipelines.sources.filters import KeepingLabels
from data_pipelines.storage import manifests
from tests import testing_utils
from trainers.training import assembly


def prepared(source, folder):
    spec = source.crop_spec()
    prepare.prepare(source, str(folder), crop_spec=spec, workers=2)
    return str(folder)


def weights(folder, split="train"):
    """`{kind: (rows, ...) 0 or 1}` of what a training sees."""
    batches = pipeline.eval_batches(
        pipeline.open_prepared(folder), split, size=48, channels=1, batch_size=64
    )
    batch = next(iter(batches))
    real = batch["mask"].numpy() > 0
    names = ("expression", "valence_arousal", "action_units", "is_face")
    return {name: batch[f"{name}_weight"].numpy()[real] for name in names}


def test_what_is_not_kept_is_missing_and_the_rest_is_as_it_was(tmp_path):
    whole = open_source("synthetic", "seed=3,examples=60,size=48")
    part = KeepingLabels(whole, ["valence_arousal", "is_face"])
    every, kept = (prepared(s, tmp_path / n) for s, n in ((whole, "a"), (part, "b")))
    before, after = weights(every), weights(kept)
    assert all(np.all(weight == 1) for weight in before.values())
    assert np.all(after["expression"] == 0) and np.all(after["action_units"] == 0)
    assert np.all(after["valence_arousal"] == 1) and np.all(after["is_face"] == 1)
    one, other = (manifests.read(folder) for folder in (every, kept))
    assert set(other["counts"]["train"]) == {"face"} and len(one["counts"]["train"]) > 5
    assert one["num_examples"] == other["num_examples"]
    assert one["source"]["sha256"] != other["source"]["sha256"]
    assert other["source"]["layout"].endswith("without expression, action_units")


def test_a_set_without_expressions_may_come_first(tmp_path):
    sources = [
        open_source("synthetic", f"seed={n},examples=40,size=48") for n in (1, 2)
    ]
    sources[0] = KeepingLabels(sources[0], ["valence_arousal"])
    folders = [prepared(s, tmp_path / str(n)) for n, s in enumerate(sources)]
    both = pipeline.open_prepared(",".join(folders))
    config = testing_utils.tiny_config()
    config.eval_batch_size = 1
    # It is refused where `select`, the accuracy, cannot be measured.
    assembly.assemble(config, both, str(tmp_path / "run")).check()
    with pytest.raises(ValueError, match="no labels of what the model predicts"):
        assembly.assemble(
            config, pipeline.open_prepared(folders[0]), str(tmp_path / "none")
        ).check()


def test_an_unknown_kind_is_refused():
    with pytest.raises(OptionError, match="no kind 'valence'; there are expression, v"):
        KeepingLabels(open_source("synthetic", "examples=9"), ["valence"])
