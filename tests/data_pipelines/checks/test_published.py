import collections

import pytest

from data_pipelines.checks.findings import Findings
from data_pipelines.checks.published import check_counts, permutation
from data_pipelines.sources import affectnet, fer2013, ferplus, open_source, rafdb

# FER2013's classes in the order of its numbers, of the training, public and private
# test set, as everybody prints them.
NAMES = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
FER2013 = {
    "train": [3995, 436, 4097, 7215, 4830, 3171, 4965],
    "validation": [467, 56, 496, 895, 653, 415, 607],
    "test": [491, 55, 528, 879, 594, 416, 626],
}


def counts(table, names=NAMES):
    return {split: dict(zip(names, row)) for split, row in table.items()}


def found(here, published=None):
    findings = Findings()
    check_counts(here, published, findings)
    return {f.kind: (f.count, f.severity, f.examples) for f in findings.sorted()}


def total(published):
    return {split: sum(classes.values()) for split, classes in published.items()}


def test_totals_are_the_owners():
    fer = {"train": 28709, "validation": 3589, "test": 3589}
    assert total(fer2013.PUBLISHED) == fer and fer2013.PUBLISHED == counts(FER2013)
    assert total(rafdb.PUBLISHED) == {"train": 12271, "test": 3068}
    eight = affectnet._published_counts(False, "8cls")
    assert total(eight) == {"train": 287651, "test": 3999}
    seven = affectnet._published_counts(True, "7cls")
    assert total(seven) == {"train": 283901, "test": 3500}
    valid = affectnet._published_counts(True, "valid")
    assert total(valid) == {"train": 320739, "test": 4500}
    majority = total(ferplus.PUBLISHED["majority"])
    assert majority == {"train": 25060, "validation": 3199, "test": 3153}


def test_the_published_set_has_no_findings():
    assert found(counts(FER2013), fer2013.PUBLISHED) == {}
    assert found(counts(FER2013)) == {}


def test_classes_in_the_folders_order_are_named():
    # Numbers of one order read by the names of another: the classic mistake.
    alphabetical = sorted(NAMES)
    assert permutation(counts(FER2013, alphabetical), fer2013.PUBLISHED) == {
        "neutral": "sadness", "sadness": "surprise", "surprise": "neutral",
    }  # fmt: skip
    report = found(counts(FER2013, alphabetical), fer2013.PUBLISHED)
    assert set(report) == {"label_order"}
    assert report["label_order"][:2] == (3, "error")
    assert "neutral has the number of pictures of sadness" in report["label_order"][2]


def merged(table, names):
    test = [a + b for a, b in zip(table["validation"], table["test"])]
    return counts({"train": table["train"], "test": test}, names)


def drawn_by_pixels(table, names):
    whole = {n: sum(column) for n, column in zip(names, zip(*table.values()))}
    parts = {n: (c - 2 * (c // 10), c // 10, c // 10) for n, c in whole.items()}
    return {
        split: {n: part[k] for n, part in parts.items()}
        for k, split in enumerate(("train", "validation", "test"))
    }


@pytest.mark.parametrize("rearranged", [counts, merged, drawn_by_pixels])
def test_a_known_set_with_swapped_classes_is_recognised(rearranged):
    swapped = ["disgust", "anger", *NAMES[2:]]
    report = found(rearranged(FER2013, swapped))
    assert report["label_order"][:2] == (2, "error")
    assert (
        "anger has the number of pictures of FER2013's disgust"
        in (report["label_order"][2])
    )
    assert found(rearranged(FER2013, NAMES)) == {}


def test_a_set_of_ones_own_is_left_alone():
    here = {"train": {"fear": 100, "anger": 90}, "test": {"fear": 10, "anger": 9}}
    assert found(here) == {}


def test_missing_pictures_weigh_more_where_numbers_are_measured():
    here = counts(FER2013)
    here["train"]["fear"] -= 30
    report = found(here, fer2013.PUBLISHED)
    assert {kind: entry[:2] for kind, entry in report.items()} == {
        "count": (1, "warning"), "class_count": (1, "warning"),
    }  # fmt: skip
    assert report["class_count"][2] == ["train, fear: 4,067 here, 4,097 published"]
    here["test"]["fear"] -= 1
    here["test"]["anger"] += 1
    report = found(here, fer2013.PUBLISHED)
    assert report["class_count"][:2] == (3, "error")
    assert report["count"][:2] == (1, "warning")
    here["train"]["fear"] -= 3000
    report = found(here, fer2013.PUBLISHED)
    assert report["count"][1] == "error"


def test_an_absent_split_is_no_permutation():
    here = counts({"train": FER2013["train"]})
    report = found(here, fer2013.PUBLISHED)
    assert report["count"][:2] == (2, "error") and "label_order" not in report


def test_ck_plus_counts_follow_the_fold(tmp_path):
    for top in ("cohn-kanade-images", "Emotion"):
        (tmp_path / top).mkdir()
    total = collections.Counter()
    for fold in range(10):
        published = open_source("ckplus", str(tmp_path), fold=fold).published
        total.update(published["test"])
        assert sum(sum(row.values()) for row in published.values()) == 981
    # Spec 4.6: 135/54/177/75/207/84/249 of anger, contempt, disgust, fear, ...
    assert list(total.values()) == [135, 54, 177, 75, 207, 84, 249]
    assert list(total) == [
        "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise"
    ]  # fmt: skip
