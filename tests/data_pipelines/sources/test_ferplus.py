import cv2
import numpy as np
import pytest

from data_pipelines import layouts
from data_pipelines.batches import pipeline
from data_pipelines.checks import verification
from data_pipelines.preparation import prepare
from data_pipelines.sources import DataError, OptionError, Reject, Sample, open_source
from data_pipelines.sources.ferplus_rules import VOTES, target_votes
from data_pipelines.sources.filters import KeepingLabels
from data_pipelines.storage.prepared import examples, open_prepared
from tests import testing_utils

HEADER = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,"
    "contempt,unknown,NF"
)
# The first rows of the owner's file, one without a face, and one of each split.
LINES = (
    "Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0",
    "Training,fer0000001.png,6,0,1,1,0,0,0,0,2,0",
    "Training,,0,0,0,0,0,0,0,0,0,10",
    "PublicTest,fer0028638.png,1,0,0,0,9,0,0,0,0,0",
    "PrivateTest,fer0032220.png,0,0,0,0,2,1,0,7,0,0",
)


def write(root, lines=LINES, header=HEADER):
    root.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (len(lines), 48, 48), dtype=np.uint8)
    usages = [line.split(",")[0] for line in lines]
    rows = zip([3] * len(lines), images, usages)
    testing_utils.write_fer2013_csv(root / "fer2013.csv", rows)
    (root / "fer2013new.csv").write_text("\n".join([header, *lines]) + "\n")
    return images


def split(source):
    rows = list(source.rows())
    kept = [row for row in rows if isinstance(row, Sample)]
    return kept, [row for row in rows if isinstance(row, Reject)]


def test_row_i_labels_picture_i_whatever_it_is_called(tmp_path):
    images = write(tmp_path)
    source = open_source("ferplus", str(tmp_path))
    kept, rejects = split(source)
    found = {s.sample_id: (s.split, s.expression, source.load(s)[1]) for s in kept}
    # 4 of 9 votes that count (the single one is dropped) are no majority.
    assert set(found) == {"fer0000001", "fer0028638", "fer0032220"}
    assert found["fer0028638"][:2] == ("validation", "anger")
    assert found["fer0032220"][:2] == ("test", "contempt")
    np.testing.assert_array_equal(found["fer0000001"][2], images[1])
    np.testing.assert_array_equal(found["fer0032220"][2], images[4])
    assert kept[0].votes == dict(zip(VOTES[:8], [1.0, 0, 0, 0, 0, 0, 0, 0]))
    assert [(r.path, r.expected) for r in rejects] == [
        ("fer2013new.csv, line 2", True),
        ("fer2013new.csv, line 4", True),
    ]
    assert "unknown" in rejects[0].reason and "not a face" in rejects[1].reason


@pytest.mark.parametrize(
    "votes, majority, probability, multi_target",
    [
        # By hand: single votes go, then more than half; largest until 75 %; >= 30 %.
        ([4, 0, 0, 1, 3, 2, 0, 0, 0, 0], "unknown", {0: 4, 4: 3}, {0: 4, 4: 3}),
        ([6, 0, 1, 1, 0, 0, 0, 0, 2, 0], {0: 6}, {0: 6}, {0: 6}),
        ([5, 5, 0, 0, 0, 0, 0, 0, 0, 0], "unknown", {0: 5, 1: 5}, {0: 5, 1: 5}),
        ([0, 0, 0, 0, 0, 0, 0, 0, 2, 8], {9: 8}, {9: 8}, {9: 8}),
        # Unknown behind an emotion ends the list and is not on it.
        ([4, 0, 0, 0, 0, 0, 0, 0, 4, 2], "unknown", "unknown", {0: 4, 8: 4}),
        ([0, 2, 2, 2, 2, 2, 0, 0, 0, 0], "unknown", "unknown", "unknown"),
        ([1] * 10, "unknown", "unknown", "unknown"),
        ([0, 3, 3, 0, 0, 2, 0, 2, 0, 0], "unknown", "unknown", {1: 3, 2: 3}),
    ],
)
def test_targets_by_hand(votes, majority, probability, multi_target):
    wanted = {
        "majority": majority,
        "probability": probability,
        "crossentropy": probability,
        "multi_target": multi_target,
    }
    for rule, chosen in wanted.items():
        expected = np.zeros(10)
        chosen = {8: 1} if chosen == "unknown" else chosen
        expected[list(chosen)] = np.array(list(chosen.values())) / sum(chosen.values())
        np.testing.assert_allclose(target_votes(votes, rule), expected, err_msg=rule)


