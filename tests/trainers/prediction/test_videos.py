"""What a video leaves behind, whichever way its reading ends."""

import os
import signal

import numpy as np
import pytest

from fer_tf.video import video_files
from trainers.common import cli
from trainers.prediction import videos

av = pytest.importorskip("av", reason="needs PyAV: pip install 'fer-tf[video]'")


class Film:
    """Stands in for a predictor; `then` is called before its third frame."""

    card = None

    def __init__(self, then=None):
        self.then = then

    def predict_video(self, path, *, every, smoothing):
        for index in range(5):
            if index == 2 and self.then:
                self.then()
            yield (
                video_files.Frame(index, index / 25, np.zeros((48, 64, 3), np.uint8)),
                [],
            )


@pytest.fixture
def clip(tmp_path, monkeypatch):
    monkeypatch.setattr(videos.prediction_table, "write", lambda *_: None)
    path = str(tmp_path / "clip.mp4")
    with video_files.VideoWriter(path) as writer:
        for frame in range(5):
            writer.write(np.zeros((48, 64, 3), np.uint8), frame / 25)
    os.mkdir(tmp_path / "out")
    return path


def read(clip, film, pictures=True):
    output = os.path.join(os.path.dirname(clip), "out")
    options = dict(pictures=pictures, every=1, smoothing=0.0)
    return videos.run(film, clip, output, **options)


def written(clip):
    return sorted(os.listdir(os.path.join(os.path.dirname(clip), "out")))


def test_what_a_killed_run_left_is_removed(clip):
    out = os.path.join(os.path.dirname(clip), "out")
    for name in (".part-host-1-clip_annotated.mp4", ".part-host-1-predictions.jsonl"):
        open(os.path.join(out, name), "w").close()
    open(os.path.join(out, "mine.txt"), "w").close()
    read(clip, Film())
    names = ["clip_annotated.mp4", "clip_timeline.png", "mine.txt", "predictions.jsonl"]
    assert written(clip) == names


def test_a_run_that_is_terminated_leaves_nothing_half_written(clip):
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as caught, cli.ended_by_signals():
        read(clip, Film(lambda: os.kill(os.getpid(), signal.SIGTERM)))
    assert caught.value.code == 143 and written(clip) == []
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_reason_stands_in_the_record_and_the_name_in_the_refusal(clip, tmp_path):
    def damaged():
        raise video_files.VideoError("damaged after frame 1", clip)

    assert read(clip, Film(damaged))["error"] == "damaged after frame 1"
    page = tmp_path / "page.mp4"
    page.write_text("<html>")
    with pytest.raises(ValueError, match="page.mp4: not a video"):
        read(str(page), Film())


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
