import json
import os

import numpy as np
import pytest
import tensorflow as tf

from data_pipelines.checks import verification
from data_pipelines.preparation import prepare
from data_pipelines.sources import DataError, open_source
from data_pipelines.storage import manifests, records
from tests import testing_utils


@pytest.fixture
def csv(tmp_path):
    folder = tmp_path / "download"
    folder.mkdir()
    rows = list(testing_utils.fer2013_rows(60))
    testing_utils.write_fer2013_csv(folder / "fer2013.csv", rows)
    return str(folder), rows


def run(source, output, **kwargs):
    source = open_source("fer2013", source)
    spec = source.crop_spec()
    return prepare.prepare(
        source, str(output), crop_spec=spec, rows_a_chunk=20, **kwargs
    )


def contents(folder):
    return {name: (folder / name).read_bytes() for name in sorted(os.listdir(folder))}


def read(folder, manifest):
    spec = records.feature_spec(manifest)
    paths = [str(folder / shard["name"]) for shard in manifest["shards"]]
    for record in tf.data.TFRecordDataset(paths):
        yield tf.io.parse_single_example(record, spec)


def test_records_hold_the_pixels_bit_for_bit_and_the_labels_by_name(csv, tmp_path):
    source, rows = csv
    manifest = run(source, tmp_path / "out")
    found = {
        e["sample_id"].numpy().decode(): e for e in read(tmp_path / "out", manifest)
    }
    assert len(found) == manifest["num_examples"] == 60
    ours = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
    for number, (emotion, pixels, usage) in enumerate(rows):
        example = found[f"{usage}_{number:05d}"]
        image = tf.io.decode_png(example["image"])
        np.testing.assert_array_equal(image[..., 0], pixels)
        assert manifest["expressions"][int(example["expression"])] == ours[emotion]
        assert example["expression_weight"].numpy() == [1.0]
        # Nothing that is not annotated carries weight.
        assert not example["valence_arousal_weight"].numpy().any()
        assert not example["action_units_weight"].numpy().any()


def test_manifest_counts_what_was_written(csv, tmp_path):
    source, rows = csv
    manifest = run(source, tmp_path / "out")
    by_usage = lambda usage: sum(u == usage for *_, u in rows)
    totals = {split: sum(c.values()) for split, c in manifest["counts"].items()}
    assert totals == {
        "train": by_usage("Training"),
        "validation": by_usage("PublicTest"),
        "test": by_usage("PrivateTest"),
    }
    assert manifest["rejects"] == []
    assert manifest["crop_spec"]["name"] == "meen"
    on_disk = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert on_disk == json.loads(json.dumps(manifest))
    assert set(contents(tmp_path / "out")) == {
        "manifest.json", "dataset_info.json", "features.json",
        "expression.labels.txt", *(shard["name"] for shard in manifest["shards"])
    }  # fmt: skip


def test_a_source_sorted_by_class_is_mixed_within_each_shard(tmp_path):
    rows = sorted(testing_utils.fer2013_rows(280), key=lambda row: row[0])
    testing_utils.write_fer2013_csv(tmp_path / "fer2013.csv", rows)
    # The file alone is the source: what lies beside it may be written to.
    manifest = run(str(tmp_path / "fer2013.csv"), tmp_path / "out")
    spec = records.feature_spec(manifest)
    heads = []
    for shard in manifest["shards"]:
        ds = tf.data.TFRecordDataset(str(tmp_path / "out" / shard["name"]))
        parsed = [tf.io.parse_single_example(r, spec) for r in ds.take(3)]
        heads += [int(example["expression"]) for example in parsed]
    # The heads of the shards are a fair sample: about a seventh of each class.
    counts = np.bincount(heads, minlength=7)
    assert len(heads) > 90 and counts.min() >= 5


@pytest.mark.slow
def test_any_number_of_workers_and_a_second_run_give_the_same_bytes(csv, tmp_path):
    source, _ = csv
    run(source, tmp_path / "one", workers=1)
    run(source, tmp_path / "two", workers=2)
    before = contents(tmp_path / "one")
    assert contents(tmp_path / "two") == before
    times = [os.stat(tmp_path / "one" / name).st_mtime_ns for name in before]
    run(source, tmp_path / "one")
    assert [os.stat(tmp_path / "one" / n).st_mtime_ns for n in before] == times


