import numpy as np
import pytest
from scipy import stats

from tests.trainers.summary.written import PICTURES, write
from trainers.summary import statistics
from trainers.summary.readings import read


def test_means_are_over_people_not_faces(tmp_path):
    write(tmp_path, PICTURES)
    found = statistics.means(read(str(tmp_path), "stem"))
    neutral, smiling = found["neutral"], found["smiling"]
    assert (neutral["people"], neutral["faces"]) == (3, 4)
    # Ann 0.3, Bea 0.1, Cem 0.6.
    assert neutral["values"]["happiness"]["mean"] == pytest.approx(1 / 3)
    assert smiling["values"]["happiness"]["mean"] == pytest.approx(0.7)


def test_differences_are_of_the_people_in_both(tmp_path):
    """Ann 0.9 - 0.3, Bea 0.5 - 0.1; Student's t of one degree of freedom is 12.706."""
    write(tmp_path, PICTURES)
    (pair,) = statistics.differences(read(str(tmp_path), "stem"))
    assert (pair["from"], pair["to"], pair["people"]) == ("neutral", "smiling", 2)
    value = pair["values"]["happiness"]
    assert value["mean"] == pytest.approx(0.5) and value["larger"] == 2
    half = 12.7062 * 0.1
    assert value["interval"] == pytest.approx((0.5 - half, 0.5 + half), abs=1e-4)
    assert value["smaller"] == 0
    # Both of two: p^2 = 0.025 at the lower end.
    assert value["larger_interval"] == pytest.approx((0.025**0.5, 1.0))
    assert statistics.differences(read(str(tmp_path), "auto")) == []


@pytest.mark.parametrize("count, total", [(0, 5), (5, 5), (97, 102), (3, 8), (1, 1)])
def test_the_interval_of_a_share_is_that_of_clopper_and_pearson(count, total):
    expected = stats.binomtest(count, total).proportion_ci(method="exact")
    found = statistics.share_interval(count, total)
    assert found == pytest.approx((expected.low, expected.high))


def test_people_as_a_table(tmp_path):
    write(tmp_path, PICTURES)
    found = read(str(tmp_path), "stem")
    head, *rows = statistics.person_rows(found, ("condition",))
    assert head == ["condition", "person", "faces", "happiness"]
    assert rows[0] == ["neutral", "ann", 2, pytest.approx(0.3)]
    assert [row[:3] for row in rows[1:]] == [
        ["neutral", "bea", 1], ["neutral", "cem", 1],
        ["smiling", "ann", 1], ["smiling", "bea", 1],
    ]  # fmt: skip


def groups_of(tmp_path, **shares):
    """Readings of groups of people, one picture each, under other names."""
    pictures = [(f"{group}/{group}{number}.jpg", None, [share])
                for group, values in shares.items()
                for number, share in enumerate(values)]  # fmt: skip
    write(tmp_path, pictures)
    return read(str(tmp_path), "stem")


def test_people_in_only_one_group_are_compared_unpaired(tmp_path):
    """The interval of SciPy's Welch test."""
    rng = np.random.default_rng(3)
    old, young = rng.beta(2, 5, 40), rng.beta(4, 3, 25)
    readings = groups_of(tmp_path, old=old, young=young)
    assert statistics.differences(readings) == []
    (found,) = statistics.unpaired(readings)
    assert (found["from"], found["to"]) == ("old", "young")
    assert (found["from_people"], found["to_people"]) == (40, 25)
    value = found["values"]["happiness"]
    assert value["mean"] == pytest.approx(young.mean() - old.mean())
    welch = stats.ttest_ind(young, old, equal_var=False).confidence_interval()
    assert value["interval"] == pytest.approx((welch.low, welch.high))
    assert "larger" not in value


def test_groups_without_spread_have_an_interval_of_one_point(tmp_path):
    (found,) = statistics.unpaired(groups_of(tmp_path, a=[0.5] * 2, b=[0.75] * 3))
    assert found["values"]["happiness"]["interval"] == (0.25, 0.25)


def test_people_in_both_groups_are_in_no_unpaired_difference(tmp_path):
    pictures = [*PICTURES, ("smiling/dan.jpg", None, [0.8]),
                ("smiling/eve.jpg", None, [0.4])]  # fmt: skip
    write(tmp_path, pictures)
    # Cem alone is in neutral only.
    assert statistics.unpaired(read(str(tmp_path), "stem")) == []
    write(tmp_path, [*pictures, ("neutral/fay.jpg", None, [0.2])])
    (found,) = statistics.unpaired(read(str(tmp_path), "stem"))
    assert (found["from_people"], found["to_people"]) == (2, 2)
    # (0.8 + 0.4) / 2 - (0.6 + 0.2) / 2.
    assert found["values"]["happiness"]["mean"] == pytest.approx(0.2)


def test_an_interval_is_that_of_students_t():
    values = np.random.default_rng(1).normal(0.4, 0.1, (7, 1))
    found = statistics.describe(["x"], values)["x"]
    student = stats.ttest_1samp(values[:, 0], 0).confidence_interval()
    assert found["interval"] == pytest.approx((student.low, student.high))
    assert found["sd"] == pytest.approx(np.sqrt(values.var() * 7 / 6))
    assert list(statistics.describe(["x"], values[:1])["x"]) == ["mean"]


@pytest.mark.parametrize("people", [2, 3, 5, 30])
def test_19_of_20_intervals_hold_the_truth_however_few_the_people(people):
    noise = np.random.default_rng(people).normal(size=(people, 2000))
    found = statistics.describe(list(range(2000)), noise).values()
    held = [low <= 0 <= high for low, high in (value["interval"] for value in found)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)
