import numpy as np
import pytest

from fer_tf import labels, scores


@pytest.mark.parametrize(
    "names, words",
    [
        (["=HYPERLINK(1)"], "must begin with a letter"),
        (["-1"], "must begin with a letter"),
        ([" neutral"], "must begin with a letter"),
        (["neutral "], "end without a space"),
        (["anger", "Anger"], "comes twice"),
        ([""], "is empty"),
        (["a\nb"], "cannot be printed"),
        (["a\x1b[31m"], "cannot be printed"),
        (["a\u202eb"], "cannot be printed"),
        (["a\ud800"], "cannot be printed"),
        (["a" * 101], "longer than 100"),
        ([3], "the name int is no text"),
        ([["a"]], "the name list is no text"),
        ("neutral", "must be a list"),
        (None, "must be a list"),
        ({"neutral": 1}, "must be a list"),
        (["a"] * 1001, "at most 1,000"),
    ],
)
def test_a_name_that_is_none_is_refused_in_one_line(names, words):
    with pytest.raises(ValueError, match=words) as error:
        labels.check_names(names, "a/model.json: expressions")
    assert str(error.value).startswith("a/model.json: expressions")
    assert len(str(error.value).splitlines()) == 1 and len(str(error.value)) < 200


@pytest.mark.parametrize(
    "names",
    [labels.EXPRESSIONS, labels.ACTION_UNITS_2022, [], ["a b", "0", "peur", "\u60b2"]],
)
def test_usable_names_come_back(names):
    assert labels.check_names(names, "x") == tuple(names)


def test_action_units_are_named_by_their_number():
    assert labels.action_unit_names(8) == labels.ACTION_UNITS
    twelve = "AU1 AU2 AU4 AU6 AU7 AU10 AU12 AU15 AU23 AU24 AU25 AU26".split()
    assert list(labels.action_unit_names(12)) == twelve
    assert labels.action_unit_names(2) == ("unit1", "unit2")
    true = np.eye(12)
    found = scores.action_unit_scores(true, np.where(true, 1.0, -1.0))
    assert [found[f"au_f1_{name}"] for name in twelve] == [1.0] * 12
