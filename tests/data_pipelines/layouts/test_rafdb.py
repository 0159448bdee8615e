import os
import re

import cv2

from tests.data_pipelines.layouts.drawn import lines


def test_rafdb_is_what_its_owner_writes(written):
    root, _ = written("rafdb")
    listed = lines(root, "basic/EmoLabel/list_patition_label.txt")
    assert re.fullmatch(r"train_00001\.jpg [1-7]", listed[0])
    assert re.fullmatch(r"test_\d{4}\.jpg [1-7]", listed[-1])
    aligned = os.path.join(root, "basic/Image/aligned/train_00001_aligned.jpg")
    assert cv2.imread(aligned).shape == (100, 100, 3)
    manual = lines(root, "basic/Annotation/manual/train_00001_manu_attri.txt")
    assert len(manual) == 8 and manual[0].count("\t") == 1
    assert len(lines(root, "basic/Annotation/auto/train_00001_auto_attri.txt")) == 37
