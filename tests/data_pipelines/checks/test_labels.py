import numpy as np
import pytest

from data_pipelines.checks.findings import EXAMPLES, KINDS, Findings
from data_pipelines.checks.labels import check_sample, expression_in
from data_pipelines.checks.people import Appearances
from data_pipelines.sources import Sample


def found(name="a.jpg", shape=(100, 200, 3), **labels):
    findings = Findings()
    check_sample(Sample("a", **labels), shape, name, findings)
    return {f.kind: f.examples[0] for f in findings.sorted()}


POINTS = np.array([[10.0, 10], [190, 90], [100, 50], [60, 70], [140, 70]])


def test_points_belong_into_their_picture():
    assert found(landmarks=POINTS) == {}
    # A little beyond the border is a tracker's guess; x and y swapped is not.
    assert found(landmarks=POINTS + [15, 15]) == {}
    assert found(landmarks=POINTS[:, ::-1]) == {
        "points_outside": "a.jpg: (90, 190) in a picture of 200x100"
    }


@pytest.mark.parametrize("box", [(200, 0, 50, 50), (0, 130, 9, 9), (-60, 0, 60, 9)])
def test_a_box_beside_its_picture(box):
    assert set(found(box=box)) == {"box_outside"}


def test_a_box_over_the_border_is_as_owners_draw_them():
    assert found(box=(150, -20, 100, 200)) == {}


@pytest.mark.parametrize(
    "path, name",
    [
        ("happy/00012.jpg", None),  # The folder is the label.
        ("sad/img_Happy-3.jpg", "happiness"),
        ("ANGRY.png", "anger"),
        ("happy_or_sad.png", None),
        ("saddle_feared.png", None),
        ("3fe5a1d.jpg", None),
    ],
)
def test_what_a_file_name_says(path, name):
    assert expression_in(path) == name
    conflict = name is not None and name != "anger"
    assert ("named_otherwise" in found(path, expression="anger")) == conflict


def test_people_in_two_splits_are_an_error():
    people, findings = Appearances(), Findings()
    for name, split in (("S1", "train"), ("S1", "test"), ("S2", "test"),
                        ("S2", "test"), (None, "train"), (None, "test")):  # fmt: skip
        people.add(name, split)
    people.report("subject_leak", findings)
    (finding,) = findings.sorted()
    assert (finding.count, finding.severity) == (1, "error")
    assert finding.examples == ["S1 in test, train"]


def test_all_are_counted_a_few_are_kept_and_the_worst_severity_holds():
    findings = Findings()
    for number in range(100):
        findings.add("blank", str(number))
    findings.add("count", "a", severity="warning")
    findings.add("count", lambda: "b", severity="error")
    count, blank = findings.sorted()
    assert (blank.count, len(blank.examples)) == (100, EXAMPLES)
    assert (count.severity, count.examples) == ("error", ["a", "b"])
    assert {severity for severity, _ in KINDS.values()} == {"error", "warning"}
