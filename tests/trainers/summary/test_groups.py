import numpy as np
import pytest

from tests.trainers.summary.written import write
from trainers.common import cli
from trainers.summary import statistics, study_tables
from trainers.summary.groups import grouped
from trainers.summary.readings import read


@pytest.fixture
def study(tmp_path):
    """Two men and two women, each twice; of one the gender is not known."""
    smiling = [0.9, 0.7, 0.5, 0.7, 0.5]
    shares = {"neutral": [0.1, 0.2, 0.3, 0.4, 0.5], "smiling": smiling}
    pictures = [(f"{c}/p{n}.jpg", None, [share])
                for c in shares for n, share in enumerate(shares[c])]  # fmt: skip
    write(tmp_path / "out", pictures)
    path = tmp_path / "people.csv"
    path.write_text("participant,gender\np0,f\np1,m\np2,f\np3,m\np4,\n")
    return read(str(tmp_path / "out"), "stem", study_tables.participants(str(path)))


def compared(found):
    return [(pair["from"], pair["to"]) for pair in found]


def test_groups_by_a_fact_are_of_other_people(study):
    found = grouped(study, ("gender",))
    assert found.ordered() == ["f", "m"]
    assert found.left_out["faces without gender"] == {"neutral": 1, "smiling": 1}
    assert statistics.differences(found) == []
    (pair,) = statistics.unpaired(found)
    # (0.15 + 0.3 + 0.35 + 0.1) of the men's and women's means: 0.5 and 0.45.
    assert pair["values"]["happiness"]["mean"] == pytest.approx(0.5 - 0.45)


def test_groups_by_two_things_are_compared_where_one_of_them_differs(study):
    found = grouped(study, ("condition", "gender"), ("smiling", "neutral"))
    assert found.ordered() == ["smiling, f", "smiling, m", "neutral, f", "neutral, m"]
    pairs = statistics.differences(found)
    assert compared(pairs) == [
        ("smiling, f", "neutral, f"), ("smiling, m", "neutral, m")
    ]  # fmt: skip
    means = [pair["values"]["happiness"]["mean"] for pair in pairs]
    assert means == pytest.approx([-0.5, -0.4])
    assert compared(statistics.unpaired(found)) == [
        ("smiling, f", "smiling, m"), ("neutral, f", "neutral, m")
    ]  # fmt: skip
    head, first, *_ = statistics.person_rows(found, ("condition", "gender"))
    assert head == ["condition", "gender", "person", "faces", "happiness"]
    assert first == ["smiling", "f", "p0", 1, pytest.approx(0.9)]
    head, *rows = statistics.person_rows(grouped(study, ("condition",)), ("condition",))
    assert head == ["condition", "person", "faces", "gender", "happiness"]
    assert [row[3] for row in rows] == ["f", "m", "f", "m", ""] * 2


def test_an_order_chooses_among_what_it_names_a_kind_of(study):
    found = grouped(study, ("condition", "gender"), ("smiling",))
    assert found.ordered() == ["smiling, f", "smiling, m"]
    assert found.left_out["faces of what --order does not name"] == {"neutral": 5}
    with pytest.raises(cli.UsageError, match="no faces in sad"):
        grouped(study, ("condition",), ("sad",))
    study.facts["gender"][:] = np.array("")
    with pytest.raises(cli.UsageError, match="no face is in any group"):
        grouped(study, ("gender",))
