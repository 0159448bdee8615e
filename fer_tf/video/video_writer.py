"""Frames with their times -> an MP4 file, by PyAV (extra `video`)."""

import fractions
import os

import numpy as np

from fer_tf.video.sound import Sound
from fer_tf.video.video_files import VideoError, import_av

# Ticks a second: 90 kHz is MPEG's own clock.
_CLOCK = 90_000
# Frames a second that players are told to expect.
_RATE = 25


class VideoWriter:
    """Writes H.264 in MP4, each frame shown from its own time on.

    Use it as a context manager; the file is complete when the block ends.

    Args:
        path: File to write, ending in `.mp4`.
        sound: A video whose sound is added, up to the last frame; its own times must
            be those of the frames.

    Raises:
        VideoError: If PyAV is not installed, or `sound` is no video.
    """

    def __init__(self, path: str, *, sound: str | None = None):
        av = import_av()
        # Without `file:`, what is before a colon in the path would be the protocol.
        self._container = av.open(f"file:{os.path.abspath(path)}", "w", format="mp4")
        self._stream, self._last = None, -1
        try:
            self._sound = Sound(sound, self._container) if sound else None
        except VideoError:
            self._container.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None and self._stream is not None:
                self._container.mux(self._stream.encode())
        finally:
            if self._sound:
                self._sound.close()
            self._container.close()

    def write(self, image: np.ndarray, time: float) -> None:
        """Adds a frame.

        Args:
            image: uint8 RGB `(height, width, 3)`; an odd last row or column is cut.
            time: Seconds; the frame is shown from then on.

        Raises:
            VideoError: If the size differs from the frames' before.
        """
        av = import_av()
        # H.264 halves the sides of the colour planes, so that they must be even.
        height, width = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
        if self._stream is None:
            options = {"preset": "veryfast", "crf": "23"}
            stream = self._container.add_stream("libx264", _RATE, options=options)
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
        if self._sound:
            self._sound.write_until(time)
