"""What is heard in a drawn video: the sound of the one it was drawn from, in time."""

import fractions

import numpy as np
import pytest

from fer_tf.video import video_files
from fer_tf.video.video_writer import VideoWriter

av = pytest.importorskip("av", reason="needs PyAV: pip install 'fer-tf[video]'")

RATE = 48_000


def tone_after_a_second(path, codec, *, pictures="libx264", late=0):
    """A clip of two seconds, silent for one, then with 440 Hz.

    Args:
        late: Frames, of 25 a second, by which the pictures begin late.
    """
    time = np.arange(2 * RATE) / RATE
    wave = 12_000 * np.sin(2 * np.pi * 440 * time) * (time >= 1)
    with av.open(path, "w") as container:
        video = container.add_stream(pictures, 25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream(codec, rate=RATE, layout="mono")
        for number in range(late, 50):
            image = np.full((48, 64, 3), number, np.uint8)
            frame = av.VideoFrame.from_ndarray(image)
            frame.pts, frame.time_base = number, fractions.Fraction(1, 25)
            container.mux(video.encode(frame))
        resampler = av.AudioResampler(audio.format, audio.layout, RATE)
        for start in range(0, len(wave), 960):
            part = wave[None, start : start + 960].astype(np.int16)
            frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
            frame.rate, frame.pts = RATE, start
            for ready in resampler.resample(frame):
                container.mux(audio.encode(ready))
        container.mux([*video.encode(), *audio.encode(None)])


def heard(path):
    """When the tone begins, its pitch in Hz, and when the sound ends, in seconds."""
    with av.open(path) as container:
        (stream,) = container.streams.audio
        parts, start = [], None
        for frame in container.decode(stream):
            start = frame.time if start is None else start
            samples = frame.to_ndarray().astype(float)
            parts.append(samples[0] if frame.format.is_planar else samples.ravel())
        wave = np.concatenate(parts) / np.abs(np.concatenate(parts)).max()
        begin = int(np.argmax(np.abs(wave) > 0.3))
        piece = wave[begin + 2_000 : begin + 2_000 + RATE // 4]
        pitch = 4 * int(np.argmax(np.abs(np.fft.rfft(piece))))
    return start + begin / RATE, pitch, start + len(wave) / RATE


def redrawn(path, output, *, every=1, frames=None):
    with VideoWriter(output, sound=path) as writer:
        for frame in video_files.read_frames(path, every=every):
            writer.write(frame.image, frame.time)
            if frame.index == frames:
                break
    return output


@pytest.mark.parametrize(
    "name, codec, kept",
    [("a.mp4", "aac", "aac"), ("a.webm", "libopus", "opus"), ("a.mkv", "flac", "aac")],
)
def test_sound_is_kept_in_time_copied_or_encoded_anew(tmp_path, name, codec, kept):
    path = str(tmp_path / name)
    pictures = "libvpx" if name.endswith("webm") else "libx264"
    tone_after_a_second(path, codec, pictures=pictures)
    output = redrawn(path, str(tmp_path / "out.mp4"))
    with av.open(output) as container:
        assert container.streams.audio[0].codec_context.name == kept
    (before, _, _), (begin, pitch, end) = heard(path), heard(output)
    assert begin == pytest.approx(before, abs=0.005) and pitch == 440
    assert end == pytest.approx(1.96, abs=0.05)
    assert len(list(video_files.read_frames(output))) == 50


@pytest.mark.parametrize("codec", ["pcm_s16le", "libopus"])
def test_sound_that_begins_before_the_pictures_stays_with_them(tmp_path, codec):
    """Frames count their time from the first: the tone then comes 0.4 s earlier."""
    path = str(tmp_path / "late.mkv")
    tone_after_a_second(path, codec, late=10)
    begin, pitch, _ = heard(redrawn(path, str(tmp_path / "out.mp4")))
    assert begin == pytest.approx(0.6, abs=0.03) and pitch == 440


def test_sound_ends_with_the_last_frame_that_is_drawn(tmp_path):
    path = str(tmp_path / "clip.mp4")
    tone_after_a_second(path, "aac")
    output = redrawn(path, str(tmp_path / "out.mp4"), every=5, frames=30)
    assert heard(output)[2] == pytest.approx(1.2, abs=0.05)


def test_a_silent_clip_stays_silent_and_no_video_is_refused(tmp_path):
    path = str(tmp_path / "silent.mp4")
    with VideoWriter(path) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)
    output = redrawn(path, str(tmp_path / "out.mp4"))
    with av.open(output) as container:
        assert not container.streams.audio
    with pytest.raises(video_files.VideoError, match="no such file"):
        VideoWriter(str(tmp_path / "none.mp4"), sound=str(tmp_path / "gone.mp4"))
