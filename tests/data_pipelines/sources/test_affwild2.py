import cv2
import numpy as np
import pytest

from data_pipelines.sources import DataError, OptionError, Reject, Sample, open_source

HEADERS = {
    "VA_Set": "valence,arousal",
    "EXPR_Set": "Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise",
    "AU_Set": "AU1,AU2,AU4,AU6,AU12,AU15,AU20,AU25",
}


def label(root, task, part, video, lines, header=None):
    folder = root / "annotations" / task / part
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join([header or HEADERS[task], *map(str, lines)]) + "\n"
    (folder / f"{video}.txt").write_text(text)


def frames(root, video, numbers):
    folder = root / "cropped_aligned" / video
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        cv2.imwrite(
            str(folder / f"{number:05d}.jpg"), np.full((112, 112, 3), number, np.uint8)
        )


def split(source):
    rows = list(source.rows())
    return [r for r in rows if isinstance(r, Sample)], [
        r for r in rows if isinstance(r, Reject)
    ]


def test_tasks_are_merged_by_frame_with_their_own_validity(tmp_path):
    label(tmp_path, "VA_Set", "Training_Set", "v",
          ["0.602,0.389", "-5,-5", "0.1,-5", "-0.024,0.279", "-5,-5"])  # fmt: skip
    label(tmp_path, "EXPR_Set", "Training_Set", "v", [4, -1, 6, 0, -1])
    label(tmp_path, "AU_Set", "Training_Set", "v",
          ["0,0,0,0,1,0,0,1", "1,0,0,0,0,0,0,0", ",".join(["-1"] * 8)])  # fmt: skip
    frames(tmp_path, "v", [1, 2, 3, 5, 9])
    source = open_source("affwild2", str(tmp_path))
    kept, rejects = split(source)
    assert [s.frame for s in kept] == [1, 2, 3]
    one, two, three = kept
    assert (one.valence, one.arousal, one.expression) == (0.602, 0.389, "happiness")
    assert [n for n, v in one.action_units.items() if v] == ["AU12", "AU25"]
    assert (two.valence, two.expression) == (None, None)
    assert two.action_units["AU1"] == 1
    assert (three.valence, three.arousal, three.action_units) == (None, None, None)
    assert three.expression == "surprise"
    # Row k is picture k, counted from 1.
    assert abs(source.load(three)[1].astype(int) - 3).max() <= 1
    assert [(r.path, r.expected) for r in rejects] == [
        ("cropped_aligned/v/00004.jpg", True),
        ("cropped_aligned/v/00005.jpg", True),
        ("annotations/AU_Set/Training_Set/v.txt", True),
        ("cropped_aligned/v", True),
    ]
    assert "no picture" in rejects[0].reason and "no valid" in rejects[1].reason
    assert rejects[2].reason == "ends after 3 frames, where another task has 5"
    assert "1 pictures beyond" in rejects[3].reason
    assert {r.kind for r in rejects[2:]} == {"frames"}


def test_a_bad_label_costs_the_frame_its_own_task_only(tmp_path):
    label(tmp_path, "VA_Set", "Training_Set", "v", ["0.5,0.5", "1.3,0.2", "1.3,0.2"])
    label(tmp_path, "EXPR_Set", "Training_Set", "v", [4, 1, -1])
    frames(tmp_path, "v", [1, 2, 3])
    samples, rejects = split(open_source("affwild2", str(tmp_path)))
    found = [(s.frame, s.expression, s.valence) for s in samples]
    assert found == [(1, "happiness", 0.5), (2, "anger", None)]
    assert [r.kind for r in rejects] == ["out_of_range"] * 2
    assert all("VA_Set" in r.path for r in rejects)


