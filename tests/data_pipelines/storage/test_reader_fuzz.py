"""Readers of prepared folders over random damage: one line, or the right data."""

import hashlib
import json
import resource
import struct
import time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from data_pipelines.preparation import prepare
from data_pipelines.sources import DataError, open_source
from data_pipelines.storage import manifests, prepared
from fer_tf.utils.hashing import sha256

# The same examples in every run, and as many as take some seconds.
FUZZ = settings(derandomize=True, max_examples=150, deadline=None)
SECONDS, BYTES = 2, 500 * 2**20
SOURCE = "seed=1,examples=12,size=48"


def a_shard(folder, format):
    """A prepared training shard, and what it holds."""
    source = open_source("synthetic", SOURCE)
    spec = source.crop_spec()
    manifest = prepare.prepare(source, str(folder), crop_spec=spec, format=format)
    (shard,) = [s for s in manifest["shards"] if "-train." in s["name"]]
    return folder, manifest, shard["name"], examples_of(folder)


def examples_of(folder):
    data = prepared.open_prepared(str(folder))
    data.files("train")
    return [e for shard in data.shards("train") for e in prepared.examples(shard)]


@pytest.fixture(scope="module")
def npz_shard(tmp_path_factory):
    return a_shard(tmp_path_factory.mktemp("fuzz") / "npz", "npz")


@pytest.fixture(scope="module")
def record_shard(tmp_path_factory):
    return a_shard(tmp_path_factory.mktemp("fuzz") / "tfrecord", "tfrecord")


