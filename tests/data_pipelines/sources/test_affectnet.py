import cv2
import numpy as np
import pytest

from data_pipelines.sources import DataError, Reject, Sample, affectnet, open_source
from data_pipelines.synthetic.labels import AFFECTNET_COUNTS, CLASSES

COLUMNS = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,"
    "expression,valence,arousal"
)
POINTS = np.arange(136, dtype=float).reshape(68, 2) + 0.25
MARKS = ";".join(f"{value:.2f}" for value in POINTS.ravel())
# The owner's classes, by name.
NAMES = ["neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger",
         "contempt", None, None, None]  # fmt: skip


def row(path, expression=1, valence=0.5, arousal=-0.25, box="10,20,30,40", marks=MARKS):
    return f"{path},{box},{marks},{expression},{valence},{arousal}"


def write(root, train=(), test=(), header=True):
    for name, lines in (("training.csv", train), ("validation.csv", test)):
        lines = [COLUMNS, *lines] if header else list(lines)
        (root / name).write_text("\n".join(lines) + "\n")
    (root / "Manually_Annotated_Images" / "1").mkdir(parents=True, exist_ok=True)
    image = np.zeros((60, 80, 3), np.uint8)
    cv2.imwrite(str(root / "Manually_Annotated_Images" / "1" / "a.jpg"), image)
    return str(root)


def rows(root, **options):
    found = list(open_source("affectnet", root, **options).rows())
    return [r for r in found if isinstance(r, Sample)], [
        r for r in found if isinstance(r, Reject)
    ]


@pytest.mark.parametrize("header", [True, False])
def test_every_column_with_and_without_a_header(tmp_path, header):
    root = write(tmp_path, [row("1/a.jpg")], [row("1\\b.jpg", 7)], header)
    (train, test), rejects = rows(root)
    assert rejects == []
    assert (train.split, test.split) == ("train", "test")
    assert (train.expression, test.expression) == ("happiness", "contempt")
    assert (train.valence, train.arousal) == (0.5, -0.25)
    assert train.box == (10, 20, 30, 40)
    np.testing.assert_array_equal(train.landmarks, POINTS)
    # Windows separators are understood.
    assert test.path == "Manually_Annotated_Images/1/b.jpg"
    source = open_source("affectnet", root)
    assert source.load(train)[1].shape == (60, 80, 3)
    assert source.num_landmarks == 68 and source.holdout == "pixels"
    with pytest.raises(ValueError, match="no such file"):
        source.load(test)


def test_classes_by_name_and_what_is_not_rated(tmp_path):
    lines = [row(f"1/{k}.jpg", k, *((-2, -2) if k > 8 else ())) for k in range(11)]
    root = write(tmp_path, lines)
    kept, rejects = rows(root)
    assert [s.expression for s in kept] == NAMES[:9]
    assert kept[8].valence == 0.5  # "None" is rated, Uncertain and No-Face are not.
    assert [r.expected for r in rejects] == [True, True]
    assert len(rows(root, va_rows="8cls")[0]) == 8
    assert len(rows(root, va_rows="7cls")[0]) == 7


def test_not_rated_never_gets_through(tmp_path):
    lines = [row("1/a.jpg", 3, -2, -2), row("1/b.jpg", 3, 0.5, "-2.0")]
    kept, _ = rows(write(tmp_path, lines))
    assert [(s.expression, s.valence, s.arousal) for s in kept] == [
        ("surprise", None, None)
    ] * 2


@pytest.mark.parametrize("box", ["NULL,NULL,NULL,NULL", "1,2,-9,5"])
def test_no_face_has_neither_box_nor_points(tmp_path, box):
    kept, _ = rows(write(tmp_path, [row("1/a.jpg", 8, box=box, marks="NULL")]))
    assert kept[0].box is None and kept[0].landmarks is None


@pytest.mark.parametrize(
    "line, reason",
    [
        (row("../../etc/passwd"), "not a path inside"),
        (row("/etc/passwd"), "not a path inside"),
        (row("C:\\x.jpg"), "not a path inside"),
        (row("1/\0.jpg"), "not a path inside"),
        (row("1/a.jpg", 11), "must be one of"),
        (row("1/a.jpg", "happy"), "'happy'"),
        (row("1/a.jpg", valence=1.01), "valence must lie in [-1, 1]"),
        (row("1/a.jpg", arousal="nan"), "arousal must be a number"),
        (row("1/a.jpg", arousal="-inf"), "arousal must be a number"),
        (row("1/a.jpg", marks="1;2;3"), "3 numbers where there must be 136"),
        (row("1/a.jpg", marks=";".join(["nan"] * 136)), "not finite"),
        (row("1/a.jpg", marks=";".join(["x"] * 136)), "not all are numbers"),
        (row("1/a.jpg", marks=";".join(["7"] * 136)), "on a single spot"),
        (row("1/a.jpg", box="1,2,nan,4"), None),
        (row("1/a.jpg", box="1,2,x,4"), "the box must be a number"),
        ("1/a.jpg,1,2", "3 fields, not 9"),
        (row("1/z.jpg"), "second row"),
    ],
)
def test_a_bad_row_is_rejected_by_its_line(tmp_path, line, reason):
    root = write(tmp_path, [row("1/z.jpg"), line])
    kept, rejects = rows(root)
    assert kept[0].path.endswith("1/z.jpg")
    if reason is None:  # Some copies spell a missing box so.
        assert kept[1].box is None
        return
    (reject,) = rejects
    assert reason in reject.reason and reject.path == "training.csv, line 3"
    assert not reject.expected


