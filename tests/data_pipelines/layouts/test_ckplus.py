import os
import re

import cv2

from tests.data_pipelines.layouts.drawn import lines


def test_ckplus_is_what_its_owner_writes(written):
    root, _ = written("ckplus")
    stem = "S005/001/S005_001_0000000"
    assert cv2.imread(os.path.join(root, f"cohn-kanade-images/{stem}1.png")).shape == (
        490, 640, 3
    )  # fmt: skip
    assert len(lines(root, f"Landmarks/{stem}1_landmarks.txt")) == 68
    unit = lines(root, f"FACS/{stem}8_facs.txt")[0]
    assert re.fullmatch(r"(   \d\.\d{7}e[+-]\d\d){2}", unit)
    assert not os.path.exists(os.path.join(root, f"FACS/{stem}7_facs.txt"))
