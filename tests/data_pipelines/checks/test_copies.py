import numpy as np

from data_pipelines import synthetic
from data_pipelines.checks import copies
from data_pipelines.checks.findings import Findings
from data_pipelines.checks.picture_table import (
    PictureTable,
    digest,
    is_blank,
    thumbnail,
)

FACES = [
    synthetic.draw(index, synthetic.SyntheticOptions(seed=4, size=96)).image
    for index in range(12)
]


def paler(image, by=20):
    return np.clip(image * 0.9 + by, 0, 255).astype(np.uint8)


def table_of(*rows):
    table = PictureTable()
    for number, (image, split, label) in enumerate(rows):
        table.add(f"p{number}", split, label, digest(image), thumbnail(image))
    return table


def found(check, *rows):
    findings = Findings()
    check(table_of(*rows), findings)
    return {f.kind: (f.count, f.examples) for f in findings.sorted()}


def test_identical_pictures():
    a, b, c, d = FACES[:4]
    report = found(
        copies.check_identical,
        (a, "train", "fear"), (b, "train", "fear"), (c, "train", "fear"),
        (a, "train", "fear"), (b, "test", "anger"), (c, "train", "unlabelled"),
        (d, "test", "fear"),
    )  # fmt: skip
    assert {kind: count for kind, (count, _) in report.items()} == {
        "duplicate": 3, "cross_split": 1, "label_conflict": 1,
    }  # fmt: skip
    assert report["duplicate"][1][0] == "p0 (train, fear) = p3 (train, fear)"
    assert report["cross_split"][1] == ["p1 (train, fear) = p4 (test, anger)"]


def test_a_copy_without_a_label_conflicts_with_none():
    a, b = FACES[:2]
    table = table_of(
        (a, "train", "unlabelled"), (a, "train", "fear"), (a, "train", "fear"),
        (b, "train", "fear"), (b, "train", "anger"), (b, "train", "unlabelled"),
    )  # fmt: skip
    groups = copies.check_identical(table, Findings())
    left_out = dict(copies.surplus(table, groups, []))
    # The first with a label stays; of two labels nobody knows which.
    assert set(left_out) == {"p0", "p2", "p3", "p4", "p5"}
    assert left_out["p0"] == "same picture as p1 (train, fear)"
    assert "another label" in left_out["p5"]


def test_a_grey_picture_and_a_coloured_one_of_the_same_bytes_differ():
    image = FACES[0]
    assert digest(image) != digest(image.reshape(96, 288))


def test_near_copies_count_across_splits_alone_and_once_a_group():
    a, b, c, d = FACES[:4]
    report = found(
        copies.check_nearly_identical,
        (a, "train", "fear"), (paler(a), "test", "fear"), (paler(a, 9), "test", "fear"),
        (b, "train", "fear"), (b, "test", "fear"),  # Identical: the other check's.
        (c, "train", "fear"), (paler(c), "train", "fear"),
        (d, "test", "anger"),
    )  # fmt: skip
    assert report == {
        "near_duplicate": (
            1, ["p0 (train, fear) ~ p1 (test, fear) ~ p2 (test, fear)"]
        )
    }  # fmt: skip
    assert found(copies.check_nearly_identical, (a, "train", "fear")) == {}


def test_pictures_that_show_nothing_are_no_copies_of_each_other():
    dark, black = np.full((48, 48), 3, np.uint8), np.zeros((48, 48), np.uint8)
    report = found(
        copies.check_nearly_identical, (dark, "train", "fear"), (black, "test", "fear")
    )
    assert report == {} and is_blank(thumbnail(dark)) and not is_blank(FACES[0][..., 0])


def test_a_group_in_words_shows_what_differs_first():
    rows = [(FACES[0], "train", "fear")] * 6 + [(FACES[0], "test", "anger")]
    (text,) = found(copies.check_identical, *rows)["duplicate"][1]
    assert text.startswith("p0 (train, fear) = p6 (test, anger) = ")
    assert text.endswith("and 3 more")
