import fractions
import itertools
import struct

import numpy as np
import pytest

from fer_tf.video import video_files
from fer_tf.video.video_writer import VideoWriter

av = pytest.importorskip("av", reason="needs PyAV: pip install 'fer-tf[video]'")

TIMES = (0.0, 0.04, 0.2, 0.24, 1.0)


def picture(number):
    """Left half red, and how bright the right half is tells the number."""
    image = np.zeros((48, 64, 3), np.uint8)
    image[:, :32] = (220, 30, 20)
    image[:, 32:] = 40 * number
    return image


@pytest.fixture
def clip(tmp_path):
    path = str(tmp_path / "clip.mp4")
    with VideoWriter(path) as writer:
        for number, time in enumerate(TIMES):
            writer.write(picture(number), time)
    return path


def brightness(frame):
    return frame.image[:, 40:].mean()


def test_frames_keep_their_own_times_though_the_rate_varies(clip):
    frames = list(video_files.read_frames(clip))
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.time for frame in frames] == pytest.approx(TIMES, abs=1e-3)
    assert [round(brightness(f) / 40) for f in frames] == [0, 1, 2, 3, 4]
    assert video_files.count_frames(clip) == 5


class Container:
    """An open file whose decoder says something else."""

    def __init__(self, container, rule):
        self.container, self.streams, self.rule = container, container.streams, rule

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.container.close()

    def decode(self, stream):
        return self.rule(self.container.decode(stream))


def decode_by(rule, monkeypatch):
    """Lets `rule` decide what becomes of the frames that are decoded."""
    real = video_files.open_video
    monkeypatch.setattr(
        video_files, "open_video", lambda path: Container(real(path), rule)
    )


@pytest.mark.parametrize(
    "stated, times",
    [
        ((7, 8, 0, 1, 9), (0, 1, 2, 3, 11)),  # Two clips written behind one another.
        ((7, 8, 7.5, 8.5, 9), (0, 1, 1, 1.5, 2)),
        ((0, 2, 4, 0, 0), (0, 2, 4, 6, 6)),
    ],
)
def test_time_goes_on_where_a_files_clock_does_not(stated, times, clip, monkeypatch):
    def joined(frames):
        for frame, time in zip(frames, stated):
            frame.pts, frame.time_base = int(2 * time), fractions.Fraction(1, 2)
            yield frame

    decode_by(joined, monkeypatch)
    assert [frame.time for frame in video_files.read_frames(clip)] == list(times)
    assert [f.time for f in video_files.read_frames(clip, every=2)] == list(times[::2])


