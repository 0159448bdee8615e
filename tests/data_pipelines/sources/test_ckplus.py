import shutil

import cv2
import numpy as np
import pytest

from data_pipelines.sources import DataError, OptionError, Reject, Sample, open_source
from data_pipelines.sources.ckplus import ckplus_folds

# Fold x class counts of pictures: anger, contempt, disgust, fear, happiness,
# sadness, surprise, of 118 people and 981 pictures.
FOLDS = np.array(
    [
        (6, 3, 21, 12, 21, 12, 24),
        (18, 6, 21, 12, 24, 6, 30),
        (15, 6, 18, 9, 27, 18, 27),
        (18, 6, 21, 3, 24, 6, 27),
        (12, 6, 27, 6, 15, 3, 21),
        (12, 6, 18, 12, 21, 12, 30),
        (21, 6, 12, 3, 15, 6, 24),
        (15, 3, 12, 6, 15, 12, 24),
        (12, 6, 18, 12, 24, 3, 24),
        (6, 6, 9, 0, 21, 6, 18),
    ]
)
NAMES = ["anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise"]


def sequence(root, subject, number, emotion, frames=4, facs=None, points=True):
    """Empty pictures and the owner's texts, as floats."""
    name = f"{subject}/{number:03d}"
    stems = [f"{subject}_{number:03d}_{k:08d}" for k in range(1, frames + 1)]
    for top in ("cohn-kanade-images", "Emotion", "FACS", "Landmarks"):
        (root / top / name).mkdir(parents=True)
    for stem in stems:
        (root / "cohn-kanade-images" / name / f"{stem}.png").touch()
        if points:
            text = "".join(f"   {k:.7e}   {2 * k:.7e}\n" for k in range(68))
            (root / "Landmarks" / name / f"{stem}_landmarks.txt").write_text(text)
    if emotion is not None:
        path = root / "Emotion" / name / f"{stems[-1]}_emotion.txt"
        path.write_text(f"   {emotion:.7e}\n")
    if facs is not None:
        path = root / "FACS" / name / f"{stems[-1]}_facs.txt"
        path.write_text("".join(f"   {u:.7e}   {i:.7e}\n" for u, i in facs))


def split(source):
    rows = list(source.rows())
    return [r for r in rows if isinstance(r, Sample)], [
        r for r in rows if isinstance(r, Reject)
    ]


def test_missing_pictures_are_counted_and_move_nobody_to_another_fold(tmp_path):
    for person in range(25):
        sequence(tmp_path, f"S{person:03d}", 1, 1 + person % 7, points=False)
    before = {
        s.subject: s.split for s in split(open_source("ckplus", str(tmp_path)))[0]
    }
    shutil.rmtree(tmp_path / "cohn-kanade-images" / "S003")
    linked = tmp_path / "cohn-kanade-images" / "S007"
    shutil.move(linked, tmp_path / "elsewhere")
    linked.symlink_to(tmp_path / "elsewhere")
    source = open_source("ckplus", str(tmp_path))
    kept, rejects = split(source)
    after = {s.subject: s.split for s in kept}
    assert after.items() < before.items() and len(after) == 23
    assert [(r.path, r.kind, r.expected) for r in rejects] == [
        ("cohn-kanade-images/S003/001", "missing", False),
        ("cohn-kanade-images/S007/001", "missing", False),
    ]
    assert source.fold_subjects == tuple(sorted(before))


