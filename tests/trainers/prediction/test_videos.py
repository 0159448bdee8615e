"""What a video leaves behind, whichever way its reading ends."""

import csv
import dataclasses
import os
import signal

import cv2
import numpy as np
import pytest

from fer_tf.video import video_files
from fer_tf.video.video_writer import VideoWriter
from tests.trainers.prediction.stand_in import Reader, lines
from trainers.common import cli
from trainers.prediction import videos

av = pytest.importorskip("av", reason="needs PyAV: pip install 'fer-tf[video]'")


class Film(Reader):
    """Stands in for a predictor of videos: a face a frame, a new person every fifth.

    `damage` is called before the frame whose number is `at`.
    """

    def __init__(self, damage=None, *, at=6):
        super().__init__()
        self.damage, self.at = damage, at

    def predict_video(self, path, *, every, smoothing):
        for index in range(0, 10, every):
            if self.damage and index == self.at:
                self.damage()
            image = np.full((48, 64, 3), 60 + index, np.uint8)
            faces = [
                {**face, "track_id": 1 + index // 5} for face in self.predict(image)
            ]
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


def read(clip, film, *, pictures=True, every=1):
    options = dict(pictures=pictures, every=every, smoothing=0.0)
    return videos.run(film, clip, os.path.join(os.path.dirname(clip), "out"), **options)


def written(tmp_path):
    return sorted(os.listdir(tmp_path / "out"))


def test_a_video_is_a_line_a_frame_a_drawn_video_and_a_timeline(clip, tmp_path):
    summary = read(clip, Film(), every=2)
    assert summary == {"frames": 5, "people": 2, "error": None}
    records = lines(tmp_path / "out")
    assert [r["frame"] for r in records] == [0, 2, 4, 6, 8]
    assert [r["time"] for r in records] == pytest.approx([0, 0.08, 0.16, 0.24, 0.32])
    assert [r["faces"][0]["track_id"] for r in records] == [1, 1, 1, 2, 2]
    rows = list(csv.DictReader((tmp_path / "out" / "predictions.csv").open()))
    assert [row["track"] for row in rows] == ["1", "1", "1", "2", "2"]
    drawn = list(video_files.read_frames(tmp_path / "out" / "clip_annotated.mp4"))
    assert [f.time for f in drawn] == pytest.approx(
        [0, 0.08, 0.16, 0.24, 0.32], abs=1e-3
    )
    assert cv2.imread(str(tmp_path / "out" / "clip_timeline.png")) is not None
    assert written(tmp_path) == [
        "clip_annotated.mp4", "clip_timeline.png", "predictions.csv",
        "predictions.jsonl",
    ]  # fmt: skip


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


class Growing(Film):
    """Its frames change their size in the middle, which the drawn video cannot."""

    def predict_video(self, path, **options):
        for frame, faces in super().predict_video(path, **options):
            if frame.index >= 4:
                frame = dataclasses.replace(frame, image=frame.image.repeat(2, axis=0))
            yield frame, faces


def test_a_video_whose_frames_grow_is_read_as_far_as_it_is_drawn(clip, tmp_path):
    summary = read(clip, Growing())
    assert summary["frames"] == 4
    assert "size of the frames changes" in summary["error"]
    assert [r["frame"] for r in lines(tmp_path / "out")] == [0, 1, 2, 3, 4]


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


def test_that_sound_is_left_out_is_said(clip, tmp_path, capsys):
    read(clip, Film())
    assert "sound" not in capsys.readouterr().out
    path = str(tmp_path / "loud.mkv")
    with av.open(path, "w") as container:
        pictures = container.add_stream("mpeg4", 25)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("pcm_s16le", 8000)
        image = np.zeros((48, 64, 3), np.uint8)
        container.mux(pictures.encode(av.VideoFrame.from_ndarray(image)))
        container.mux(pictures.encode())
        silence = np.zeros((1, 800), np.int16)
        frame = av.AudioFrame.from_ndarray(silence, format="s16", layout="mono")
        frame.rate = 8000
        container.mux(sound.encode(frame))
    read(path, Film())
    assert "loud.mkv: its sound is not in the drawn video" in capsys.readouterr().out
    read(path, Film(), pictures=False)
    assert "sound" not in capsys.readouterr().out