def test_a_tenth_of_the_training_videos_validates_and_pairs_stay_together(tmp_path):
    names = [f"video{k}" for k in range(38)] + ["pair_left", "pair_right", "other"]
    for name in names:
        label(tmp_path, "EXPR_Set", "Training_Set", name, [1])
        frames(tmp_path, name, [1])
    label(tmp_path, "EXPR_Set", "Validation_Set", "held", [1])
    frames(tmp_path, "held", [1])
    splits, again = (
        {s.video: s.split for s in split(open_source("affwild2", str(tmp_path)))[0]}
        for _ in range(2)
    )
    assert splits == again
    assert splits["held"] == "test" and splits["pair_left"] == splits["pair_right"]
    clips = {v.removesuffix("_left"): s for v, s in splits.items() if v != "pair_right"}
    assert sum(s == "validation" for s in clips.values()) == 4  # Of 40 recordings.


def test_a_video_of_both_sets_is_tested_with_the_validated_task_alone(tmp_path):
    label(tmp_path, "VA_Set", "Training_Set", "v", ["0.5,0.5"])
    label(tmp_path, "EXPR_Set", "Validation_Set", "v", [1])
    frames(tmp_path, "v", [1])
    (sample,), (reject,) = split(open_source("affwild2", str(tmp_path)))
    assert (sample.split, sample.expression, sample.valence) == ("test", "anger", None)
    assert reject.path.endswith("VA_Set/Training_Set/v.txt") and reject.expected


def test_the_other_person_of_a_validated_recording_is_not_trained_on(tmp_path):
    label(tmp_path, "VA_Set", "Training_Set", "v_left", ["0.5,0.5"])
    label(tmp_path, "VA_Set", "Training_Set", "v_right", ["0.5,0.5"])
    label(tmp_path, "EXPR_Set", "Validation_Set", "v_left", [1])
    for video in ("v_left", "v_right"):
        frames(tmp_path, video, [1])
    (sample,), rejects = split(open_source("affwild2", str(tmp_path)))
    assert (sample.split, sample.video) == ("test", "v_left")
    assert [r.path.rpartition("/")[2] for r in rejects] == ["v_left.txt", "v_right.txt"]
    assert all(r.expected and "validated on" in r.reason for r in rejects)


def test_later_editions_bring_more_units_and_other(tmp_path):
    units = [1, 2, 4, 6, 7, 10, 12, 15, 23, 24, 25, 26]
    header = ",".join(f"AU{n}" for n in units)
    label(tmp_path, "AU_Detection_Challenge", "Train_Set", "v",
          ["1,0,0,0,0,1,0,0,0,0,0,1"] * 2, header)  # fmt: skip
    label(tmp_path, "EXPR_Classification_Challenge", "Validation_Set", "w", [7, 5],
          HEADERS["EXPR_Set"] + ",Other")  # fmt: skip
    for video in "vw":
        frames(tmp_path, video, [1, 2])
    kept, rejects = split(open_source("affwild2", str(tmp_path)))
    assert [n for n, v in kept[0].action_units.items() if v] == ["AU1", "AU10", "AU26"]
    assert [(s.video, s.expression) for s in kept[2:]] == [("w", "sadness")]
    assert rejects[0].reason == "no valid label" and rejects[0].expected
    assert len(split(open_source("affwild2", str(tmp_path), edition="2022"))[0]) == 3
    with pytest.raises(DataError, match="none of VA_Set"):
        open_source("affwild2", str(tmp_path), edition="2020")
    with pytest.raises(OptionError):
        open_source("affwild2", str(tmp_path), edition="2019")


