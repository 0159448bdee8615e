"""Changes to prepared folders from strangers, and what is said of them.

A change is sealed: the manifest states the sha256 of the changed file, as a
stranger's would.
"""

import hashlib
import json
import time

import numpy as np
import pytest

from data_pipelines.checks import verification
from data_pipelines.sources import DataError
from data_pipelines.storage import prepared


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
