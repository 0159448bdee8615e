import pytest

from tests.trainers.explanation.untrained import loaded
from trainers.explanation import faces
from trainers.explanation.explained import Explained


@pytest.fixture(scope="package")
def drawn():
    return faces.drawn("seed=2,examples=110", 96)


@pytest.fixture(scope="package")
def small(drawn):
    return Explained("small_resnet", loaded("small_resnet"), drawn)
