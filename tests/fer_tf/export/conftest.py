import numpy as np
import pytest
import tensorflow as tf

from fer_tf.export import formats
from tests.fer_tf.export.small_models import FORMATS, random_crops, trained


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    model, lines = trained(folder / "trained"), []
    described = formats.export_model(
        model, str(folder / "out"), formats=FORMATS, crops=random_crops(20),
        labels=np.zeros(20, int), calibration=random_crops(40, seed=1),
        source="noise", calibrated_on="other noise", extra={"note": 1},
        report=lines.append,
    )  # fmt: skip
    assert [line.split(":")[0] for line in lines] == list(described["formats"])
    return model, folder / "out"


@pytest.fixture(scope="session")
def signatures(exported):
    return tf.saved_model.load(str(exported[1])).signatures
