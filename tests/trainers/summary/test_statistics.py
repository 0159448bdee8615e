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
    """Ann 0.9 - 0.3, Bea 0.5 - 0.1; of two people, 1/4 of resamples is either twice."""
    write(tmp_path, PICTURES)
    (pair,) = statistics.differences(read(str(tmp_path), "stem"))
    assert (pair["from"], pair["to"], pair["people"]) == ("neutral", "smiling", 2)
    value = pair["values"]["happiness"]
    assert value["mean"] == pytest.approx(0.5) and value["larger"] == 2
    assert value["interval"] == pytest.approx((0.4, 0.6))
    assert statistics.differences(read(str(tmp_path), "auto")) == []


def test_people_as_a_table(tmp_path):
    write(tmp_path, PICTURES)
    head, *rows = statistics.person_rows(read(str(tmp_path), "stem"))
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
    """The percentile interval of SciPy's two-sample bootstrap."""
    rng = np.random.default_rng(3)
    old, young = rng.beta(2, 5, 40), rng.beta(4, 3, 25)
    readings = groups_of(tmp_path, old=old, young=young)
    assert statistics.differences(readings) == []
    (found,) = statistics.unpaired(readings)
    assert (found["from"], found["to"]) == ("old", "young")
    assert (found["from_people"], found["to_people"]) == (40, 25)
    value = found["values"]["happiness"]
    assert value["mean"] == pytest.approx(young.mean() - old.mean())
    scipy = stats.bootstrap(
        (young, old), lambda a, b, axis: a.mean(axis) - b.mean(axis),
        method="percentile", rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    assert value["interval"] == pytest.approx((scipy.low, scipy.high), abs=0.01)
    assert "larger" not in value


def test_the_two_groups_of_an_unpaired_difference_are_drawn_apart(tmp_path):
    """Two equal groups of n: drawn together, every difference would be 0."""
    values = np.linspace(0, 1, 30)
    (found,) = statistics.unpaired(groups_of(tmp_path, a=values, b=values))
    low, high = found["values"]["happiness"]["interval"]
    error = np.sqrt(2 * values.var() / 30)
    assert (low, high) == pytest.approx((-1.96 * error, 1.96 * error), abs=0.02)


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


def test_an_interval_is_as_wide_as_the_standard_error_says():
    values = np.random.default_rng(1).normal(0.4, 0.1, (400, 1))
    found = statistics.describe(["x"], values)["x"]
    low, high = found["interval"]
    assert found["sd"] == pytest.approx(np.sqrt(values.var() * 400 / 399))
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.15)
    assert list(statistics.describe(["x"], values[:1])["x"]) == ["mean"]
