import copy
import os

import numpy as np
import pytest

from data_pipelines.sources import DataError, open_source
from tests.source_trees import put


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00v\x00{", b"<html>", b"image,is_face\n"],
)
def test_what_is_no_npz_is_one_line(content, tmp_path):
    put(str(tmp_path), "a.npz", content)
    with pytest.raises(DataError, match="not an npz with `image` and `is_face`"):
        open_source("facenonface", str(tmp_path / "a.npz"))


def test_an_npz_is_read_once_whatever_is_sent_to_a_worker(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    pictures = np.arange(24, dtype=np.uint8).reshape(6, 2, 2)
    np.savez(path, image=pictures, is_face=np.arange(6) % 2)
    source = open_source("facenonface", str(path))
    monkeypatch.setattr(np, "load", None)
    for _ in range(2):
        # What a worker is sent with every chunk.
        again = copy.copy(source)
        assert not any(isinstance(v, (dict, np.ndarray)) for v in vars(again).values())
        found = [again.load(sample)[1] for sample in again.rows()]
        np.testing.assert_array_equal(found, pictures)
    monkeypatch.undo()
    np.savez(path, image=pictures[:3], is_face=np.ones(3, int))
    os.utime(path, ns=(1, 1))
    assert len(list(again.rows())) == 3
