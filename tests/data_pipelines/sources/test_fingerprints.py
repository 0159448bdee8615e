import os

from data_pipelines.sources import open_source
from tests.testing_utils import bitmaps


def test_a_fingerprint_sees_all_of_a_small_picture_and_four_parts_of_a_large_one(
    tmp_path,
):
    (tmp_path / "fear").mkdir()
    path = tmp_path / "fear" / "1.bmp"
    print_of = lambda: open_source("folder", str(tmp_path)).fingerprint
    for size, at in ((2**16, range(0, 2**16, 5000)), (10**6, (0, 330_000, 999_999))):
        content = bytearray(size)
        path.write_bytes(content)
        seen = {print_of()}
        for number in at:
            content[number] ^= 1
            path.write_bytes(content)
            seen.add(print_of())
        assert len(seen) == 1 + len(at)
    os.utime(path, (1, 1))
    assert print_of() in seen


def test_what_is_no_picture_has_a_fingerprint_all_the_same(tmp_path):
    source = bitmaps(tmp_path, range(3))
    os.symlink("nowhere", tmp_path / "happiness" / "a.bmp")
    os.symlink("/proc", tmp_path / "happiness" / "b.bmp")
    os.mkfifo(tmp_path / "happiness" / "c.bmp")
    assert len(source.fingerprint) == 64
