"""After `os.fork`: an error where TensorFlow would wait for ever."""

import os
import subprocess
import sys

import pytest

from fer_tf.faces.crop_spec import CROP_SPECS
from tests import testing_utils

FORKING = """
import os, signal, sys
import numpy as np
import fer_tf
from fer_tf.faces import MTCNNDetector

reader = fer_tf.Predictor(sys.argv[1])
picture = np.full((60, 60, 3), 90, np.uint8)
crops = np.zeros((1, 48, 48, 1), np.uint8)
assert reader.predict(picture) == [] and len(reader.read_crops(crops)) == 1
uses = {
    "predict": lambda: reader.predict(picture),
    "read_crops": lambda: reader.read_crops(crops),
    "detect": lambda: reader.detector.detect(picture),
    "new detector": MTCNNDetector,
    "load": lambda: fer_tf.load(sys.argv[1]),
    "new Predictor": lambda: fer_tf.Predictor(sys.argv[1]),
}
for name, use in uses.items():
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # Where it hangs, the child is killed.
        try:
            use()
        except RuntimeError as error:
            os._exit(7 if "is a fork of one that has used" in str(error) else 8)
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7, name
assert len(reader.read_crops(crops)) == 1
"""

SPAWNING = """
import multiprocessing, sys
import numpy as np

def read(folder):
    import fer_tf
    reader = fer_tf.Predictor(folder, detector=object())
    return len(reader.read_crops(np.zeros((2, 48, 48, 1), np.uint8)))

if __name__ == "__main__":
    assert read(sys.argv[1]) == 2
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(read, [sys.argv[1]]) == [2]
"""


def run(code, tmp_path):
    folder = testing_utils.save_tiny_model(tmp_path / "m", CROP_SPECS["meen"])
    (tmp_path / "program.py").write_text(code)
    result = subprocess.run(
        [sys.executable, tmp_path / "program.py", folder], capture_output=True,
        text=True, timeout=300, check=False,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]


@pytest.mark.slow
def test_a_fork_is_refused_and_its_parent_goes_on(tmp_path):
    run(FORKING, tmp_path)


@pytest.mark.slow
def test_a_spawned_process_works(tmp_path):
    run(SPAWNING, tmp_path)
