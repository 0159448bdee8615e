import pytest

from data_pipelines.sources import DataError, OptionError
from data_pipelines.sources.classes import parse, vocabulary
from fer_tf import labels


def test_names_of_expressions_make_the_packages_vocabulary():
    names, own = vocabulary(["Happy", "FEAR", "happiness"], "", where="x")
    assert names == labels.EXPRESSIONS
    assert own == {"Happy": "happiness", "FEAR": "fear", "happiness": "happiness"}


def test_wanted_classes_know_the_synonyms_of_expressions():
    names, own = vocabulary(["Happy", "sad"], "sadness,happy", where="x")
    assert names == ("sadness", "happy") and own == {"Happy": "happy", "sad": "sadness"}


@pytest.mark.parametrize("text", ["calm,,tense", "a:b,b", "a,a", ":b", "a:b+b"])
def test_classes_that_cannot_be_read_are_refused(text):
    with pytest.raises(OptionError, match="--classes must be names with commas"):
        parse(text)


def test_too_many_values_are_no_classes():
    with pytest.raises(DataError, match="x: classes must be a list of at most 1,000"):
        vocabulary(map(str, range(1001)), "", where="x")
