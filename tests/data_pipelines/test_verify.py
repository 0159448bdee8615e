import numpy as np
import pytest

from data_pipelines import prepare, verify
from data_pipelines.sources import open_source
from tests import testing_utils


def kinds(report):
    return {f["kind"]: (f["count"], f["severity"]) for f in report["findings"]}


def test_duplicates_leaks_and_conflicts_are_counted(tmp_path):
    rows = list(testing_utils.fer2013_rows(20))
    pixels = lambda i: rows[i][1]
    rows += [
        (rows[1][0], pixels(1), "Training"),  # A copy in the same split.
        (rows[3][0], pixels(3), "PrivateTest"),  # A copy that reaches the test set.
        ((rows[5][0] + 1) % 7, pixels(5), "Training"),  # A copy with another label.
    ]
    testing_utils.write_fer2013_csv(tmp_path / "fer2013.csv", rows)
    report = verify.verify_source(open_source("fer2013", str(tmp_path)))
    assert kinds(report) == {
        "duplicate": (3, "warning"),
        "cross_split": (1, "warning"),
        "label_conflict": (1, "warning"),
        "count": (3, "error"),  # 23 rows are not FER2013's 35,887.
    }
    assert not report["ok"]
    assert sum(sum(c.values()) for c in report["counts"].values()) == 23


def test_people_in_two_splits_are_an_error():
    row = lambda name, split: verify.Row(name, split, "fear", "S1", name.encode())
    (finding,) = verify.check_rows([row("a", "train"), row("b", "test")])
    assert (finding.kind, finding.severity) == ("subject_leak", "error")
    assert finding.examples == ["S1 in test, train"]


def test_unreadable_pictures_are_an_error_that_names_them(tmp_path):
    testing_utils.write_fer2013_folders(tmp_path, testing_utils.fer2013_rows(8))
    (tmp_path / "train" / "happy" / "Training_77.jpg").write_bytes(b"<html>")
    report = verify.verify_source(open_source("fer2013", str(tmp_path)))
    assert kinds(report)["unreadable"] == (1, "error")
    (finding,) = [f for f in report["findings"] if f["kind"] == "unreadable"]
    assert "train/happy/Training_77.jpg" in finding["examples"][0]


def test_a_damaged_shard_is_found(tmp_path):
    source = open_source("synthetic", "examples=20,size=48")
    spec = prepare.crop_spec_for(source)
    manifest = prepare.prepare(source, str(tmp_path / "d"), crop_spec=spec)
    assert verify.verify_prepared(str(tmp_path / "d"))["ok"]
    shard = tmp_path / "d" / manifest["shards"][0]["name"]
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(bytes(content))
    report = verify.verify_prepared(str(tmp_path / "d"))
    assert kinds(report)["shard"] == (1, "error") and not report["ok"]


@pytest.mark.real_data
@pytest.mark.slow
def test_fer2013_is_what_its_readme_says(real_data, tmp_path):
    import tarfile

    with tarfile.open(real_data / "fer2013.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    report = verify.verify_source(open_source("fer2013", str(tmp_path)))
    assert report["ok"]
    assert {kind: count for kind, (count, _) in kinds(report).items()} == {
        "duplicate": 1516,
        "cross_split": 557,
        "label_conflict": 57,
    }
    totals = {split: sum(c.values()) for split, c in report["counts"].items()}
    assert totals == {"train": 28709, "validation": 3589, "test": 3589}
    assert np.sum(list(totals.values())) == 35887