def test_another_rule_keeps_other_rows_and_changes_the_fingerprint(tmp_path):
    write(tmp_path)
    majority = open_source("ferplus", str(tmp_path))
    probability = open_source("ferplus", str(tmp_path), rule="probability")
    assert len(split(majority)[0]) == 3 and len(split(probability)[0]) == 4
    assert majority.fingerprint != probability.fingerprint
    # 4, 3 and 2 votes count; the largest two cover three quarters.
    shares = split(probability)[0][0].votes
    assert shares == pytest.approx(
        dict(zip(VOTES[:8], [4 / 7, 0, 0, 0, 3 / 7, 0, 0, 0]))
    )
    with pytest.raises(OptionError, match="rule must be one of majority"):
        open_source("ferplus", str(tmp_path), rule="best")
    with pytest.raises(OptionError, match="no option 'fold'"):
        open_source("ferplus", str(tmp_path), fold=1)


def test_what_is_measured_may_have_a_rule_of_its_own(tmp_path):
    """As the owner's code has it: any rule trains, `majority` measures."""
    # Four, three and two votes: 4/7 and 3/7 by `probability`, no majority.
    lines = [f"{usage},fer{n}.png,4,0,0,1,3,2,0,0,0,0" for n, usage in
             enumerate(("Training", "PublicTest", "PrivateTest"))]  # fmt: skip
    write(tmp_path, lines)
    open_ = lambda **options: open_source("ferplus", str(tmp_path), **options)
    both = open_(rule="probability", scored="majority")
    kept, rejects = split(both)
    assert [row.split for row in kept] == ["train"]
    assert {row.reason for row in rejects} == {"unknown, by the rule majority"}
    assert max(kept[0].votes.values()) == pytest.approx(4 / 7)
    totals = {name: sum(row.values()) for name, row in both.published.items()}
    assert totals == {"train": 27_956, "validation": 3_199, "test": 3_153}
    plain = open_(rule="probability")
    assert both.fingerprint != plain.fingerprint
    assert open_(scored="majority").fingerprint == open_().fingerprint


def test_derived_valence_and_arousal_are_of_the_votes_under_every_rule(tmp_path):
    lines = (*LINES, "Training,only.png,0,0,0,0,0,0,0,9,1,0")
    write(tmp_path, lines)
    plain = open_source("ferplus", str(tmp_path))
    assert split(plain)[0][0].valence is None and plain.derived == ()
    for rule in ("majority", "probability"):
        source = open_source(
            "ferplus", str(tmp_path), rule=rule, valence_arousal="derived"
        )
        assert source.derived == ("valence_arousal",)
        assert source.fingerprint != plain.fingerprint
        found = {s.sample_id: (s.valence, s.arousal) for s in split(source)[0]}
        # 6 neutral, 1 surprise, 1 sadness; the 2 unknown are left out.
        assert found["fer0000001"] == pytest.approx(
            ((0.40 - 0.63) / 8, (0.67 - 0.27) / 8)
        )
        # 2 anger, 1 disgust; contempt is left out, the label all the same.
        assert found["fer0032220"] == pytest.approx(
            ((2 * -0.51 - 0.60) / 3, (2 * 0.59 + 0.35) / 3)
        )
        assert found["only"] == (None, None)


def test_what_is_prepared_of_them_is_called_derived(tmp_path):
    write(tmp_path / "source")
    source = open_source("ferplus", str(tmp_path / "source"), valence_arousal="derived")
    part = KeepingLabels(source, ["expression", "valence_arousal"])
    manifest = prepare.prepare(
        part, str(tmp_path / "out"), crop_spec=source.crop_spec()
    )
    assert manifest["derived"] == ["valence_arousal"] and not manifest["votes"]
    assert "valence_arousal=derived" in manifest["source"]["layout"]
    assert open_prepared(str(tmp_path / "out")).derived == ("valence_arousal",)
    (label,) = (
        example
        for shard in open_prepared(str(tmp_path / "out")).shards("test")
        for example in examples(shard)
    )
    np.testing.assert_allclose(label["valence_arousal"], [-0.54, 0.51], atol=1e-6)
    assert label["valence_arousal_weight"] == 1 and label["expression"] == 7
    assert KeepingLabels(source, ["expression"]).derived == ()


def test_the_folders_of_the_owners_script(tmp_path):
    for number, (name, line) in enumerate(
        [("Train", LINES[1]), ("Valid", LINES[3]), ("Test", LINES[4])]
    ):
        folder = tmp_path / "data" / f"FER2013{name}"
        folder.mkdir(parents=True)
        _, image, votes = line.split(",", 2)
        (folder / "label.csv").write_text(f'{image},"(0, 0, 48, 48)",{votes}\n')
        cv2.imwrite(str(folder / image), np.full((48, 48), 40 * number, np.uint8))
    source = open_source("ferplus", str(tmp_path))
    kept, rejects = split(source)
    assert [(s.split, s.expression) for s in kept] == [
        ("train", "neutral"), ("validation", "anger"), ("test", "contempt")
    ]  # fmt: skip
    assert rejects == []
    assert [source.load(s)[1].mean() for s in kept] == [0, 40, 80]


