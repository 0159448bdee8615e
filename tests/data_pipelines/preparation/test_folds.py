import dataclasses
import json
import os
import pathlib
import shutil

import pytest
import tensorflow as tf

from data_pipelines import layouts
from data_pipelines.batches import pipeline
from data_pipelines.preparation import folds, prepare
from data_pipelines.sources import DataError, open_source
from fer_tf.faces.crop_spec import CROP_SPECS

SPEC = dataclasses.replace(CROP_SPECS["gan2020"], size=32)


def prepared(root, output, **options):
    source = open_source("ckplus", root, **options)
    prepare.prepare(source, output, crop_spec=SPEC, detector="annotated")
    return output


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = str(tmp_path_factory.mktemp("ckplus") / "download")
    layouts.write("ckplus", root, examples=13 * 8, seed=1)
    return root


@pytest.fixture(scope="module")
def dealt(root, tmp_path_factory):
    top = tmp_path_factory.mktemp("folds")
    whole = prepared(root, str(top / "whole"))
    return whole, folds.deal(whole, str(top / "folds"))


def people(folder, split, what="subject"):
    files = sorted(str(path) for path in pathlib.Path(folder).glob(f"*-{split}.*"))
    found = []
    for record in tf.data.TFRecordDataset(files).as_numpy_iterator():
        example = tf.train.Example.FromString(record).features.feature
        found += example[what].bytes_list.value
    return sorted(found)


def test_folds_are_those_of_the_source(root, dealt, tmp_path):
    _, folders = dealt
    other = prepared(root, str(tmp_path / "three"), fold="3")
    for split in ("train", "validation", "test"):
        ids = people(folders[3], split, "sample_id")
        assert ids and ids == people(other, split, "sample_id")
    counts = [
        pipeline.open_prepared(f).manifests[0]["counts"] for f in (folders[3], other)
    ]
    assert counts[0] == counts[1]


@pytest.mark.slow
def test_somebody_whose_pictures_are_unusable_moves_nobody(tmp_path):
    damaged = tmp_path / "download"
    layouts.write("ckplus", str(damaged), examples=13 * 40, seed=1)
    (emotions,) = damaged.rglob("Emotion")
    labelled = sorted({p.parts[-3] for p in emotions.rglob("*_emotion.txt")})
    for picture in (emotions.parent / "cohn-kanade-images" / labelled[2]).rglob(
        "*.png"
    ):
        picture.write_bytes(b"no picture")
    whole = prepared(str(damaged), str(tmp_path / "whole"))
    folders = folds.deal(whole, str(tmp_path / "folds"))
    for fold, folder in enumerate(folders):
        expected = {name.encode() for name in labelled[fold::10]}
        expected.discard(labelled[2].encode())
        assert set(people(folder, "test")) == expected


def test_everybody_is_tested_once_and_never_trained_on(dealt):
    whole, folders = dealt
    everyone = sum(
        (people(whole, s, "sample_id") for s in ("train", "validation", "test")), []
    )
    tested = sum((people(f, "test", "sample_id") for f in folders), [])
    assert sorted(tested) == sorted(everyone)
    for folder in folders:
        sets = [set(people(folder, s)) for s in ("train", "validation", "test")]
        assert not sets[0] & sets[1] and not sets[0] & sets[2] and not sets[1] & sets[2]


def test_pictures_are_stored_once(dealt):
    _, folders = dealt
    files = [
        os.path.join(f, n) for f in folders for n in os.listdir(f) if "tfrecord" in n
    ]
    assert len(files) == 100 and len({os.stat(f).st_ino for f in files}) == 10


def test_folds_are_used_again_but_not_for_other_data(root, dealt, tmp_path):
    whole, folders = dealt
    before = os.stat(folders[0]).st_mtime_ns
    assert folds.deal(whole, os.path.dirname(folders[0])) == folders
    assert os.stat(folders[0]).st_mtime_ns == before
    other = str(tmp_path / "other")
    smaller = dataclasses.replace(SPEC, size=16)
    source = open_source("ckplus", root)
    prepare.prepare(source, other, crop_spec=smaller, detector="annotated")
    with pytest.raises(DataError, match="other data"):
        folds.deal(other, os.path.dirname(folders[0]))
    path = pathlib.Path(shutil.copytree(whole, tmp_path / "recounted"), "manifest.json")
    manifest = json.loads(path.read_text())
    manifest["fold_subjects"] = manifest["fold_subjects"][1:]
    path.write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="other data"):
        folds.deal(str(path.parent), os.path.dirname(folders[0]))


def test_data_that_names_nobody_is_refused(tmp_path):
    root = str(tmp_path / "faces")
    layouts.write("facenonface", root, examples=30)
    source = open_source("facenonface", root)
    output = str(tmp_path / "prepared")
    prepare.prepare(source, output, crop_spec=CROP_SPECS["meen"])
    with pytest.raises(DataError, match="0 are named"):
        folds.deal(output, str(tmp_path / "folds"))
    assert not os.path.exists(tmp_path / "folds")
