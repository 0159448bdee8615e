"""What a video leaves behind, whichever way its reading ends."""

import csv
import os
import signal

import cv2
import numpy as np
import pytest

from fer_tf.video import video_files
from fer_tf.video.video_writer import VideoWriter
from tests.testing_utils import resident_mib
from tests.trainers.prediction.stand_in import Reader, lines
from trainers.common import cli
from trainers.prediction import videos

pytest.importorskip("av", reason="needs PyAV: pip install 'fer-tf[video]'")


class Film(Reader):
    """Stands in for a predictor of videos: a face a frame, a new person every fifth.

    `damage` is called before the frame whose number is `at`.
    """

    def __init__(self, damage=None, *, at=6):
        super().__init__()
        self.damage, self.at = damage, at

    def predict_video(self, path, *, every, search_every, smoothing):
        for index in range(0, 10, every):
            if self.damage and index == self.at:
                self.damage()
            image = np.full((48, 64, 3), 60 + index, np.uint8)
            faces = [{**face, "track": 1 + index // 5} for face in self.predict(image)]
            yield video_files.Frame(index, index / 25, image), faces


def raising(error):
    def damage():
        raise error

    return damage


@pytest.fixture
def clip(tmp_path):
    path = str(tmp_path / "clip.mp4")
    with VideoWriter(path) as writer:
        for frame in range(10):
            writer.write(np.zeros((48, 64, 3), np.uint8), frame / 25)
    os.mkdir(tmp_path / "out")
    return path


def read(clip, film, *, pictures=True, every=1, **options):
    options |= dict(pictures=pictures, every=every, smoothing=0.0)
    return videos.run(film, clip, os.path.join(os.path.dirname(clip), "out"), **options)


def written(tmp_path):
    return sorted(os.listdir(tmp_path / "out"))


def test_a_video_is_a_line_a_frame_a_drawn_video_and_a_timeline(clip, tmp_path):
    summary = read(clip, Film(), every=2)
    assert summary == {"frames": 5, "tracks": 2, "people": 1, "error": None}
    records = lines(tmp_path / "out")
    assert [r["frame"] for r in records] == [0, 2, 4, 6, 8]
    assert [r["time"] for r in records] == pytest.approx([0, 0.08, 0.16, 0.24, 0.32])
    assert [r["faces"][0]["track"] for r in records] == [1, 1, 1, 2, 2]
    rows = list(csv.DictReader((tmp_path / "out" / "predictions.csv").open()))
    assert [row["track"] for row in rows] == ["1", "1", "1", "2", "2"]
    # Grey before grey: both tracks look alike, and they follow each other.
    assert [row["person"] for row in rows] == ["1"] * 5
    drawn = list(video_files.read_frames(tmp_path / "out" / "clip_annotated.mp4"))
    assert [f.time for f in drawn] == pytest.approx(
        [0, 0.08, 0.16, 0.24, 0.32], abs=1e-3
    )
    assert cv2.imread(str(tmp_path / "out" / "clip_timeline.png")) is not None
    assert written(tmp_path) == [
        "clip_annotated.mp4", "clip_timeline.png", "predictions.csv",
        "predictions.jsonl",
    ]  # fmt: skip


def test_a_clip_of_a_folder_has_a_name_and_a_condition(clip, tmp_path):
    read(clip, Film(), pictures=False, source="before/clip.mp4", condition="before")
    rows = list(csv.DictReader((tmp_path / "out" / "predictions.csv").open()))
    named = {(row["source"], row["condition"]) for row in rows}
    assert named == {("before/clip.mp4", "before")}
    read(clip, Film(), pictures=False)
    (row, *_) = csv.DictReader((tmp_path / "out" / "predictions.csv").open())
    assert row["source"] == clip and "condition" not in row


def test_a_video_damaged_in_the_middle_is_read_as_far_as_it_goes(clip, tmp_path):
    damage = raising(video_files.VideoError("damaged after frame 5", clip))
    summary = read(clip, Film(damage))
    # The record holds the reason without the name, which it has already.
    assert summary["frames"] == 6 and summary["error"] == "damaged after frame 5"
    last = lines(tmp_path / "out")[-1]
    assert last["error"] == "damaged after frame 5" and last["faces"] == []
    # The record stands where the next frame would be, whatever `every` is.
    read(clip, Film(damage), pictures=False, every=3)
    assert [r["frame"] for r in lines(tmp_path / "out")] == [0, 3, 4]


def test_a_video_is_read_as_far_as_the_model_gives_numbers(clip, tmp_path):
    damage = raising(FloatingPointError("the model's probabilities is NaN"))
    summary = read(clip, Film(damage, at=2), pictures=False)
    reason = "the model's probabilities is NaN"
    assert (summary["frames"], summary["error"]) == (2, reason)
    assert len(lines(tmp_path / "out")) == 3


def test_a_video_without_a_good_frame_leaves_nothing(clip, tmp_path):
    damage = raising(video_files.VideoError("damaged after frame 0"))
    with pytest.raises(ValueError, match="clip.mp4: damaged"):
        read(clip, Film(damage, at=0))
    page = tmp_path / "page.mp4"
    page.write_text("<html>")
    with pytest.raises(ValueError, match="page.mp4: not a video"):
        read(str(page), Film())
    assert written(tmp_path) == []


def test_a_run_that_is_terminated_leaves_nothing_half_written(clip, tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    terminate = lambda: os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(SystemExit) as caught, cli.ended_by_signals():
        read(clip, Film(terminate))
    assert caught.value.code == 143 and written(tmp_path) == []
    assert signal.getsignal(signal.SIGTERM) is before


def test_as_many_people_as_are_told(clip, tmp_path):
    summary = read(clip, Film(), pictures=False, count=2)
    assert (summary["tracks"], summary["people"]) == (2, 2)
    assert [r["faces"][0]["person"] for r in lines(tmp_path / "out")] == [
        *[1] * 5,
        *[2] * 5,
    ]


class Flicker(Film):
    """A film with a false face for two frames, unlike the one that is always there."""

    def predict_video(self, path, *, every, search_every, smoothing):
        for frame, faces in super().predict_video(
            path, every=every, search_every=search_every, smoothing=0
        ):
            if frame.index in (3, 4):
                frame.image[:20, 40:] = 250, 20, 20
                points = [[x + 40, y] for x, y in faces[0]["landmarks"]]
                false = {"box": [42, 2, 10, 12], "confidence": 0.93, "track": 9}
                faces.append({**faces[0], **false, "landmarks": points})
            yield frame, faces


def test_a_false_face_of_two_frames_has_a_track_and_is_nobody(clip, tmp_path):
    summary = read(clip, Flicker())
    assert (summary["tracks"], summary["people"]) == (3, 1)
    rows = list(csv.DictReader((tmp_path / "out" / "predictions.csv").open()))
    assert [r["frame"] for r in rows if r["track"] == "9"] == ["3", "4"]
    assert {r["person"] for r in rows if r["track"] == "9"} == {""}
    assert {r["person"] for r in rows if r["track"] != "9"} == {"1"}


@pytest.mark.long
@pytest.mark.skipif(
    not os.path.isdir("/proc/self"), reason="memory is read from /proc, as Linux has it"
)
def test_ten_minutes_take_no_more_memory_than_two(tmp_path):
    """All but the network: tracks, people, records, the drawn video, the timeline."""
    rate, frames, memory = 25, 15_000, {}
    path = str(tmp_path / "ten_minutes.mp4")
    with VideoWriter(path) as writer:
        for frame in range(frames):
            writer.write(np.full((90, 160, 3), frame % 200, np.uint8), frame / rate)
    os.mkdir(tmp_path / "out")

    class Long(Film):
        """Two faces; every ten seconds a cut begins new tracks."""

        def predict_video(self, path, *, every, search_every, smoothing):
            for frame in video_files.read_frames(path):
                if frame.index % (2 * 60 * rate) == 0:
                    memory[frame.index] = resident_mib()
                track = 1 + 2 * (frame.index // (10 * rate))
                (face,) = self.predict(np.full((9, 9, 3), 99, np.uint8))
                points = [[x + 80, y] for x, y in face["landmarks"]]
                other = {"box": [81, 2, 10, 12], "landmarks": points}
                yield (
                    frame,
                    [
                        {**face, "track": track},
                        {**face, **other, "track": track + 1},
                    ],
                )

    summary = read(path, Long())
    memory["drawn"] = resident_mib()
    print("MiB:", {name: round(mib) for name, mib in memory.items()})
    assert (summary["frames"], summary["tracks"]) == (frames, 120)
    assert memory[frames - 2 * 60 * rate] - memory[2 * 60 * rate] < 16
    assert memory["drawn"] - memory[2 * 60 * rate] < 64