def read_or_one_line(folder):
    """The examples, or None where the folder is refused as it should be."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    begin = time.process_time()
    try:
        found = examples_of(folder)
    except DataError as error:
        text = str(error)
        assert str(folder) in text and len(text.splitlines()) == 1, text
        assert text.isprintable(), text
        found = None
    assert time.process_time() - begin < SECONDS
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - memory
    assert grown < BYTES
    return found


def check_ranges(found, manifest):
    """What was let through is of the shapes and ranges that are written down."""
    for example in found:
        assert example["image"].shape == (48, 48, 3)
        assert 0 <= example["expression"] < len(manifest["expressions"])
        assert example["expression_weight"] in (0, 1)
        assert np.abs(example["valence_arousal"]).max() <= 1
        assert np.isfinite(example["landmarks"]).all()
        assert example["landmarks"].shape == (manifest["num_landmarks"], 2)


WORDS = [
    b"'descr': '|O'", b"'shape': (-1,", b"True", b"PK\x03\x04", b"PK\x01\x02", b"\xff",
    b"\x00\x00\x80\x7f", b"\x00\x00\xc0\x7f", b"image.npy", b"\x93NUMPY\x02\x00",
    struct.pack("<Q", 2**63), struct.pack("<Q", 2**32), struct.pack("<I", 2**32 - 1),
    b"IHDR\x00\x00\xff\xff\x00\x00\xff\xff", b"expression", b"9" * 9,
]  # fmt: skip
EDIT = st.tuples(
    st.sampled_from(["write", "insert", "cut", "repeat"]),
    st.floats(0, 1, exclude_max=True),
    st.one_of(st.sampled_from(WORDS), st.binary(min_size=1, max_size=8)),
)


def damaged(content, edits):
    for kind, where, word in edits:
        # Most of a file is pixels: half of the places are among the headers.
        place = int(where * 2 * len(content)) if where < 0.5 else int(where * 900)
        if kind == "write":
            content[place : place + len(word)] = word
        elif kind == "insert":
            content[place:place] = word
        elif kind == "cut":
            del content[place : place + 4 ** len(word)]
        else:
            content += content[place : place + 4 ** len(word)]
    return content


def seal(folder, manifest):
    """Writes the manifest with the sha256 that its files have now."""
    shards = [
        {**listed, "sha256": sha256(str(folder / listed["name"]))}
        for listed in manifest["shards"]
    ]
    (folder / "manifest.json").write_text(json.dumps({**manifest, "shards": shards}))


def fuzz(shard, edits):
    folder, manifest, name, whole = shard
    original = (folder / name).read_bytes()
    try:
        (folder / name).write_bytes(damaged(bytearray(original), edits))
        seal(folder, manifest)
        found = read_or_one_line(folder)
        if found is not None:
            check_ranges(found, manifest)
            assert len(found) == len(whole)
        # Not sealed, every change is noticed.
        (folder / "manifest.json").write_text(json.dumps(manifest))
        if sha256(str(folder / name)) != hashlib.sha256(original).hexdigest():
            assert read_or_one_line(folder) is None
    finally:
        (folder / name).write_bytes(original)
        (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.slow
@FUZZ
@given(edits=st.lists(EDIT, min_size=1, max_size=4))
def test_any_bytes_of_an_npz_are_refused_or_right(npz_shard, edits):
    fuzz(npz_shard, edits)


@pytest.mark.slow
@FUZZ
@given(edits=st.lists(EDIT, min_size=1, max_size=4))
def test_any_bytes_of_records_are_refused_or_right(record_shard, edits):
    fuzz(record_shard, edits)


VALUE = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.integers(-3, 9), st.floats(width=32),
    st.binary(max_size=4),
)  # fmt: skip


@pytest.mark.slow
@settings(FUZZ, max_examples=60)
@given(st.data(), VALUE)
def test_any_value_in_any_array_is_refused_or_right(npz_shard, data, value):
    folder, manifest, name, whole = npz_shard
    original = (folder / name).read_bytes()
    with np.load(folder / name, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    key = data.draw(st.sampled_from(sorted(arrays)))
    row = data.draw(st.integers(0, len(whole) - 1))
    try:
        with np.errstate(all="ignore"):
            arrays[key][row] = np.asarray(value).astype(arrays[key].dtype)
        np.savez(folder / name, **arrays)
        seal(folder, manifest)
        found = read_or_one_line(folder)
        if found is not None:
            check_ranges(found, manifest)
    except (ValueError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        assume(False)  # No such array can be made.
    finally:
        (folder / name).write_bytes(original)
        (folder / "manifest.json").write_text(json.dumps(manifest))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from([10**30, -(10**400), "a" * 10**5, 1e308]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


def put(inside, places, value):
    """Puts a value somewhere into nested lists and dicts; `places` leads there."""
    for place in places:
        keys = list(inside) if isinstance(inside, dict) else range(len(inside))
        key = keys[int(place * len(keys))]
        if place is places[-1] or not inside[key]:
            break
        if not isinstance(inside[key], (dict, list)):
            break
        inside = inside[key]
    inside[key] = value


PLACES = st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=4)


@pytest.mark.slow
@FUZZ
@given(places=PLACES, value=JSON)
def test_any_manifest_is_refused_or_right(npz_shard, places, value):
    folder, manifest, _, whole = npz_shard
    changed = json.loads(json.dumps(manifest))
    put(changed, places, value)
    try:
        (folder / "manifest.json").write_text(json.dumps(changed))
        found = read_or_one_line(folder)
        assert found is None or len(found) == len(whole)
    finally:
        (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.slow
@FUZZ
@given(edits=st.lists(EDIT, min_size=1, max_size=4))
def test_any_bytes_of_a_manifest_are_refused_or_right(npz_shard, edits):
    folder, manifest, _, whole = npz_shard
    try:
        content = damaged(bytearray(json.dumps(manifest).encode()), edits)
        (folder / "manifest.json").write_bytes(content)
        found = read_or_one_line(folder)
        assert found is None or len(found) == len(whole)
    finally:
        (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.slow
def test_the_fuzzed_folders_are_read_when_nothing_is_changed(npz_shard, record_shard):
    for folder, manifest, _, whole in (npz_shard, record_shard):
        assert len(read_or_one_line(folder)) == len(whole) > 0
        assert manifests.read(str(folder)) == json.loads(json.dumps(manifest))
