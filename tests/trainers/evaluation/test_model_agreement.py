"""Labels are compared by place: what stands there must have one name."""

import types

import pytest

from fer_tf import labels
from trainers.evaluation import agreement

UNITS = ("AU1", "AU2", "AU4", "AU6", "AU9", "AU12", "AU25", "AU26")  # DISFA's


def card(expressions=labels.EXPRESSIONS, action_units=labels.ACTION_UNITS):
    return types.SimpleNamespace(expressions=expressions, action_units=action_units)


def data(**names):
    return types.SimpleNamespace(folders=("data/x",), **names)


def test_only_names_of_places_that_labels_are_for_must_be_the_same():
    other = (*labels.EXPRESSIONS[:7], "other")
    given = data(expressions=other)
    agreement.require_names(card(), given, "expressions", [0, 3, 3, 6])
    with pytest.raises(ValueError, match="data/x: its expressions are .*other; .*cont"):
        agreement.require_names(card(), given, "expressions", [0, 7])


def test_units_of_another_set_are_not_compared():
    given = data(action_units=UNITS)
    agreement.require_names(card(), given, "action_units", [0, 1, 2, 3])
    with pytest.raises(ValueError, match="its action_units are .*AU9"):
        agreement.require_names(card(), given, "action_units", [0, 4])
    # A place that the model does not have.
    with pytest.raises(ValueError, match="its action_units"):
        agreement.require_names(
            card(), data(action_units=labels.ACTION_UNITS_2022), "action_units", [11]
        )