@pytest.mark.parametrize(
    "line, reason",
    [
        ("Training,a.png,11,0,0,0,0,0,0,0,0,0", "must be 0..10, are 11"),
        ("Training,a.png,-1,0,0,0,0,0,0,0,0,9", "must be 0..10, are -1"),
        ("Training,a.png,nan,0,0,0,0,0,0,0,0,9", "'nan'"),
        ("Training,a.png,1.5,0,0,0,0,0,0,0,0,9", "whole number"),
        ("Training,a.png,0,0,0,0,0,0,0,0,0,0", "nobody voted"),
        ("Training,a.png,9", "3 fields"),
        ("Training,fer0000001.png,9,0,0,0,0,0,0,0,0,0", "second row"),
    ],
)
def test_a_bad_row_is_rejected_by_its_line(tmp_path, line, reason):
    write(tmp_path, [LINES[1], line])
    kept, (reject,) = split(open_source("ferplus", str(tmp_path)))
    assert len(kept) == 1 and reason in reject.reason and not reject.expected


def test_files_that_do_not_belong_together_are_refused(tmp_path):
    write(tmp_path)
    text = (tmp_path / "fer2013new.csv").read_text()
    (tmp_path / "fer2013new.csv").write_text(text.replace("PublicTest", "Training"))
    with pytest.raises(DataError, match="line 5: Usage is 'Training'"):
        list(open_source("ferplus", str(tmp_path)).rows())
    (tmp_path / "fer2013new.csv").write_text(text[: text.index("PublicTest")])
    with pytest.raises(DataError, match="more than the 3 rows"):
        list(open_source("ferplus", str(tmp_path)).rows())
    (tmp_path / "fer2013new.csv").write_text(text.replace("contempt", "boredom"))
    with pytest.raises(DataError, match="header"):
        list(open_source("ferplus", str(tmp_path)).rows())
    (tmp_path / "fer2013.csv").unlink()
    with pytest.raises(DataError, match="no fer2013.csv"):
        open_source("ferplus", str(tmp_path))


@pytest.mark.parametrize("format", ["tfrecord", "npz"])
def test_faces_without_votes_train_beside_those_with(format, tmp_path):
    folders = []
    for dataset in ("fer2013", "ferplus"):
        layouts.write(dataset, str(tmp_path / dataset), examples=40)
        source = open_source(dataset, str(tmp_path / dataset))
        folders.append(str(tmp_path / f"{dataset}_out"))
        prepare.prepare(
            source, folders[-1], crop_spec=source.crop_spec(), format=format
        )
    both = open_prepared(",".join(folders))
    assert both.has_votes and not open_prepared(folders[0]).has_votes
    batch = next(iter(pipeline.eval_batches(
        both, "train", size=48, channels=1, batch_size=both.count("train")
    )))  # fmt: skip
    without, votes = both.counts("train")[0], batch["votes"].numpy()
    assert not votes[:without].any()
    np.testing.assert_allclose(votes[without:].sum(-1), 1, atol=1e-6)
    named = batch["expression"].numpy()[without:]
    np.testing.assert_array_equal(votes[without:].argmax(-1), named)


# The order of the records, which is not that of the owner's columns.
NAMES = ("neutral happiness sadness surprise fear disgust anger contempt").split()


@pytest.mark.parametrize("format", ["tfrecord", "npz"])
def test_votes_travel_from_the_owners_csv_into_batches(format, tmp_path):
    layouts.write("ferplus", str(tmp_path / "in"), examples=60)
    source = open_source("ferplus", str(tmp_path / "in"), rule="crossentropy")
    wanted = {
        row.sample_id: [row.votes[name] for name in NAMES]
        for row in source.rows()
        if isinstance(row, Sample)
    }
    output = str(tmp_path / "out")
    spec = source.crop_spec()
    manifest = prepare.prepare(source, output, crop_spec=spec, format=format)
    assert manifest["votes"] and verification.verify_prepared(output)["num_pictures"]
    found = {}
    for split in ("train", "validation", "test"):
        batches = pipeline.eval_batches(
            open_prepared(output), split, size=48, channels=1, batch_size=8
        )
        for batch in batches:
            for name, votes, mask in zip(
                batch["sample_id"].numpy(), batch["votes"].numpy(), batch["mask"]
            ):
                if mask:
                    found[name.decode()] = votes
    assert set(found) == set(wanted)
    for name, votes in found.items():
        np.testing.assert_allclose(votes, wanted[name], atol=1e-6)
        assert votes.sum() == pytest.approx(1)
    assert any(0 < share < 1 for votes in found.values() for share in votes)
