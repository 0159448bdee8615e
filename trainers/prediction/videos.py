"""Predictions of a video: a record a frame, the drawn video, a timeline."""

import contextlib
import json
import os

from fer_tf.plotting import overlay
from fer_tf.plotting.style import save_figure
from fer_tf.plotting.timeline import Timeline
from fer_tf.utils import atomic
from fer_tf.utils.names import shown
from fer_tf.video import video_files
from trainers.common.progress import Progress
from trainers.prediction import csv_table, photographs


def run(predictor, path: str, output: str, *, pictures: bool, every: int,
        smoothing: float) -> dict:  # fmt: skip
    """Reads a video and writes everything to `output`.

    One group of frames is held at a time. A video that is damaged in the middle
    is read as far as it goes, and its last record says what was wrong. A run that
    is ended by a signal leaves nothing half written, and one that is killed leaves
    what the next one removes.

    Args:
        predictor: A `fer_tf.Predictor`.
        path: Of the video.
        output: Folder, see `prediction.begin`; nobody else may write to it.
        pictures: Whether to write the drawn video and the timeline.
        every: Reads every n-th frame.
        smoothing: Seconds, see `fer_tf.video.tracking.Tracker`.

    Returns:
        `{"frames", "people", "error"}`: frames read, numbers given, and what
        ended the reading early, or None.
    """
    final = os.path.join(output, photographs.JSONL)
    stem = photographs.short_name(os.path.splitext(os.path.basename(path))[0])
    total = -(-video_files.count_frames(path) // every)
    bar = Progress("predict", total or None, unit="frames")
    seen, last, people, error = 0, 0, 0, None
    line = Timeline()
    _remove_parts(output)
    if pictures and video_files.has_sound(path):
        print(f"{shown(path)}: its sound is not in the drawn video")
    with contextlib.ExitStack() as stack:
        temporary = stack.enter_context(atomic.replacing(final))
        file = stack.enter_context(open(temporary, "w", encoding="utf-8"))
        drawn = None
        if pictures:
            target = os.path.join(output, f"{stem}_annotated.mp4")
            part = stack.enter_context(atomic.replacing(target))
            drawn = stack.enter_context(video_files.VideoWriter(part))
        frames = predictor.predict_video(path, every=every, smoothing=smoothing)
        while True:
            try:
                frame, faces = next(frames)
                if drawn is not None:
                    drawn.write(overlay.draw_faces(frame.image, faces), frame.time)
            except StopIteration:
                break
            except (video_files.VideoError, FloatingPointError) as damage:
                error = getattr(damage, "reason", str(damage))
                if not seen:
                    raise ValueError(f"{shown(path)}: {error}") from None
                break
            seen, last = seen + 1, frame.index
            people = max([people, *(face["track_id"] for face in faces)])
            file.write(_line(path, frame, faces))
            line.add(frame.time, faces)
            bar.update(seen)
        if error:
            file.write(photographs.line(_record(path, last + 1, None, [], error)))
    bar.close()
    with open(final, encoding="utf-8") as file:
        records = (json.loads(text) for text in file)
        table = os.path.join(output, photographs.CSV)
        csv_table.write(table, records, predictor.card)
    if pictures:
        save_figure(line.figure(), os.path.join(output, f"{stem}_timeline.png"))
    return {"frames": seen, "people": people, "error": error}


def _remove_parts(output):
    """Removes what a killed run of a video has left half written."""
    for entry in os.scandir(output):
        if entry.name.startswith(".part-") and not entry.is_dir():
            os.remove(entry.path)


def _line(path, frame, faces):
    record = _record(path, frame.index, round(frame.time, 6), faces, None)
    return photographs.line(record)


def _record(path, frame, time, faces, error):
    return {
        "schema_version": photographs.SCHEMA_VERSION,
        "source": path,
        "frame": frame,
        "time": time,
        "faces": faces,
        "error": error,
    }
