import re

from tests.data_pipelines.layouts.drawn import lines


def test_affectnet_is_what_its_owner_writes(written):
    root, _ = written("affectnet")
    assert lines(root, "training.csv")[0].startswith("subDirectory_filePath,face_x,")
    first = lines(root, "validation.csv")[0]
    marks = r"(-?\d+\.\d\d;){135}-?\d+\.\d\d"
    number = r"-?\d+(\.\d+)?"
    pattern = rf"\d+/[0-9a-f]{{56}}\.jpg(,\d+){{4}},{marks},\d+,{number},{number}"
    assert re.fullmatch(pattern, first), first
