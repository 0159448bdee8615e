"""Another program's predictions, beside the labels of a prepared folder."""

import numpy as np
import pytest

from data_pipelines.preparation import prepare
from data_pipelines.sources import open_source
from data_pipelines.storage.prepared import open_prepared
from tests import testing_utils
from trainers.evaluation import foreign, measure

# Anger, disgust, fear, happiness, sadness, surprise, neutral by the number that
# FER2013 gives them.
_ROWS = [(label, "PrivateTest") for label in (3, 3, 6, 0)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    top = tmp_path_factory.mktemp("foreign")
    drawn = testing_utils.fer2013_rows(5)
    pixels = [row[1] for row in drawn]
    rows = [(label, p, usage) for (label, usage), p in zip(_ROWS, pixels)]
    rows.append((0, pixels[4], "Training"))
    testing_utils.write_fer2013_csv(top / "fer2013.csv", rows)
    source = open_source("fer2013", str(top / "fer2013.csv"))
    prepare.prepare(
        source, str(top / "data"), crop_spec=source.crop_spec(), detector="none",
        format="npz",
    )  # fmt: skip
    return open_prepared(str(top / "data"))


def write(path, *lines):
    text = "\n".join(["path,happiness,neutral", *lines]) + "\n"
    path.write_text(text)
    return str(path)


def test_what_is_not_found_or_not_known_counts_as_wrong(prepared, tmp_path):
    path = write(
        tmp_path / "p.csv",
        "a/PrivateTest_00000.png,0.9,0.1",  # Happiness: right.
        "a/PrivateTest_00001.png,,",  # Happiness: no face found.
        "a/PrivateTest_00002.png,0.25,0.75",  # Neutral: right.
        "a/PrivateTest_00003.png,0.0,1.0",  # Anger, which it does not know.
        "a/another.png,0.5,0.5",
    )
    predictions = foreign.predictions_of(path, prepared, "test")
    names = (*prepared.expressions, foreign.NO_FACE)
    found = measure.measure_split(predictions, expressions=names)
    assert found["num_examples"] == 4 and found["metrics"]["accuracy"] == 0.5
    confusion = found["confusion"]
    row = dict(zip(names, confusion["counts"][names.index("happiness")]))
    assert row["happiness"] == 1 and row["no face found"] == 1
    assert confusion["counts"][names.index("anger")][names.index("neutral")] == 1
    (place,) = np.flatnonzero(predictions.sample_id == b"PrivateTest_00002")
    p = np.exp(predictions.outputs["expression"][place])
    assert p[names.index("neutral")] == pytest.approx(0.75)


@pytest.mark.parametrize(
    "lines, message",
    [
        (["PrivateTest_00000.png,1,0"], "3 of 4 pictures of test are not in it"),
        (["PrivateTest_00000.png,2,0"], "line 2: not all are numbers from 0 to 1"),
        (["PrivateTest_00000.png,x,0"], "line 2: not all are numbers from 0 to 1"),
        (["PrivateTest_00000.png,1"], "line 2: 2 cells, not 3"),
    ],
)
def test_a_bad_file_is_said_in_a_line(lines, message, prepared, tmp_path):
    path = write(tmp_path / "p.csv", *lines)
    with pytest.raises(ValueError, match=message):
        foreign.predictions_of(path, prepared, "test")


def test_another_header_is_refused(prepared, tmp_path):
    path = tmp_path / "p.csv"
    for header in ("path,happy", "happiness", "path", "path,anger,anger"):
        path.write_text(f"{header}\n")
        with pytest.raises(ValueError, match="must begin with the line path,EXPRES"):
            foreign.predictions_of(str(path), prepared, "test")


def test_a_name_of_two_pictures_is_nobodys(prepared, tmp_path):
    twice = [f"{a}/PrivateTest_0000{i}.png,1,0" for a in "ab" for i in range(4)]
    path = write(tmp_path / "p.csv", *twice)
    with pytest.raises(ValueError, match="4 of 4 pictures"):
        foreign.predictions_of(path, prepared, "test")
