"""Prepared folders from strangers: one line that names the file, or the right data.

Every change is sealed: the manifest states the sha256 of the changed file, as a
stranger's would.
"""

import hashlib
import json
import os
import shutil
import struct
import time

import numpy as np
import pytest
import tensorflow as tf

from data_pipelines.batches import arrays, pipeline
from data_pipelines.checks import verification
from data_pipelines.preparation import prepare
from data_pipelines.sources import DataError, open_source
from data_pipelines.storage import manifests, prepared, shards


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The same 24 faces, prepared as records and as npz."""
    source = open_source("synthetic", "seed=1,examples=24,size=48,non_faces=0.2")
    made = {}
    for format in manifests.FORMATS:
        made[format] = tmp_path_factory.mktemp("prepared") / format
        spec = source.crop_spec()
        prepare.prepare(source, str(made[format]), crop_spec=spec, format=format)
    return made


@pytest.fixture
def npz_folder(folders, tmp_path):
    return shutil.copytree(folders["npz"], tmp_path / "npz")


@pytest.fixture
def record_folder(folders, tmp_path):
    return shutil.copytree(folders["tfrecord"], tmp_path / "tfrecord")


def shard_of(folder):
    return next(folder.glob("synthetic-train.*"))


def seal(folder):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for shard in manifest["shards"]:
        content = (folder / shard["name"]).read_bytes()
        shard["sha256"] = hashlib.sha256(content).hexdigest()
    path.write_text(json.dumps(manifest))


def refusal(folder):
    """The line in which a folder is refused, by training's way and by verify's."""
    begin = time.process_time()
    with pytest.raises(DataError) as error:
        prepared.open_prepared(str(folder)).files("train")
    assert time.process_time() - begin < 2
    text = str(error.value)
    assert text.startswith(str(folder)) and len(text.splitlines()) == 1
    assert len(text) < len(str(folder)) + 400
    return text


def found_by_verify(folder):
    report = verification.verify_prepared(str(folder))
    return {f["kind"] for f in report["findings"]}, report["ok"]


def rewrite(folder, change):
    """Writes the training npz again, sealed, with its arrays changed."""
    with np.load(shard_of(folder), allow_pickle=False) as file:
        arrays = {name: file[name].copy() for name in file.files}
    arrays = change(arrays) or arrays
    np.savez(shard_of(folder), **arrays)
    seal(folder)


def put(name, value, row=3):
    def change(arrays):
        arrays[name][row] = value

    return change


def replace(name, function):
    def change(arrays):
        arrays[name] = function(arrays[name])

    return change


def structured(x):
    return np.zeros(len(x), [("a", np.int64)])


CHANGES = {
    "expression is -1": (put("expression", -1), "expression must be 0 to 7, is -1"),
    "expression is 8": (put("expression", 8), "expression must be 0 to 7, is 8"),
    "a cut label": (
        replace("expression", lambda x: x + 0.5), "expression must be int64 of shape"
    ),
    "labels of 32 bits": (
        replace("expression", lambda x: x.astype(np.int32)), "expression must be int64"
    ),
    "another byte order": (
        replace("key", lambda x: x.astype(">i8")), "key must be int64 of shape"
    ),
    "a record": (replace("frame", structured), "frame must be int64 of shape"),
    "Fortran's order": (
        replace("valence_arousal", np.asfortranarray), "valence_arousal must be float32"
    ),
    "a weight of NaN": (
        put("expression_weight", np.nan), "expression_weight must be 0 or 1, is nan"
    ),
    "a weight of 1e30": (
        put("expression_weight", 1e30), "expression_weight must be 0 or 1"
    ),
    "a weight of -1": (put("is_face_weight", -1), "is_face_weight must be 0 or 1"),
    "no weight at all": (
        replace("expression_weight", np.zeros_like), "the classes of train are not"
    ),
    "shifted labels": (
        put("expression", 0, row=slice(None)), "the classes of train are not"
    ),
    "a valence of 2": (
        put("valence_arousal", 2), "must be in [-1, 1], is [2.0, 2.0] in example 3"
    ),
    "a valence of NaN": (put("valence_arousal", np.nan), "must be in [-1, 1]"),
    "half a unit": (put("action_units", 0.5), "action_units must be 0 or 1"),
    "a face of 2": (put("is_face", 2), "is_face must be 0 or 1, is 2"),
    "an infinite point": (put("landmarks", np.inf), "landmarks must be finite"),
    "a negative key": (put("key", -1), "key must be of 32 bits, is -1 in example 3"),
    "a frame of -2": (put("frame", -2), "frame must be at least -1"),
    "a text that is none": (put("video", b"\xff"), "video is not UTF-8"),
    "groups that are none": (put("groups", b"[1]"), "groups is no dict of texts"),
    "groups of 99999 [": (
        replace("groups", lambda x: np.array([b"[" * 99999] * len(x))),
        "groups is not JSON",
    ),
    "no id": (put("sample_id", b""), "sample_id is empty"),
    "ids of U": (replace("sample_id", lambda x: x.astype("U")), "sample_id must be"),
    "pictures of 20": (
        replace("image", lambda x: x[:, :20, :20]), "image must be uint8 of shape"
    ),
    "pictures of floats": (replace("image", np.float32), "image must be uint8"),
    "grey pictures": (replace("image", lambda x: x[..., :1]), "image must be uint8"),
    "a row less": (replace("video", lambda x: x[1:]), "video must be"),
    "a column less": (
        lambda arrays: {k: v for k, v in arrays.items() if k != "key"}, "key is missing"
    ),
    "70 columns more": (
        lambda arrays: arrays | {f"x{n}": np.zeros(1) for n in range(70)},
        "does not lie in the file",
    ),
    "one point less": (replace("landmarks", lambda x: x[:, 1:]), "landmarks must be"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_arrays_that_cannot_be_are_refused(name, npz_folder):
    change, words = CHANGES[name]
    rewrite(npz_folder, change)
    text = refusal(npz_folder)
    assert words in text
    assert ("classes" in text) != ("synthetic-train.npz" in text)
    kinds, ok = found_by_verify(npz_folder)
    assert kinds & {"shard", "count"} and not ok


def edit(path, old, new):
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new.ljust(len(old)), 1))


@pytest.mark.parametrize(
    "old, new",
    [
        (b"'descr': '|u1'", b"'descr': '|O' "),  # What was a crash of the process.
        (b"'descr': '|u1'", b"'descr': '|V1'"),
        (b"'descr': '|u1'", b"'descr': '|i1'"),
        (b"'descr': '|u1'", b"'descr': 7*'1'"),
        (b"'descr': '|u1'", b"'descr': [((("),
        (b", 48, 48, 3), ", b",-48,-48, 3), "),
        (b", 48, 48, 3), ", b",9**9**9, 3),"),
        (b", 48, 48, 3), ", b",99999999999,"),
        (b"'fortran_order': False", b"'fortran_order': True "),
        (b"NUMPY\x01\x00", b"NUMPY\x03\x00"),
        (b"\x93NUMPY", b"\x93PICKL"),
    ],
)
def test_a_header_that_lies_is_never_mapped(old, new, npz_folder):
    edit(shard_of(npz_folder), old, new)
    seal(npz_folder)
    assert "synthetic-train.npz: not a whole npz" in refusal(npz_folder)


def test_members_that_are_compressed_or_lead_elsewhere_are_refused(npz_folder):
    path = shard_of(npz_folder)
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    np.savez_compressed(path, **arrays)
    seal(npz_folder)
    assert "a member is not stored as it is" in refusal(npz_folder)
    np.savez(path, **arrays)
    content = bytearray(path.read_bytes())
    # The sizes of the first member, as they stand behind its name.
    place = content.index(b".npy") + 4
    struct.pack_into("<QQ", content, place + 4, 2**62, 2**62)
    path.write_bytes(content)
    seal(npz_folder)
    assert "does not lie in the file" in refusal(npz_folder)


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04" * 9, bytes(9999)])
def test_a_file_that_is_no_npz_is_refused(content, npz_folder):
    shard_of(npz_folder).write_bytes(content)
    seal(npz_folder)
    assert "synthetic-train.npz: " in refusal(npz_folder)


def test_an_npz_is_held_against_its_sha256(npz_folder):
    path = shard_of(npz_folder)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert "not the file that was prepared" in refusal(npz_folder)
    path.unlink()
    assert f"{path}: the shard is missing" in refusal(npz_folder)
    os.mkfifo(path)  # It would be waited for.
    assert "missing" in refusal(npz_folder)


def test_an_unchanged_file_is_hashed_once(npz_folder, monkeypatch):
    hashed = []
    monkeypatch.setattr(shards, "sha256", lambda path: hashed.append(path) or "")
    shards._sha256.cache_clear()
    (shard,) = prepared.open_prepared(str(npz_folder)).shards("train")
    assert shards.problem(shard) and shards.problem(shard) and len(hashed) == 1
    os.utime(shard.path, ns=(1, 1))
    assert shards.problem(shard) and len(hashed) == 2
    shards._sha256.cache_clear()


def records_of(folder):
    return [r.numpy() for r in tf.data.TFRecordDataset(str(shard_of(folder)))]


def write_records(folder, found):
    with tf.io.TFRecordWriter(str(shard_of(folder))) as writer:
        for record in found:
            writer.write(record)
    seal(folder)


def put_feature(name, kind, values):
    def change(example):
        del example.features.feature[name]
        if values is not None:
            getattr(example.features.feature[name], kind).value.extend(values)

    return change


def png(*shape):
    return tf.io.encode_png(np.zeros(shape, np.uint8)).numpy()


RECORDS = {
    "expression is -1": (
        put_feature("expression", "int64_list", [-1]), "must be 0 to 7, is -1 in exampl"
    ),
    "a label cut": (put_feature("expression", "float_list", [1.5]), "expression"),
    "two labels": (put_feature("expression", "int64_list", [1, 2]), "expression"),
    "no label": (put_feature("expression", "int64_list", None), "expression"),
    "a weight of NaN": (
        put_feature("expression_weight", "float_list", [np.nan]), "must be 0 or 1"
    ),
    "a valence of 2": (
        put_feature("valence_arousal", "float_list", [2, 0]), "must be in [-1, 1]"
    ),
    "no weight": (
        put_feature("expression_weight", "float_list", [0]), "classes of train are not"
    ),
    "a picture of 20": (
        put_feature("image", "bytes_list", [png(20, 20, 3)]),
        "the picture of example 3 is no PNG of 48x48 rgb",
    ),
    "a grey picture": (
        put_feature("image", "bytes_list", [png(48, 48, 1)]), "no PNG of 48x48 rgb"
    ),
    "no picture": (put_feature("image", "bytes_list", [b""]), "no PNG of 48x48"),
    "a page": (put_feature("image", "bytes_list", [b"<html>"]), "no PNG of 48x48"),
    "a text that is none": (
        put_feature("groups", "bytes_list", [b"\xff"]), "groups is not UTF-8"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDS)
def test_records_that_cannot_be_are_refused(name, record_folder):
    change, words = RECORDS[name]
    found = records_of(record_folder)
    example = tf.train.Example.FromString(found[3])
    change(example)
    found[3] = example.SerializeToString()
    write_records(record_folder, found)
    text = refusal(record_folder)
    assert words in text and "ParallelMap" not in text
    kinds, ok = found_by_verify(record_folder)
    assert kinds & {"shard", "count"} and not ok


def test_a_picture_that_cannot_be_decoded_is_found_by_verify(record_folder):
    found = records_of(record_folder)
    example = tf.train.Example.FromString(found[3])
    (picture,) = example.features.feature["image"].bytes_list.value
    put_feature("image", "bytes_list", [picture[:60]])(example)
    found[3] = example.SerializeToString()
    write_records(record_folder, found)
    report = verification.verify_prepared(str(record_folder))
    examples = {f["kind"]: f["examples"] for f in report["findings"]}
    assert "the picture of example 3 is damaged" in examples["shard"][0]


@pytest.mark.parametrize("length", [2**63, 2**64 - 17, 10**9, 0])
def test_a_length_that_lies_is_refused(length, record_folder):
    path = shard_of(record_folder)
    content = bytearray(path.read_bytes())
    struct.pack_into("<Q", content, 0, length)
    path.write_bytes(content)
    seal(record_folder)
    assert f"{path}: " in refusal(record_folder)


DELETED = object()
VALUES = [
    DELETED, None, True, 0, -1, 3, 10**18, 10**400, 1.5, "", "x", "../x", [], {},
    [None], [[]], [{}], {"x": 1}, {"train": None}, {"train": {"x": 1}}, "a" * 10**6,
    ["a", "a"], ["source"], ["=HYPERLINK(1)"], [""], ["a\nb"], [1], {"": {}},
]  # fmt: skip


def places(value, path=()):
    """Every place of a manifest, as the keys that lead there."""
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for number in range(min(len(value), 2)):
            yield from places(value[number], (*path, number))


def changed(manifest, path, value):
    manifest = json.loads(json.dumps(manifest))
    inside = manifest
    for key in path[:-1]:
        inside = inside[key]
    if value is DELETED:
        del inside[path[-1]]
    else:
        inside[path[-1]] = value
    return manifest


@pytest.mark.parametrize("format", manifests.FORMATS)
def test_a_manifest_with_any_value_anywhere_is_read_or_refused(format, folders):
    """Thousands of edits: each value at each place."""
    folder = folders[format]
    whole = json.loads((folder / "manifest.json").read_text())
    tried = refused = 0
    for path in places(whole):
        for value in VALUES:
            manifest = changed(whole, path, value)
            if manifest == whole:
                continue
            tried += 1
            try:
                manifests.check(manifest, "d/manifest.json")
            except DataError as error:
                text = str(error)
                assert text.startswith("d/manifest.json: "), (path, value)
                assert len(text.splitlines()) == 1 and len(text) < 400, (path, value)
                refused += 1
                continue
            # What is not refused does not decide anything.
            data = prepared.Prepared(("d",), (manifest,))
            assert (data.dataset, data.format) == ("synthetic", format)
            assert data.count("train") == sum(whole["counts"]["train"].values())
            assert data.class_counts("train").sum() <= data.count("train")
            assert data.crop_specs[0].size > 0 and data.shards("train")
    assert tried > 1000 and refused > tried / 2


@pytest.mark.parametrize(
    "text",
    [
        b"", b"null", b"[]", b"{", b"\xff\xfe", b"\x00", b"[" * 100000,
        b'{"schema_version": NaN}', b'{"schema_version": 1e999}',
        b'{"schema_version": ' + b"9" * 5000 + b"}", b'{"schema_version": true}',
        b'{"schema_version": 2}', b'{"a": 1, "a": 2}',
    ],
)  # fmt: skip
def test_a_manifest_that_is_none_is_refused(text, tmp_path):
    (tmp_path / "manifest.json").write_bytes(text)
    assert "manifest.json" in refusal(tmp_path)


def test_a_manifest_that_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "manifest.json")
    assert "manifest.json: not a file" in refusal(tmp_path)
    os.remove(tmp_path / "manifest.json")
    assert "no manifest.json here" in refusal(tmp_path)
    (tmp_path / "manifest.json").symlink_to(tmp_path / "nowhere")
    assert "manifest.json: not a file" in refusal(tmp_path)


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
