import shutil

import numpy as np
import pytest

from data_pipelines.sources import DataError, open_source
from tests import testing_utils

# Owner's ids: 0 anger 1 disgust 2 fear 3 happiness 4 sadness 5 surprise 6 neutral.
NAMES = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
FOLDERS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
SPLITS = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}


def test_csv_gives_every_pixel_label_and_split(tmp_path):
    rows = list(testing_utils.fer2013_rows(14))
    testing_utils.write_fer2013_csv(tmp_path / "fer2013.csv", rows)
    source = open_source("fer2013", str(tmp_path))
    samples = list(source.rows())
    assert len({sample.sample_id for sample in samples}) == 14
    for sample, (emotion, pixels, usage) in zip(samples, rows, strict=True):
        assert sample.expression == NAMES[emotion]
        assert sample.split == SPLITS[usage]
        np.testing.assert_array_equal(source.load(sample)[1], pixels)


def test_folders_give_the_same_pictures(tmp_path):
    rows = list(testing_utils.fer2013_rows(14))
    testing_utils.write_fer2013_folders(tmp_path, rows)
    source = open_source("fer2013", str(tmp_path))
    # As in the public copy, two pictures of one name, in two classes.
    shutil.copy(
        tmp_path / "train" / "disgust" / "Training_1.png",
        tmp_path / "train" / "happy" / "Training_1.png",
    )
    samples = list(source.rows())
    assert len({s.sample_id for s in samples}) == 15
    found = {s.path.split("/", 1)[1]: s for s in samples}
    for number, (emotion, pixels, usage) in enumerate(rows):
        sample = found[f"{FOLDERS[emotion]}/{usage}_{number}.png"]
        assert (sample.expression, sample.split) == (NAMES[emotion], SPLITS[usage])
        np.testing.assert_array_equal(source.load(sample)[1], pixels)


def test_header_with_spaces_and_another_order(tmp_path):
    row = next(testing_utils.fer2013_rows(1))
    pixels = " ".join(map(str, row[1].ravel()))
    (tmp_path / "icml_face_data.csv").write_text(
        f"emotion, Usage, pixels\n{row[0]}, Training, {pixels}\n"
    )
    source = open_source("fer2013", str(tmp_path))
    (sample,) = source.rows()
    np.testing.assert_array_equal(source.load(sample)[1], row[1])


GOOD = " ".join(["7"] * 48 * 48)


@pytest.mark.parametrize(
    "line, message",
    [
        (f"0,{GOOD}", "line 2: 2 fields"),
        (f"0,{GOOD[:200]}", "line 2: 2 fields"),
        (f"0,{GOOD} 7,Training", "line 2: 2305 pixels where there must be 2304"),
        (f"7,{GOOD},Training", "line 2: emotion '7' must be 0..6"),
        (f"x,{GOOD},Training", "line 2: emotion 'x'"),
        (f"0,{GOOD},PrivateT", "line 2: unknown Usage 'PrivateT'"),
        (f'0,"{GOOD}' + " 7" * 50_000, "line 2: 2 fields"),
        (f"0,{GOOD}\0,Training", None),
    ],
)
def test_a_broken_row_is_named_by_its_line(tmp_path, line, message):
    (tmp_path / "fer2013.csv").write_text(f"emotion,pixels,Usage\n{line}\n")
    source = open_source("fer2013", str(tmp_path))
    with pytest.raises(DataError, match=message):
        for sample in source.rows():
            source.load(sample)


@pytest.mark.parametrize("bad", ["300", "-1", "1.5", "a"])
def test_a_bad_pixel_is_refused_when_it_is_read(tmp_path, bad):
    pixels = GOOD[:-1] + bad
    row = f"0,{pixels},Training"
    (tmp_path / "fer2013.csv").write_text(f"emotion,pixels,Usage\n{row}\n")
    source = open_source("fer2013", str(tmp_path))
    with pytest.raises(DataError, match="pixel"):
        source.load(next(source.rows()))


@pytest.mark.parametrize(
    "content, message",
    [(b"", "header must be"), (b"a,b\n", "header must be"),
     (b"emotion,pixels,Usage\n", "no rows")],
)  # fmt: skip
def test_an_empty_or_foreign_csv_is_refused(tmp_path, content, message):
    (tmp_path / "fer2013.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(open_source("fer2013", str(tmp_path)).rows())


def test_an_unknown_class_folder_or_a_misplaced_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        open_source("fer2013", str(tmp_path / "absent"))
    with pytest.raises(DataError, match="no fer2013.csv"):
        open_source("fer2013", str(tmp_path))
    (tmp_path / "train" / "bored").mkdir(parents=True)
    with pytest.raises(DataError, match="hold no picture"):
        list(open_source("fer2013", str(tmp_path)).rows())
    (tmp_path / "train" / "bored" / "Training_1.jpg").write_bytes(b"")
    with pytest.raises(DataError, match="'bored'"):
        list(open_source("fer2013", str(tmp_path)).rows())
    (tmp_path / "train" / "bored" / "Training_1.jpg").unlink()
    (tmp_path / "train" / "happy").mkdir()
    (tmp_path / "train" / "happy" / "PublicTest_1.jpg").write_bytes(b"")
    with pytest.raises(DataError, match="must be named Training_"):
        list(open_source("fer2013", str(tmp_path)).rows())
