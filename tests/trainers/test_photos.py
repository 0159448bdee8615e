import sys

import cv2
import numpy as np
import pytest

from trainers import photos


def test_the_astronaut_is_written_as_it_is(tmp_path):
    pytest.importorskip("skimage")
    path = photos.write_astronaut(str(tmp_path))
    np.testing.assert_array_equal(cv2.imread(path)[..., ::-1], photos.astronaut())


def test_without_scikit_image_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(ValueError, match="extra `demo`"):
        photos.astronaut()
