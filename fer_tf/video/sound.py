"""The sound of a video, for a copy of it: packets as they are, else AAC."""

import fractions
import math
import os
from collections.abc import Iterator

from fer_tf.video import video_files

# What players expect in MP4. Other sound is encoded anew.
_COPIED = ("aac", "mp3", "mp3float", "ac3", "eac3", "opus", "alac")


class Sound:
    """The first sound of a video, added to another container as far as it is asked for.

    Args:
        path: Of the video.
        container: Of PyAV, open for writing, in which nothing is written yet.

    Raises:
        VideoError: If there is no video in the file.
    """

    def __init__(self, path: str | os.PathLike, container):
        self._source, self._container = video_files.open_video(path), container
        self._next, self._packets = None, iter(())
        if not self._source.streams.audio:
            return
        stream = self._source.streams.audio[0]
        if stream.codec_context.name in _COPIED:
            self._target = container.add_stream_from_template(stream)
            self._packets = self._copied(stream)
        else:
            self._target = container.add_stream("aac", rate=stream.rate or 48_000)
            self._target.layout = "mono" if stream.channels == 1 else "stereo"
            self._packets = self._encoded(stream)

    def write_until(self, time: float) -> None:
        """Writes the packets that begin before `time`, in seconds of the video."""
        while True:
            self._next = self._next or next(self._packets, None)
            if self._next is None or self._next.pts * self._next.time_base >= time:
                return
            self._container.mux(self._next)
            self._next = None

    def close(self) -> None:
        """Closes the video."""
        self._source.close()

    def _start(self):
        """When the pictures begin: frames count their time from there."""
        pictures = self._source.streams.video[0]
        return (pictures.start_time or 0) * pictures.time_base

    def _copied(self, stream) -> Iterator:
        before = -math.inf
        shift = round(self._start() / stream.time_base)
        for packet in self._until_damage(self._source.demux(stream)):
            if packet.pts is None or packet.dts is None:
                continue
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            # Times that go back, as in joined files, cannot be written.
            if packet.dts > before:
                before = packet.dts
                packet.stream = self._target
                yield packet

    def _encoded(self, stream) -> Iterator:
        av = video_files.import_av()
        rate, start = self._target.rate, self._start()
        resampler = av.AudioResampler("fltp", self._target.layout, rate)
        position = None
        for frame in self._until_damage(self._source.decode(stream)):
            if position is None:
                late = (frame.pts or 0) * frame.time_base - start
                position = round(late * rate)
            for part in resampler.resample(frame):
                part.pts, part.time_base = position, fractions.Fraction(1, rate)
                position += part.samples
                yield from self._target.encode(part)
        yield from self._target.encode(None)

    @staticmethod
    def _until_damage(parts):
        """The parts of a stream before the first that cannot be read."""
        av = video_files.import_av()
        try:
            yield from parts
        except av.FFmpegError:
            return
