import os

from data_pipelines.storage import prepared, shards
from tests.data_pipelines.storage.sealed import refusal, shard_of


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
