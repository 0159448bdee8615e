"""Video files -> upright frames with their times, one at a time, by PyAV.

PyAV is the extra `video`. A frame's time is its own time stamp, not its number
divided by a rate, so that clips of variable rate keep time. A phone's rotation is
applied, and pixels that are not square are made square. One frame is held at a time,
whatever the length.
"""

import dataclasses
import os
import struct
from collections.abc import Iterator

import cv2
import numpy as np

from fer_tf.arguments import require
from fer_tf.utils.names import shown

ENDINGS = (
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv",
    ".3gp", ".3g2", ".ogv", ".ts", ".mts", ".m2ts", ".m2t", ".vob", ".asf", ".mpe",
)  # fmt: skip

# FFmpeg's names of the containers that these endings stand for.
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,asf,flv,ogg"

# Most pixels of a frame that is decoded: 8K video has 33 million.
MAX_PIXELS = 34_000_000

# How much of its stated length a video may lack: containers round their rates.
_SHORT_SHARE, _SHORT_SECONDS = 0.05, 1.0


class VideoError(ValueError):
    """A video that cannot be read or written.

    Attributes:
        reason: What is wrong, without the file's name that begins the message.
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
    """Whether a file's name ends like a video's.

    Example:
        >>> from fer_tf.video.video_files import is_video
        >>> is_video("clip.MP4"), is_video("photo.jpg")
        (True, False)
    """
    return os.fspath(path).lower().endswith(ENDINGS)


def count_frames(path: str | os.PathLike) -> int:
    """Number of frames by the container's own statements; 0 if it makes none.

    Raises:
        VideoError: If there is no video in the file.
    """
    with open_video(path) as container:
        stream = container.streams.video[0]
        if stream.frames:
            return stream.frames
        if container.duration and stream.average_rate:
            return round(container.duration / 1e6 * float(stream.average_rate))
    return 0


def read_frames(path: str | os.PathLike, *, every: int = 1) -> Iterator[Frame]:
    """Yields every n-th frame, from the first.

    All have the size of the first. A frame of another size, as in a call whose network
    got worse, is scaled to fit and framed in black.

    Args:
        path: Of a video file.
        every: n; frames between are decoded but not converted.

    Raises:
        ValueError: If `every` is less than 1.
        VideoError: If there is no video in the file, or its frames are too large.
            If the rest of it is damaged or missing, it is raised after the last good
            frame.
    """
    require(every >= 1, "be at least 1", every=every)
    av = import_av()
    with open_video(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        # A stream may grow in the middle. The decoder refuses a frame that is far too
        # large before it takes memory for it; one that is less so is refused below.
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
    """Refuses a frame, or a stream, of too many pixels once they are square."""
    if (sizes.width or 0) * (sizes.height or 0) * max(shape, 1) > MAX_PIXELS:
        large = f"frames of more than {MAX_PIXELS // 10**6} megapixels"
        raise VideoError(large, path)


def _missing(container, stream, index, last):
    """What a file lacks at its end by its own statements; None if nothing."""
    read, stated = index + 1, stream.frames
    if stated:
        if read < stated * (1 - _SHORT_SHARE) - 1:
            return f"ends after {read:,} of {stated:,} frames"
    # The duration is that of the longest stream, which may be the sound.
    elif container.duration and len(container.streams) == 1:
        seconds = container.duration / 1e6
        if last < seconds * (1 - _SHORT_SHARE) - _SHORT_SECONDS:
            return f"ends after {last:.1f} of {seconds:.1f} seconds"
    return None


class _Clock:
    """Seconds since the first frame, which never go back."""

    def __init__(self):
        self._start, self._last, self._step = None, 0.0, 1 / 25

    def since_start(self, stated: float) -> float:
        """The time of the next frame, from the one that the file states for it."""
        if self._start is None:
            self._start = stated
        time = stated - self._start
        # In a file that was joined from several the clock starts again: it goes on
        # from here. A frame that is a little early is shown with the one before.
        if time < self._last - 1.0:
            time = self._last + self._step
            self._start = stated - time
        if time > self._last:
            self._last, self._step = time, time - self._last
        return self._last


def _square(image, shape):
    """Stretches pixels that are `shape` times as wide as high to squares."""
    height, width = image.shape[:2]
    shown = max(1, round(width * shape))
    return image if shown == width else cv2.resize(image, (shown, height))


def _matrix(frame):
    """Rotation and mirroring of a frame's display matrix: `(a, b, c, d)`.

    A point (x, y) is shown at (a x + c y, b x + d y).
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return 1, 0, 0, 1
    a, b, _, c, d, *_ = struct.unpack("9i", bytes(matrix))
    return a, b, c, d


def _upright(image, matrix):
    """Applies the nearest of the eight turns by quarters, mirrored or not."""
    a, b, c, d = matrix
    if abs(b) + abs(c) > abs(a) + abs(d):
        image, a, d = image.transpose(1, 0, 2), c, b
    image = image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return np.ascontiguousarray(image)


def _fitted(image, size):
    """Scales an image to fit into `(height, width)`, framed in black."""
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


def open_video(path: str | os.PathLike):
    """A video as an open container of PyAV's, which the caller closes.

    Raises:
        VideoError: If there is no video in the file.
    """
    av = import_av()
    path = os.fspath(path)
    if not os.path.isfile(path):
        exists = os.path.lexists(path)
        raise VideoError("not a file" if exists else "no such file", path)
    try:
        # Only containers that hold their own pictures are allowed: a playlist under a
        # video's name would make FFmpeg open other files, or addresses.
        options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
        container = av.open(f"file:{os.path.abspath(path)}", options=options)
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"not a video ({error.strerror})", path) from None
    if not container.streams.video:
        container.close()
        raise VideoError("no video stream in it", path)
    return container


def import_av():
    """The module of PyAV.

    Raises:
        VideoError: If it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise VideoError(
            "video needs PyAV, the extra `video`: pip install -e '.[video]'"
        ) from error
    return av
