import sys

import cv2
import numpy as np
import pytest

from trainers.common import sample_photograph


def test_the_astronaut_is_written_as_it_is(tmp_path):
    pytest.importorskip("skimage")
    path = sample_photograph.write_astronaut(str(tmp_path))
    np.testing.assert_array_equal(
        cv2.imread(path)[..., ::-1], sample_photograph.astronaut()
    )


def test_without_scikit_image_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(ValueError, match="extra `demo`"):
        sample_photograph.astronaut()
