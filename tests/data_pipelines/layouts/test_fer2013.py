import os
import re

from data_pipelines.sources import open_source
from tests.data_pipelines.layouts.drawn import EXAMPLES, lines, split


def test_fer2013_is_what_its_owner_writes(written):
    root, _ = written("fer2013")
    header, first = lines(root, "fer2013.csv")[:2]
    assert header == "emotion,pixels,Usage"
    assert re.fullmatch(r"[0-6],(\d{1,3} ){2303}\d{1,3},Training", first)
    usages = [line.rsplit(",", 1)[1] for line in lines(root, "fer2013.csv")[1:]]
    order = ["Training", "PublicTest", "PrivateTest"]
    assert usages == sorted(usages, key=order.index)


def test_fer2013_folders_is_what_its_owner_writes(written):
    root, _ = written("fer2013_folders")
    names = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert set(os.listdir(os.path.join(root, "train"))) <= set(names)
    assert all(
        re.fullmatch(r"(PublicTest|PrivateTest)_\d+\.jpg", file)
        for _, _, files in os.walk(os.path.join(root, "test"))
        for file in files
    )


def test_ferplus_is_what_its_owner_writes(written):
    root, _ = written("ferplus")
    table = lines(root, "fer2013new.csv")
    assert table[0] == (
        "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,"
        "contempt,unknown,NF"
    )
    assert len(table) == len(lines(root, "fer2013.csv")) == EXAMPLES + 1
    assert all(sum(map(int, line.split(",")[2:])) == 10 for line in table[1:])
    label = lines(root, "data/FER2013Train/label.csv")[0]
    assert re.fullmatch(r'fer\d{7}\.png,"\(0, 0, 48, 48\)"(,\d+){10}', label)


def test_ferplus_folders_hold_what_the_csvs_hold(written, tmp_path):
    root, _ = written("ferplus")
    (tmp_path / "data").symlink_to(os.path.join(root, "data"))
    kept, _ = split(open_source("ferplus", root))
    folders, _ = split(open_source("ferplus", os.path.join(root, "data")))
    assert {(s.sample_id, s.split, s.expression) for s in kept} == {
        (s.sample_id, s.split, s.expression) for s in folders
    }
