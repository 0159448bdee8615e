"""Video files -> upright frames with their times, one at a time, and back.

PyAV (extra `video`) decodes and encodes. A frame's time is its own time stamp,
not its number divided by a rate, so that clips of variable rate keep time; a
phone's rotation is applied, and pixels that are not square are made so. One frame
is held at a time, whatever the length.
"""

import dataclasses
import fractions
import os
import struct
from collections.abc import Iterator

import cv2
import numpy as np

from fer_tf.utils.names import shown

ENDINGS = (
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv",
    ".3gp", ".3g2", ".ogv", ".ts", ".mts", ".m2ts", ".m2t", ".vob", ".asf", ".mpe",
)  # fmt: skip

# FFmpeg's names of the containers that these endings stand for.
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,asf,flv,ogg"

# Above this a frame is not decoded: 8K video has 33 megapixels.
MAX_PIXELS = 34_000_000

# Ticks a second of the video that is written; 90 kHz is MPEG's own clock.
_CLOCK = 90_000

# A video may end so much before what its container states: rates are rounded.
_SHORT_SHARE, _SHORT_SECONDS = 0.05, 1.0


class VideoError(ValueError):
    """A video that cannot be read or written.

    Attributes:
        reason: What is wrong, without the file's name, which the message begins with.
    """

    def __init__(self, reason: str, path: str | os.PathLike | None = None):
        name = "" if path is None else f"{shown(os.path.basename(path))}: "
        super().__init__(f"{name}{reason}")
        self.reason = reason


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


def has_sound(path: str | os.PathLike) -> bool:
    """Whether there is sound beside the pictures."""
    with _opened(path) as container:
        return bool(container.streams.audio)


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

    All have the size of the first: one of another, as in a call whose network got
    worse, is scaled to fit and framed in black.

    Args:
        path: Of a video file.
        every: n; frames between are decoded but not converted.

    Raises:
        VideoError: If there is no video in the file, or its frames are too large;
            and after the last good frame, if the rest is damaged or missing.
    """
    if every < 1:
        raise ValueError(f"`every` must be at least 1. Received: every={every}.")
    import av

    with _opened(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        # A stream may grow in the middle. The decoder itself refuses what is far too
        # large before it takes memory for it; what is less so is refused below.
        stream.codec_context.options = {"max_pixels": str(4 * MAX_PIXELS)}
        shape = float(stream.sample_aspect_ratio or 1)
        index, clock, last, size = -1, _Clock(), 0.0, None
        _check_size(stream, shape, path)
        try:
            for index, frame in enumerate(container.decode(stream)):
                _check_size(frame, shape, path)
                time = index / 25.0 if frame.time is None else float(frame.time)
                time = last = clock.since_start(time)
                if index % every == 0:
                    image = _square(frame.to_ndarray(format="rgb24"), shape)
                    image = _upright(image, _matrix(frame))
                    size = size or image.shape[:2]
                    yield Frame(index, time, _fitted(image, size))
        except av.FFmpegError as error:
            reason = f"damaged after frame {index}: {error.strerror}"
            raise VideoError(reason, path) from None
        if index < 0:
            raise VideoError("no frame in it", path)
        missing = _missing(container, stream, index, last)
        if missing:
            raise VideoError(missing, path)


def _check_size(sizes, shape, path):
    """Refuses a frame, or a stream's next one, of too many pixels as it is shown."""
    if (sizes.width or 0) * (sizes.height or 0) * max(shape, 1) > MAX_PIXELS:
        large = f"frames of more than {MAX_PIXELS // 10**6} megapixels"
        raise VideoError(large, path)


def _missing(container, stream, index, last):
    """What a file lacks at its end, as far as it states what is in it, or None."""
    read, stated = index + 1, stream.frames
    if stated:
        if read < stated * (1 - _SHORT_SHARE) - 1:
            return f"ends after {read:,} of {stated:,} frames"
    # Sound may well be longer than the pictures.
    elif container.duration and len(container.streams) == 1:
        seconds = container.duration / 1e6
        if last < seconds * (1 - _SHORT_SHARE) - _SHORT_SECONDS:
            return f"ends after {last:.1f} of {seconds:.1f} seconds"
    return None


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


def _matrix(frame):
    """Of a container's display matrix what turns and mirrors: `(a, b, c, d)`.

    A point (x, y) is shown at (a x + c y, b x + d y).
    """
    found = frame.side_data.get("DISPLAYMATRIX")
    a, b, _, c, d, *_ = struct.unpack("9i", bytes(found)) if found else _UPRIGHT
    return a, b, c, d


_UPRIGHT = (1, 0, 0, 0, 1, 0, 0, 0, 1)


def _upright(image, matrix):
    """Turns and mirrors as the nearest of the eight matrices of whole quarters."""
    a, b, c, d = matrix
    if abs(b) + abs(c) > abs(a) + abs(d):
        image, a, d = image.transpose(1, 0, 2), c, b
    image = image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return np.ascontiguousarray(image)


def _fitted(image, size):
    """A frame in the middle of one of the size `(height, width)`."""
    if image.shape[:2] == size:
        return image
    ratio = min(size[0] / image.shape[0], size[1] / image.shape[1])
    height, width = (max(1, round(side * ratio)) for side in image.shape[:2])
    way = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    fitted = np.zeros((*size, 3), np.uint8)
    part = fitted[top : top + height, left : left + width]
    part[:] = cv2.resize(image, (width, height), interpolation=way)
    return fitted


def _opened(path):
    av = _av()
    path = os.fspath(path)
    if not os.path.isfile(path):
        there = os.path.lexists(path)
        raise VideoError("not a file" if there else "no such file", path)
    try:
        # Only containers that hold their own pictures: a playlist under a video's
        # name would make FFmpeg open other files, or addresses.
        options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
        container = av.open(f"file:{os.path.abspath(path)}", options=options)
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"not a video ({error.strerror})", path) from None
    if not container.streams.video:
        container.close()
        raise VideoError("no video stream in it", path)
    return container


def _av():
    try:
        import av
    except ImportError as error:
        raise VideoError(
            "video needs PyAV, the extra `video`: pip install -e '.[video]'"
        ) from error
    return av
