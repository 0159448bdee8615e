"""Video files -> upright frames with their times, one at a time, and back.

PyAV (extra `video`) decodes and encodes. A frame's time is its own time stamp,
not its number divided by a rate, so that clips of variable rate keep time; a
phone's rotation is applied, and pixels that are not square are made so. One frame
is held at a time, whatever the length.
"""

import dataclasses
import fractions
import os
from collections.abc import Iterator

import cv2
import numpy as np

ENDINGS = (
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv",
    ".3gp", ".ogv",
)  # fmt: skip

# FFmpeg's names of the containers that these endings stand for.
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,asf,flv,ogg"

# Above this a frame is not decoded: 8K video has 33 megapixels.
MAX_PIXELS = 34_000_000

# Ticks a second of the video that is written; 90 kHz is MPEG's own clock.
_CLOCK = 90_000


class VideoError(ValueError):
    """A video that cannot be read or written; the message is a short reason."""


@dataclasses.dataclass(frozen=True)
class Frame:
    """One decoded frame.

    Attributes:
        index: Its number in the video, from 0.
        time: Seconds since the first frame.
        image: uint8 RGB `(height, width, 3)`, upright.
    """

    index: int
    time: float
    image: np.ndarray


def is_video(path: str | os.PathLike) -> bool:
    """Whether a file's name ends like a video's."""
    return os.fspath(path).lower().endswith(ENDINGS)


def count_frames(path: str | os.PathLike) -> int:
    """Frames that the container states or its rate and duration give; 0: unknown."""
    with _opened(path) as container:
        stream = container.streams.video[0]
        if stream.frames:
            return stream.frames
        if container.duration and stream.average_rate:
            return round(container.duration / 1e6 * float(stream.average_rate))
    return 0


def read_frames(path: str | os.PathLike, *, every: int = 1) -> Iterator[Frame]:
    """Yields every n-th frame, from the first.

    Args:
        path: Of a video file.
        every: n; frames between are decoded but not converted.

    Raises:
        VideoError: If there is no video in the file, or its frames are too
            large; and after the last good frame, if the rest is damaged.
    """
    if every < 1:
        raise ValueError(f"`every` must be at least 1. Received: every={every}.")
    import av

    with _opened(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        shape = float(stream.sample_aspect_ratio or 1)
        if (stream.width or 0) * (stream.height or 0) * max(shape, 1) > MAX_PIXELS:
            raise VideoError("frames of more than 34 megapixels")
        index, clock = -1, _Clock()
        try:
            for index, frame in enumerate(container.decode(stream)):
                time = index / 25.0 if frame.time is None else float(frame.time)
                time = clock.since_start(time)
                if index % every == 0:
                    image = _square(frame.to_ndarray(format="rgb24"), shape)
                    image = _upright(image, frame.rotation)
                    yield Frame(index, time, image)
        except av.FFmpegError as error:
            raise VideoError(f"damaged after frame {index}: {error.strerror}") from None
        if index < 0:
            raise VideoError("no frame in it")


class _Clock:
    """Seconds since the first frame: they never go back, whatever a file's own do."""

    def __init__(self):
        self._start, self._last, self._step = None, 0.0, 1 / 25

    def since_start(self, stated: float) -> float:
        """The time of the next frame, of which the file states another."""
        if self._start is None:
            self._start = stated
        time = stated - self._start
        # A joined file's clock starts anew, and goes on from here; a frame that is a
        # little early is shown with the one before.
        if time < self._last - 1.0:
            time = self._last + self._step
            self._start = stated - time
        if time > self._last:
            self._last, self._step = time, time - self._last
        return self._last


class VideoWriter:
    """Writes H.264 in MP4, each frame shown from its own time on.

    Use it as a context manager; the file is complete when the block ends.

    Args:
        path: File to write, ending in `.mp4`.
        rate: Frames a second that the player is told to expect.
    """

    def __init__(self, path: str, *, rate: float = 25.0):
        av = _av()
        # Without the protocol, a colon in the path would be read as one.
        self._container = av.open(f"file:{os.path.abspath(path)}", "w", format="mp4")
        self._rate = fractions.Fraction(rate).limit_denominator(1001)
        self._stream, self._last = None, -1

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None and self._stream is not None:
                self._container.mux(self._stream.encode())
        finally:
            self._container.close()

    def write(self, image: np.ndarray, time: float) -> None:
        """Adds a frame, uint8 RGB `(height, width, 3)`, shown from `time` on."""
        import av

        # H.264 halves the colour's sides: even ones only.
        height, width = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
        if self._stream is None:
            options = {"preset": "veryfast", "crf": "23"}
            stream = self._container.add_stream("libx264", self._rate, options=options)
            stream.width, stream.height = width, height
            stream.pix_fmt = "yuv420p"
            stream.codec_context.time_base = fractions.Fraction(1, _CLOCK)
            self._stream = stream
        if (width, height) != (self._stream.width, self._stream.height):
            raise VideoError("the size of the frames changes in the middle")
        image = np.ascontiguousarray(image[:height, :width])
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        # Two frames must not share a tick.
        self._last = max(self._last + 1, round(time * _CLOCK))
        frame.pts, frame.time_base = self._last, fractions.Fraction(1, _CLOCK)
        self._container.mux(self._stream.encode(frame))


def _square(image, shape):
    """Stretches pixels of `shape` times their height to squares, as players do."""
    height, width = image.shape[:2]
    shown = max(1, round(width * shape))
    return image if shown == width else cv2.resize(image, (shown, height))


def _upright(image, rotation):
    """Applies a container's rotation, counter-clockwise degrees."""
    turns = round(rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def _opened(path):
    av = _av()
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise VideoError("no such file")
    try:
        # Only containers that hold their own pictures: a playlist under a video's
        # name would make FFmpeg open other files, or addresses.
        options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
        container = av.open(f"file:{os.path.abspath(path)}", options=options)
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"not a video ({error.strerror})") from None
    if not container.streams.video:
        container.close()
        raise VideoError("no video stream in it")
    return container


def _av():
    try:
        import av
    except ImportError as error:
        raise VideoError(
            "video needs PyAV, the extra `video`: pip install -e '.[video]'"
        ) from error
    return av