@pytest.mark.parametrize("format", manifests.FORMATS)
@pytest.mark.parametrize("damage", ["deleted", "changed", "cut"])
def test_a_finished_folder_is_checked_and_repaired(damage, format, csv, tmp_path):
    source, _ = csv
    run(source, tmp_path / "out", format=format)
    before = contents(tmp_path / "out")
    path = next((tmp_path / "out").glob("fer2013-test.*"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content[: -1 if damage == "cut" else None])
    if damage == "deleted":
        path.unlink()
    notices = []
    run(source, tmp_path / "out", format=format, notice=notices.append)
    assert contents(tmp_path / "out") == before
    (notice,) = notices
    assert notice.startswith(f"{path}: ") and notice.endswith("prepared again")
    run(source, tmp_path / "out", format=format, notice=notices.append)
    assert len(notices) == 1


def test_what_tfds_reads_is_repaired_too(csv, tmp_path):
    source, _ = csv
    run(source, tmp_path / "out")
    before, notices = contents(tmp_path / "out"), []
    (tmp_path / "out" / "features.json").unlink()
    run(source, tmp_path / "out", notice=notices.append)
    assert contents(tmp_path / "out") == before and "features.json: m" in notices[0]


@pytest.mark.parametrize("format", manifests.FORMATS)
@pytest.mark.parametrize("damaged", ["shard", "summary"])
def test_begun_work_that_is_damaged_is_done_again(damaged, format, csv, tmp_path):
    source, _ = csv
    run(source, tmp_path / "whole", format=format)

    def stop(done, total):
        if done == 45:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(source, tmp_path / "out", format=format, progress=stop)
    work = tmp_path / "out" / ".work"
    kept = work if format == "npz" else tmp_path / "out"
    found = sorted(kept.glob("fer2013-train*-00000-of-*"))
    (path,) = found if damaged == "shard" else sorted(work.glob("chunk-00000-*"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    run(source, tmp_path / "out", format=format)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_another_source_or_crop_into_the_same_folder_is_refused(csv, tmp_path):
    source, _ = csv
    run(source, tmp_path / "out")
    before = contents(tmp_path / "out")
    opened = open_source("fer2013", source)
    spec = opened.crop_spec("wang2018")
    with pytest.raises(
        DataError,
        match="crop_spec.name .there 'meen', now 'wang2018'.; another crop_spec.size",
    ):
        prepare.prepare(opened, str(tmp_path / "out"), crop_spec=spec, rows_a_chunk=20)
    assert contents(tmp_path / "out") == before


def test_an_output_inside_the_source_or_not_empty_is_refused(csv, tmp_path):
    source, _ = csv
    with pytest.raises(DataError, match="inside the source"):
        run(source, os.path.join(source, "records"))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.docx").write_text("precious")
    with pytest.raises(DataError, match="not empty"):
        run(source, tmp_path / "full")
    assert contents(tmp_path / "full") == {"thesis.docx": b"precious"}


@pytest.mark.parametrize(
    "rows, message",
    [("", "none of 0 rows is usable$"), ("a.png,happy\nb.png,?\n", "of 2 .*line 3: ")],
)
def test_a_source_without_a_usable_row_is_refused(rows, message, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "labels.csv").write_text("path,expression\n" + rows)
    source = open_source("csv", str(tmp_path / "in"))
    spec = source.crop_spec()
    with pytest.raises(DataError, match=message):
        prepare.prepare(source, str(tmp_path / "out"), crop_spec=spec)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"\x89PNG\r\n"])
def test_an_unreadable_picture_stops_a_complete_data_set_by_name(content, tmp_path):
    rows = testing_utils.fer2013_rows(8)
    testing_utils.write_fer2013_folders(tmp_path / "in", rows)
    bad = tmp_path / "in" / "train" / "happy" / "Training_99.jpg"
    bad.write_bytes(content)
    with pytest.raises(DataError, match="train/happy/Training_99.jpg"):
        run(str(tmp_path / "in"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_bad_row_of_a_csv_is_named_by_its_id(tmp_path):
    rows = list(testing_utils.fer2013_rows(8))
    path = tmp_path / "fer2013.csv"
    testing_utils.write_fer2013_csv(path, rows)
    lines = path.read_text().splitlines()
    lines[4] = lines[4].replace(",", ",300 ", 1).replace(" ", "x", 1)
    path.write_text("\n".join(lines) + "\n")
    source = open_source("fer2013", str(path))
    name = list(source.rows())[3].sample_id
    with pytest.raises(DataError, match=f"^{name}: "):
        run(str(path), tmp_path / "out")
    report = verification.verify_source(source)
    (finding,) = [f for f in report["findings"] if f["kind"] == "unreadable"]
    assert finding["examples"][0].startswith(f"{name}: ")


def test_small_chunks_are_joined_to_few_shards(csv, tmp_path, monkeypatch):
    # 2,650 photographs whose faces are searched: not a shard for each of 64 chunks.
    assert prepare._num_chunks(2650, 2, "mtcnn") == 64
    assert prepare._num_chunks(2650, 2, "none") == 2
    whole = run(csv[0], tmp_path / "whole")
    monkeypatch.setattr(prepare, "_num_chunks", lambda *_: 7)
    manifest = run(csv[0], tmp_path / "out")
    names = [shard["name"] for shard in manifest["shards"]]
    assert names == [shard["name"] for shard in whole["shards"]]
    assert len(names) == 9 and names[-1] == "fer2013-test.tfrecord-00002-of-00003"
    assert manifest["counts"] == whole["counts"]
    for shard in manifest["shards"]:
        records = tf.data.TFRecordDataset(str(tmp_path / "out" / shard["name"]))
        assert len(list(records)) == shard["num_examples"]
    ids = lambda folder, m: sorted(e["sample_id"].numpy() for e in read(folder, m))
    assert ids(tmp_path / "out", manifest) == ids(tmp_path / "whole", whole)
    assert run(csv[0], tmp_path / "out") == json.loads(json.dumps(manifest))
    assert not (tmp_path / "out" / ".work").exists()
