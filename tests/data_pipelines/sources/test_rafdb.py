import cv2
import numpy as np
import pytest

from data_pipelines.sources import DataError, OptionError, Reject, Sample, open_source

# The owner's classes, from 1.
NAMES = ["surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"]


def write(
    root, lines, annotate=("manual", "auto", "boundingbox"), images=("original",)
):
    base = root / "basic"
    (base / "EmoLabel").mkdir(parents=True, exist_ok=True)
    (base / "EmoLabel" / "list_patition_label.txt").write_text("\n".join(lines) + "\n")
    texts = {
        "manual": (
            "manu_attri",
            "".join(f"{k}.5\t{k}\n" for k in range(5)) + "1\n2\n3\n",
        ),
        "auto": ("auto_attri", "".join(f"{k}\t{2 * k}\n" for k in range(37))),
        "boundingbox": ("boundingbox", "10.5 20 110.5 140 \n"),
    }
    for folder in annotate:
        (base / "Annotation" / folder).mkdir(parents=True, exist_ok=True)
        ending, text = texts[folder]
        for line in lines:
            stem = line.split(".")[0].replace("/", "")
            (base / "Annotation" / folder / f"{stem}_{ending}.txt").write_text(text)
    for kind in images:
        (base / "Image" / kind).mkdir(parents=True, exist_ok=True)
        ending = "_aligned" if kind == "aligned" else ""
        for line in lines[:1]:
            stem = line.split(".")[0]
            image = np.zeros((200, 150, 3), np.uint8)
            cv2.imwrite(str(base / "Image" / kind / f"{stem}{ending}.jpg"), image)
    return str(root)


def split(source):
    rows = list(source.rows())
    return [r for r in rows if isinstance(r, Sample)], [
        r for r in rows if isinstance(r, Reject)
    ]


def test_classes_splits_points_box_and_people(tmp_path):
    lines = [f"train_{k:05d}.jpg {k}" for k in range(1, 8)] + ["test_0001.jpg 4"]
    source = open_source("rafdb", write(tmp_path, lines))
    kept, rejects = split(source)
    assert rejects == [] and source.num_landmarks == 37 and source.holdout == "pixels"
    assert [s.expression for s in kept] == [*NAMES, "happiness"]
    assert [s.split for s in kept] == ["train"] * 7 + ["test"]
    first = kept[0]
    assert first.box == (10.5, 20, 100, 120)
    np.testing.assert_array_equal(first.landmarks[36], [36, 72])
    assert first.groups == {"gender": "female", "race": "Asian", "age": "40-69"}
    assert source.load(first)[1].shape == (200, 150, 3)
    # From inside `basic` it is the same data set.
    inside = open_source("rafdb", str(tmp_path / "basic"))
    assert [s.expression for s in inside.rows()] == [s.expression for s in kept]


def test_which_points_depends_on_the_files_and_the_options(tmp_path):
    root = write(tmp_path, ["train_00001.jpg 1"], images=("original", "aligned"))
    manual = open_source("rafdb", root, landmarks="manual")
    (sample,), _ = split(manual)
    assert manual.num_landmarks == 5
    np.testing.assert_array_equal(sample.landmarks[4], [4.5, 4])
    # Points lie in the original photographs, not in the aligned ones.
    aligned = open_source("rafdb", root, images="aligned")
    (sample,), _ = split(aligned)
    assert aligned.num_landmarks == 0 and sample.landmarks is None
    assert sample.path.endswith("aligned/train_00001_aligned.jpg")
    assert aligned.load(sample)[1].shape == (200, 150, 3)
    assert aligned.fingerprint != manual.fingerprint
    with pytest.raises(OptionError):
        open_source("rafdb", root, landmarks="68")
    bare = write(tmp_path / "bare", ["train_00001.jpg 1"], annotate=())
    (sample,), _ = split(open_source("rafdb", bare))
    assert sample.landmarks is sample.box is sample.groups is None


def test_the_compound_set_is_refused_by_name(tmp_path):
    root = write(tmp_path, ["train_00001.jpg 1", "train_00002.jpg 8"])
    with pytest.raises(DataError, match="line 2: class 8.*compound"):
        list(open_source("rafdb", root).rows())
    (tmp_path / "basic" / "EmoLabel" / "list_patition_label.txt").write_text("\n")
    with pytest.raises(DataError, match="no rows"):
        list(open_source("rafdb", root).rows())
    with pytest.raises(DataError, match="no EmoLabel/list_patition_label.txt"):
        open_source("rafdb", str(tmp_path / "basic" / "Image"))


@pytest.mark.parametrize(
    "line, reason",
    [
        ("train_00002.jpg 0", "must be one of"),
        ("train_00002.jpg", "a name and a class"),
        ("train_00002.jpg x", "'x'"),
        ("valid_00002.jpg 1", "must be train_"),
        ("../train_00002.jpg 1", "must be train_"),
        ("train_/../../x.jpg 1", "not a path inside"),
        ("train_00001.jpg 2", "second row"),
    ],
)
def test_a_bad_row_is_rejected_by_its_line(tmp_path, line, reason):
    kept, (reject,) = split(
        open_source("rafdb", write(tmp_path, ["train_00001.jpg 1", line]))
    )
    assert len(kept) == 1 and reason in reject.reason
    assert reject.path == "basic/EmoLabel/list_patition_label.txt, line 2"


@pytest.mark.parametrize(
    "file, text, reason",
    [
        ("auto/train_00001_auto_attri.txt", "1 2\n3 4\n", "4 numbers"),
        ("auto/train_00001_auto_attri.txt", "1 nan\n" * 37, "must be a number"),
        ("manual/train_00001_manu_attri.txt", "1 2\n" * 5, "10 numbers, not 13"),
        ("manual/train_00001_manu_attri.txt", "1 2\n" * 5 + "7\n0\n0", "gender 7"),
        ("boundingbox/train_00001_boundingbox.txt", "5 5 1 9", "two corners"),
    ],
)
def test_a_bad_annotation_is_named(tmp_path, file, text, reason):
    root = write(tmp_path, ["train_00001.jpg 1", "train_00002.jpg 1"])
    (tmp_path / "basic" / "Annotation" / file).write_text(text)
    kept, (reject,) = split(open_source("rafdb", root))
    assert len(kept) == 1 and reason in reject.reason