def test_the_eighth_class_and_the_newest_folders(tmp_path):
    label(tmp_path, "EXPR_Recognition_Challenge", "Train_Set", "v", [7, 5, -1],
          HEADERS["EXPR_Set"] + ",Other")  # fmt: skip
    label(tmp_path, "EXPR_Recognition_Challenge", "Train_Set", "new", [7],
          HEADERS["EXPR_Set"] + ",Other")  # fmt: skip
    frames(tmp_path, "v", [1, 2, 3])
    new = tmp_path / "cropped_aligned_new_50_vids" / "new"
    new.mkdir(parents=True)
    cv2.imwrite(str(new / "00001.jpg"), np.full((112, 112, 3), 9, np.uint8))
    source = open_source("affwild2", str(tmp_path), classes=8)
    kept, rejects = split(source)
    assert [(s.path.split("/")[-2:], s.expression) for s in kept] == [
        (["new", "00001.jpg"], "other"),
        (["v", "00001.jpg"], "other"),
        (["v", "00002.jpg"], "sadness"),
    ]
    assert source.load(kept[0])[1].mean() == pytest.approx(9, abs=1)
    assert source.expressions[-1] == "other" and len(source.expressions) == 8
    seven = open_source("affwild2", str(tmp_path))
    assert [s.expression for s in split(seven)[0]] == ["sadness"]
    assert "other" not in seven.expressions
    assert seven.fingerprint != source.fingerprint


def test_the_units_are_those_of_the_headers_and_the_same_in_all_files(tmp_path):
    twelve = "AU1,AU2,AU4,AU6,AU7,AU10,AU12,AU15,AU23,AU24,AU25,AU26"
    zeros = ",".join(["0"] * 12)
    for video in "vw":
        label(tmp_path, "AU_Detection_Challenge", "Train_Set", video, [zeros], twelve)
        frames(tmp_path, video, [1])
    source = open_source("affwild2", str(tmp_path))
    assert source.action_units == tuple(twelve.split(","))
    label(tmp_path, "AU_Detection_Challenge", "Train_Set", "w", ["0,0"], "AU1,AU2")
    with pytest.raises(DataError, match="w.txt: has other action units than .*v.txt"):
        open_source("affwild2", str(tmp_path))


@pytest.mark.parametrize(
    "task, line, reason",
    [
        ("VA_Set", "0.5", "1 values, not 2"),
        ("VA_Set", "1.5,0", "valence must lie in"),
        ("VA_Set", "nan,0", "valence must be a number"),
        ("EXPR_Set", "7", "0..6, is 7"),
        ("EXPR_Set", "1.5", "whole number"),
        ("EXPR_Set", "1,2", "2 values, not 1"),
        ("AU_Set", "2,0,0,0,0,0,0,0", "AU1 must be 0 or 1"),
        ("AU_Set", "0,0,0,0,0,0,0", "7 values, not 8"),
        ("AU_Set", "", "1 values, not 8"),
    ],
)
def test_a_bad_row_is_rejected_by_its_line_and_the_rows_stay_in_step(
    tmp_path, task, line, reason
):
    good = {"VA_Set": "0.5,0.5", "EXPR_Set": "3", "AU_Set": "0,0,0,0,0,0,0,0"}[task]
    label(tmp_path, task, "Training_Set", "v", [good, line, good, "", ""])
    frames(tmp_path, "v", [1, 2, 3])
    kept, (reject,) = split(open_source("affwild2", str(tmp_path)))
    assert [s.frame for s in kept] == [1, 3]
    assert reject.path == f"annotations/{task}/Training_Set/v.txt, line 3"
    assert reason in reject.reason and not reject.expected


def test_what_is_not_the_layout_is_refused(tmp_path):
    with pytest.raises(DataError, match="none of VA_Set.*AU_Detection_Challenge"):
        open_source("affwild2", str(tmp_path))
    label(tmp_path, "VA_Set", "Training_Set", "v", ["1,1"], header="1,1")
    with pytest.raises(DataError, match="no folder cropped_aligned"):
        open_source("affwild2", str(tmp_path))
    frames(tmp_path, "v", [1])
    with pytest.raises(DataError, match="v.txt: '1,1' is not its header"):
        list(open_source("affwild2", str(tmp_path)).rows())
    label(tmp_path, "VA_Set", "Training_Set", "v", ["1,1"])
    label(tmp_path, "VA_Set", "Training_Set", "gone", ["1,1"])
    _, (reject,) = split(open_source("affwild2", str(tmp_path)))
    assert "no pictures at all" in reject.reason and not reject.expected