def test_a_colon_in_a_path_is_no_protocol(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with VideoWriter("at 10:30.mp4") as writer:
        writer.write(picture(1), 0.0)
    assert len(list(video_files.read_frames("at 10:30.mp4"))) == 1


def test_every_nth_frame(clip):
    frames = list(video_files.read_frames(clip, every=3))
    assert [frame.index for frame in frames] == [0, 3]
    assert [round(brightness(f) / 40) for f in frames] == [0, 3]
    with pytest.raises(ValueError, match="every=0"):
        next(video_files.read_frames(clip, every=0))


def test_pixels_that_are_not_square_are_made_so(tmp_path):
    """As HDV's 1440x1080, which is shown 1920 wide."""
    path = str(tmp_path / "hdv.mp4")
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", 25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = fractions.Fraction(4, 3)
        frame = av.VideoFrame.from_ndarray(picture(3), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    (frame,) = video_files.read_frames(path)
    assert frame.image.shape == (48, 85, 3)
    red = frame.image[:, :, 0] > frame.image[:, :, 2] + 60
    assert abs(red.mean() - 0.5) < 0.03


MATRICES = {
    (1, 0, 0, 1): lambda a: a,
    (-1, 0, 0, 1): np.fliplr,  # A mirror, not half a turn.
    (1, 0, 0, -1): np.flipud,
    (-1, 0, 0, -1): lambda a: np.rot90(a, 2),
    (0, 1, -1, 0): lambda a: np.rot90(a, -1),  # A phone held upright.
    (0, -1, 1, 0): lambda a: np.rot90(a, 1),
    (0, 1, 1, 0): lambda a: a.transpose(1, 0, 2),
    (0, -1, -1, 0): lambda a: np.rot90(a, 2).transpose(1, 0, 2),
}


@pytest.mark.parametrize("matrix", MATRICES)
def test_every_display_matrix_of_whole_quarters(matrix, tmp_path):
    quarters = np.zeros((48, 64, 3), np.uint8)
    quarters[:24, :32], quarters[:24, 32:], quarters[24:, :32] = 60, 120, 240
    path = str(tmp_path / "clip.mp4")
    with VideoWriter(path) as writer:
        writer.write(quarters, 0.0)
    data = bytearray(open(path, "rb").read())
    # Version 0 of `tkhd`: 40 bytes of times, ids and volume, then the matrix.
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)
    open(path, "wb").write(data)
    (frame,) = video_files.read_frames(path)
    expected = MATRICES[matrix](quarters)
    assert frame.image.shape == expected.shape
    assert abs(frame.image.astype(int) - expected).mean() < 5


def vp8(sizes, each=6):
    """Packets of frames `(height, width)`, of one brightness a size."""
    for number, (height, width) in enumerate(sizes):
        encoder = av.CodecContext.create("libvpx", "w")
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
        encoder.time_base = fractions.Fraction(1, 25)
        for _ in range(each):
            image = np.full((height, width, 3), (100, 200, 150)[number], np.uint8)
            yield from encoder.encode(av.VideoFrame.from_ndarray(image, format="rgb24"))
        yield from encoder.encode(None)


def call(path, sizes):
    """A stream whose frames change their size, as a call's when the network does."""
    height, width = sizes[0]
    with av.open(path, "w") as container:
        stream = container.add_stream("libvpx", 25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number, packet in enumerate(vp8(sizes)):
            packet.stream, packet.pts, packet.dts = stream, number, number
            packet.time_base = fractions.Fraction(1, 25)
            container.mux(packet)
    return path


def test_frames_that_change_their_size_are_all_read(tmp_path):
    path = call(str(tmp_path / "call.webm"), [(128, 160), (64, 80), (256, 320)])
    frames = list(video_files.read_frames(path))
    assert [f.image.shape for f in frames] == [(128, 160, 3)] * 18
    assert abs(frames[8].image.astype(int) - 200).max() < 6
    with VideoWriter(str(tmp_path / "drawn.mp4")) as writer:
        for frame in frames:
            writer.write(frame.image, frame.time)


def test_a_frame_of_another_shape_is_framed_in_black(tmp_path):
    path = call(str(tmp_path / "call.webm"), [(64, 128), (128, 64)])
    last = list(video_files.read_frames(path))[-1].image
    assert last.shape == (64, 128, 3)
    assert abs(last[:, 50:78].astype(int) - 200).max() < 9
    assert last[:, :46].max() == 0 and last[:, 82:].max() == 0


def test_a_stream_that_grows_is_refused_where_it_does(tmp_path, monkeypatch):
    monkeypatch.setattr(video_files, "MAX_PIXELS", 100_000)
    path = call(str(tmp_path / "call.webm"), [(128, 160), (512, 512)])
    seen = []
    with pytest.raises(video_files.VideoError, match="call.webm: frames of more than"):
        for frame in video_files.read_frames(path):
            seen.append(frame.index)
    assert len(seen) >= 4  # The decoder runs ahead in threads.


@pytest.mark.parametrize("name", ["A.MTS", "a.m2ts", "a.ts", "a.3gp", "a.OGV", "a.wmv"])
def test_what_is_taken_for_a_video(name):
    assert video_files.is_video(name)


def test_a_camcorders_transport_stream_is_read(tmp_path):
    path = str(tmp_path / "00001.MTS")
    with av.open(path, "w", format="mpegts") as container:
        stream = container.add_stream("libx264", 25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert len(list(video_files.read_frames(path))) == 5


def test_what_is_no_video_is_refused(tmp_path):
    page = tmp_path / "page.mp4"
    page.write_text("<html>not found</html>")
    with pytest.raises(video_files.VideoError, match="page.mp4: not a video") as caught:
        list(video_files.read_frames(page))
    assert caught.value.reason.startswith("not a video")
    with pytest.raises(video_files.VideoError, match="not a file"):
        list(video_files.read_frames(tmp_path))
    with pytest.raises(video_files.VideoError, match="absent.mp4: no such file"):
        list(video_files.read_frames(tmp_path / "absent.mp4"))


def test_a_playlist_cannot_open_another_file(clip, tmp_path):
    playlist = tmp_path / "list.mp4"
    playlist.write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{clip}\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(video_files.VideoError, match="not a video"):
        list(video_files.read_frames(playlist))


def test_a_damaged_video_gives_its_good_frames_first(tmp_path):
    path = str(tmp_path / "clip.mkv")
    # Matroska, unlike MP4, keeps no table at the end that a cut would lose.
    with av.open(path, "w", format="matroska") as container:
        stream = container.add_stream("mpeg4", 25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(100):
            noise = np.random.default_rng(number).integers(0, 255, (48, 64, 3))
            frame = av.VideoFrame.from_ndarray(noise.astype(np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    data = open(path, "rb").read()
    open(path, "wb").write(data[: len(data) // 2])
    frames = 0
    try:  # Whether a cut is an error to it, FFmpeg's versions do not agree.
        for _ in video_files.read_frames(path):
            frames += 1
    except video_files.VideoError as error:
        assert "damaged after frame" in str(error) or "ends after 1." in str(error)
    else:
        pytest.fail("nothing said")
    assert 30 <= frames <= 60


def test_an_error_of_the_decoder_is_said(clip, monkeypatch):
    """Whatever FFmpeg makes of a cut: its error comes after the good frames."""

    def damaged(frames):
        yield from itertools.islice(frames, 3)
        raise av.error.InvalidDataError(1, "bad data")

    decode_by(damaged, monkeypatch)
    seen = []
    with pytest.raises(video_files.VideoError, match="damaged after frame 2: bad data"):
        for frame in video_files.read_frames(clip):
            seen.append(frame.index)
    assert seen == [0, 1, 2]
