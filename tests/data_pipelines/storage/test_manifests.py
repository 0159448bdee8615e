import json
import os

import pytest

from data_pipelines.sources import DataError
from data_pipelines.storage import manifests, prepared
from tests.data_pipelines.storage.sealed import refusal

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
def test_a_manifest_with_any_value_anywhere_is_read_or_refused(format, small_folders):
    """Thousands of edits: each value at each place."""
    folder = small_folders[format]
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