def test_a_foreign_header_a_missing_folder_and_links_out(tmp_path):
    root = write(tmp_path, [row("1/a.jpg")])
    (tmp_path / "training.csv").write_text("expression,valence\n1,0.5\n")
    with pytest.raises(DataError, match="header lacks subDirectory_filePath"):
        rows(root)
    secret = tmp_path.parent / f"{tmp_path.name}.jpg"
    secret.write_bytes(b"")
    link = tmp_path / "Manually_Annotated_Images" / "1" / "link.jpg"
    link.symlink_to(secret)
    source = open_source("affectnet", write(tmp_path, [row("1/link.jpg")]))
    with pytest.raises(DataError, match="leads out"):
        source.load(next(source.rows()))
    with pytest.raises(DataError, match="no training.csv"):
        open_source("affectnet", str(tmp_path / "Manually_Annotated_Images"))


def write_npy(root, folder, key, exp, val=0.5, aro=-0.25, points=POINTS):
    for part in ("images", "annotations"):
        (root / folder / part).mkdir(parents=True, exist_ok=True)
    image = np.zeros((224, 224, 3), np.uint8)
    cv2.imwrite(str(root / folder / "images" / f"{key}.jpg"), image)
    for what, value in (("exp", exp), ("val", val), ("aro", aro), ("lnd", points)):
        path = root / folder / "annotations" / f"{key}_{what}.npy"
        np.save(path, np.asarray(value).reshape(-1) if what == "lnd" else value)


def test_the_newer_release_whose_ids_start_anew(tmp_path):
    write_npy(tmp_path, "train_set", 0, np.array("3"))
    write_npy(tmp_path, "train_set", 1, np.array(7), val=np.array("-2"), aro=-2.0)
    write_npy(tmp_path, "val_set", 0, np.array(b"6"))
    kept, rejects = rows(str(tmp_path))
    assert rejects == [] and len({s.sample_id for s in kept}) == 3
    assert [(s.split, s.expression, s.valence) for s in kept] == [
        ("train", "surprise", 0.5),
        ("train", "contempt", None),
        ("test", "anger", 0.5),
    ]
    np.testing.assert_array_equal(kept[0].landmarks, POINTS)


def test_both_releases_in_one_folder_are_not_guessed_between(tmp_path):
    write(tmp_path, [row("1/a.jpg")])
    assert "first release" in open_source("affectnet", str(tmp_path)).layout
    write_npy(tmp_path, "val_set", 0, np.array("3"))
    with pytest.raises(DataError, match="both releases"):
        open_source("affectnet", str(tmp_path))
    for name in ("training.csv", "validation.csv"):
        (tmp_path / name).unlink()
    assert "newer release" in open_source("affectnet", str(tmp_path)).layout


def test_damaged_arrays_are_rejects_and_nothing_is_unpickled(tmp_path):
    for key in range(5):
        write_npy(tmp_path, "train_set", key, np.array(1))
    folder = tmp_path / "train_set" / "annotations"
    np.save(folder / "1_exp.npy", np.array([{"a": 1}], object), allow_pickle=True)
    (folder / "2_val.npy").write_bytes(b"\x93NUMPY\x01")
    np.save(folder / "3_lnd.npy", POINTS[:5])
    (folder / "4_exp.npy").unlink()
    kept, rejects = rows(str(tmp_path))
    assert [s.sample_id for s in kept] == ["train_set/0"]
    assert [r.path for r in rejects] == [
        f"train_set/images/{k}.jpg" for k in (1, 2, 3, 4)
    ]
    assert "10 numbers where there must be 136" in rejects[2].reason
    assert "no such file" in rejects[3].reason


def test_the_drawn_faces_have_the_frequencies_of_the_training_list():
    train = affectnet.AffectNet.published_tables["AffectNet"]["train"]
    assert [train[name] for name in CLASSES] == list(AFFECTNET_COUNTS)
