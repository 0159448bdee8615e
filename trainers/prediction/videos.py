"""Predictions of a video: a record a frame, the drawn video, a timeline."""

import contextlib
import json
import os
from typing import TypedDict

from fer_tf.plotting import overlay
from fer_tf.plotting.style import save_figure
from fer_tf.plotting.timeline import Timeline
from fer_tf.utils import atomic
from fer_tf.utils.names import shown
from fer_tf.video import video_files
from fer_tf.video.video_writer import VideoWriter
from trainers.common.progress import Progress
from trainers.prediction import csv_table, output_folder
from trainers.prediction.record_lines import SCHEMA_VERSION, Record, to_line


class Summary(TypedDict):
    """How a video was read.

    Keys:
        frames: Number of frames that were read.
        people: Number of people, as they are tracked.
        error: What ended the reading early; None if nothing did.
    """

    frames: int
    people: int
    error: str | None


def run(predictor, path: str, output: str, *, pictures: bool, every: int,
        smoothing: float) -> Summary:  # fmt: skip
    """Predicts a video and writes everything to `output`.

    One group of frames is held at a time. A video that is damaged in the middle
    is read up to there, and its last record states the damage. A run that is ended by
    a signal leaves nothing half written; after a kill, `output_folder.begin` of the
    next run removes what is.

    Args:
        predictor: A `fer_tf.Predictor`.
        path: Of the video.
        output: Folder; see `output_folder.begin`.
        pictures: Whether to write the drawn video and the timeline.
        every: Reads every n-th frame.
        smoothing: Seconds; see `fer_tf.video.tracking.Tracker`.

    Raises:
        ValueError: If no frame can be read.
    """
    lines = os.path.join(output, output_folder.JSONL)
    stem = output_folder.short_name(os.path.splitext(os.path.basename(path))[0])
    drawn = os.path.join(output, stem + output_folder.DRAWN_VIDEO)
    if pictures and video_files.has_sound(path):
        print(f"{shown(path)}: its sound is not in the drawn video")
    timeline = Timeline()
    with contextlib.ExitStack() as stack:
        temporary = stack.enter_context(atomic.replacing(lines))
        file = stack.enter_context(open(temporary, "w", encoding="utf-8"))
        writer = stack.enter_context(_drawn_video(drawn)) if pictures else None
        frames = predictor.predict_video(path, every=every, smoothing=smoothing)
        summary = _read(frames, path, every, file, writer, timeline)
    with open(lines, encoding="utf-8") as file:
        table = os.path.join(output, output_folder.CSV)
        columns = predictor.columns(pictures=False, videos=True, smoothed=smoothing > 0)
        csv_table.write(table, map(json.loads, file), columns)
    if pictures:
        picture = os.path.join(output, stem + output_folder.TIMELINE)
        save_figure(timeline.figure(), picture)
    return summary


@contextlib.contextmanager
def _drawn_video(path):
    with atomic.replacing(path) as part, VideoWriter(part) as writer:
        yield writer


def _read(frames, path, every, file, writer, timeline) -> Summary:
    """Writes a record for each frame, until the video or its good part ends."""
    total = -(-video_files.count_frames(path) // every)
    progress = Progress("predict", total or None, unit="frames")
    seen, people, error, next_frame = 0, 0, None, 0
    try:
        for frame, faces in frames:
            if writer is not None:
                writer.write(overlay.draw_faces(frame.image, faces), frame.time)
            seen, next_frame = seen + 1, frame.index + 1
            people = max([people, *(face["track_id"] for face in faces)])
            time = round(frame.time, 6)
            file.write(to_line(_record(path, frame.index, time, faces, None)))
            timeline.add(frame.time, faces)
            progress.update(seen)
    except (video_files.VideoError, FloatingPointError) as damage:
        error = getattr(damage, "reason", str(damage))
        if not seen:
            raise ValueError(f"{shown(path)}: {error}") from None
        file.write(to_line(_record(path, next_frame, None, [], error)))
    progress.close()
    return {"frames": seen, "people": people, "error": error}


def _record(path, frame, time, faces, error) -> Record:
    return {
        "schema_version": SCHEMA_VERSION,
        "source": path,
        "frame": frame,
        "time": time,
        "faces": faces,
        "error": error,
    }