def published_tree(root):
    """118 people whose sequences have the published fold and class counts."""
    for fold, counts in enumerate(FOLDS):
        people = [f"S{5 + 7 * i:03d}" for i in range(fold, 118, 10)]
        pairs = [(label, n) for label, count in enumerate(counts, 1)
                 for n in range(count // 3)]  # fmt: skip
        # Round the people, so that everybody has one at least.
        for number, (label, _) in enumerate(pairs):
            subject = people[number % len(people)]
            sequence(root, subject, number + 1, label, frames=3, points=False)


def test_the_folds_reproduce_the_published_table(tmp_path):
    published_tree(tmp_path)
    root = str(tmp_path)
    subjects = {s.subject for s in split(open_source("ckplus", root))[0]}
    assert len(subjects) == 118
    folds = ckplus_folds(subjects)
    assert [len(f) for f in folds] == [12] * 8 + [11] * 2
    assert folds[0][:2] == ["S005", "S075"] and sum(folds, []) != sorted(subjects)
    for fold in (0, 3, 9):
        source = open_source("ckplus", root, fold=fold)
        kept, _ = split(source)
        table = {
            name: [
                sum(s.split == name and s.expression == e for s in kept) for e in NAMES
            ]
            for name in ("train", "validation", "test")
        }
        assert table["test"] == list(FOLDS[fold])
        assert table["validation"] == list(FOLDS[(fold + 1) % 10])
        assert np.sum(list(table.values()), axis=0).tolist() == [
            135, 54, 177, 75, 207, 84, 249
        ]  # fmt: skip
        assert source.published == {
            name: dict(zip(NAMES, row)) for name, row in table.items()
        }


def test_the_last_three_frames_share_the_emotion_and_the_peak_has_units(tmp_path):
    # 25 at intensity 0 is present and not scored.
    sequence(tmp_path, "S005", 1, 3.0, frames=11, facs=[(4, 5), (25, 0), (9, 3)])
    sequence(tmp_path, "S005", 2, None)
    source = open_source("ckplus", str(tmp_path))
    kept, (reject,) = split(source)
    assert [s.frame for s in kept] == [9, 10, 11]
    assert {s.expression for s in kept} == {"disgust"}
    assert {(s.subject, s.video) for s in kept} == {("S005", "S005_001")}
    np.testing.assert_array_equal(kept[0].landmarks[67], [67, 134])
    assert kept[0].action_units is kept[1].action_units is None
    assert kept[2].action_units == {
        "AU1": 0, "AU2": 0, "AU4": 1, "AU6": 0, "AU12": 0, "AU15": 0, "AU20": 0,
        "AU25": 1, "AU9": 1,
    }  # fmt: skip
    assert "no emotion" in reject.reason and reject.expected
    path = tmp_path / kept[2].path
    cv2.imwrite(str(path), np.full((49, 64), 7, np.uint8))
    assert source.load(kept[2])[1].shape == (49, 64, 3)


def test_neutral_is_none_of_the_seven_classes(tmp_path):
    sequence(tmp_path, "S005", 1, 0.0)
    kept, (reject,) = split(open_source("ckplus", str(tmp_path)))
    assert kept == [] and reject.expected and "neutral" in reject.reason


@pytest.mark.parametrize(
    "file, text, reason",
    [
        ("Emotion/S005/001/S005_001_00000004_emotion.txt", "   8.0e+00", "must be one"),
        ("Emotion/S005/001/S005_001_00000004_emotion.txt", "1 2", "2 numbers"),
        ("Emotion/S005/001/S005_001_00000004_emotion.txt", "nan", "must be a number"),
        ("FACS/S005/001/S005_001_00000004_facs.txt", "1.0", "a unit and an intensity"),
        ("Landmarks/S005/001/S005_001_00000003_landmarks.txt", "1 2", "136"),
    ],
)
def test_a_damaged_text_is_named(tmp_path, file, text, reason):
    sequence(tmp_path, "S005", 1, 1.0)
    (tmp_path / file).write_text(text)
    kept, (reject,) = split(open_source("ckplus", str(tmp_path)))
    assert reason in reject.reason and not reject.expected
    assert len(kept) == (0 if "Emotion" in file else 2)


def test_too_short_a_sequence_and_what_is_not_the_layout(tmp_path):
    with pytest.raises(DataError, match="no folder cohn-kanade-images"):
        open_source("ckplus", str(tmp_path))
    sequence(tmp_path, "S010", 1, 1.0, frames=2)
    kept, (reject,) = split(open_source("ckplus", str(tmp_path)))
    assert kept == [] and "2 frames" in reject.reason
    with pytest.raises(OptionError, match="fold must be one of 0, 1"):
        open_source("ckplus", str(tmp_path), fold=10)
