"""What a photograph of a phone's largest sensor takes beside a small one."""

import subprocess
import sys

import cv2
import pytest

# Of a process of its own: peaks never fall. Linux counts in KiB, macOS in bytes.
_READ = """
import resource, sys, fer_tf
reader = fer_tf.Predictor()
for path in sys.argv[1:]:
    faces = reader.predict(path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(len(faces), peak * (1 if sys.platform == "darwin" else 1024))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="without the module resource")
def test_memory_of_48_and_of_100_megapixels(tmp_path):
    """Decoded they are 144 and 300 MB, and Pillow's own copy takes a third more."""
    astronaut = pytest.importorskip("skimage.data").astronaut()
    paths = []
    for name, size in (
        ("1", (1000, 1000)),
        ("48", (6930, 6930)),
        ("100", (10000,) * 2),
    ):
        paths.append(str(tmp_path / f"{name}.jpg"))
        large = cv2.resize(astronaut[..., ::-1], size, interpolation=cv2.INTER_LINEAR)
        cv2.imwrite(paths[-1], large)
    ran = subprocess.run(
        [sys.executable, "-c", _READ, *paths],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [tuple(map(int, row.split())) for row in ran.stdout.splitlines()]
    assert [faces for faces, _ in rows] == [1, 1, 1]
    small, large, largest = (peak for _, peak in rows)
    assert large - small < 0.6e9
    assert largest - small < 1.0e9
