"""Predictions of a video: a record a frame, the drawn video, a timeline.

The video is read twice. Only at its end is it known which tracks show the same person:
records lie in a temporary file until then, and the second reading draws.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from typing import TypedDict

from fer_tf.plotting import overlay
from fer_tf.plotting.style import save_figure
from fer_tf.plotting.timeline import Timeline
from fer_tf.utils import atomic
from fer_tf.utils.names import shown
from fer_tf.video import video_files
from fer_tf.video.people import People
from fer_tf.video.video_writer import VideoWriter
from trainers.common.progress import Progress
from trainers.prediction import csv_table, output_folder
from trainers.prediction.record_lines import SCHEMA_VERSION, Record, to_line


class Summary(TypedDict):
    """How a video was read.

    Keys:
        frames: Number of frames that were read.
        tracks: Number of tracks: faces followed until a cut or an absence.
        people: Number of people that these tracks show.
        error: What ended the reading early; None if nothing did.
    """

    frames: int
    tracks: int
    people: int
    error: str | None


def run(
    predictor,
    path: str,
    output: str,
    *,
    pictures: bool,
    every: int,
    search_every: int = 1,
    smoothing: float,
    count: int | None = None,
    embedder=None,
    source: str | None = None,
    condition: str | None = None,
) -> Summary:
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
        search_every: See `fer_tf.Predictor.predict_video`.
        smoothing: Seconds; see `fer_tf.video.tracking.Tracker`.
        count: How many people there are, if that is known; see `People.persons`.
        embedder: A `fer_tf.faces.FaceEmbedder`, to know people by their faces.
        source: What the records call the video; by default its path.
        condition: Of all the records; by default they have none.

    Raises:
        ValueError: If no frame can be read.
    """
    lines = os.path.join(output, output_folder.JSONL)
    people = People(embedder)
    with tempfile.TemporaryFile("w+", dir=output, encoding="utf-8") as tracked:
        frames = predictor.predict_video(
            path, every=every, search_every=search_every, smoothing=smoothing
        )
        common = {"source": source or path}
        common |= {} if condition is None else {"condition": condition}
        summary = _read(frames, path, every, tracked, people, common)
        persons = people.persons(count)
        summary |= {"tracks": len(persons), "people": len({*persons.values()} - {None})}
        with atomic.replacing(lines) as temporary:
            _name_people(tracked, temporary, persons)
            if pictures:
                total = summary["frames"]
                _draw(temporary, path, every, output, people.portraits(persons), total)
    table = os.path.join(output, output_folder.CSV)
    columns = predictor.columns(
        pictures=condition is not None, videos=True, smoothed=smoothing > 0
    )
    csv_table.write(table, _records(lines), columns)
    return summary


def _read(frames, path, every, file, people, common) -> dict:
    """Writes a record for each frame, until the video or its good part ends.

    All the records have what `common` holds.
    """
    total = -(-video_files.count_frames(path) // every)
    progress = Progress("predict", total or None, unit="frames")
    seen, error, next_frame = 0, None, 0
    try:
        for frame, faces in frames:
            seen, next_frame = seen + 1, frame.index + 1
            people.add(frame.image, frame.time, faces)
            time = round(frame.time, 6)
            file.write(to_line(_record(common, frame.index, time, faces, None)))
            progress.update(seen)
    except (video_files.VideoError, FloatingPointError) as damage:
        error = getattr(damage, "reason", str(damage))
        if not seen:
            raise ValueError(f"{shown(path)}: {error}") from None
        file.write(to_line(_record(common, next_frame, None, [], error)))
    progress.close()
    return {"frames": seen, "error": error}


def _name_people(tracked, target, persons):
    """Copies records to `target`, each face with its person."""
    tracked.seek(0)
    with open(target, "w", encoding="utf-8") as file:
        for record in map(json.loads, tracked):
            for face in record["faces"]:
                face["person"] = persons[face["track"]]
            file.write(to_line(record))


def _draw(lines, path, every, output, portraits, total):
    """Draws the video's frames again with their people, and the timeline."""
    stem = output_folder.short_name(os.path.splitext(os.path.basename(path))[0])
    drawn = os.path.join(output, stem + output_folder.DRAWN_VIDEO)
    timeline, progress = Timeline(), Progress("draw", total, unit="frames")
    read = (record for record in _records(lines) if record["time"] is not None)
    frames = video_files.read_frames(path, every=every)
    with atomic.replacing(drawn) as part, VideoWriter(part, sound=path) as writer:
        # The records end before a damaged part does: no frame of it is asked for.
        for number, (record, frame) in enumerate(zip(read, frames), 1):
            faces = record["faces"]
            writer.write(overlay.draw_faces(frame.image, faces), frame.time)
            timeline.add(frame.time, faces)
            progress.update(number)
    progress.close()
    picture = os.path.join(output, stem + output_folder.TIMELINE)
    save_figure(timeline.figure(portraits), picture)


def _records(lines: str) -> Iterator[Record]:
    with open(lines, encoding="utf-8") as file:
        yield from map(json.loads, file)


def _record(common, frame, time, faces, error) -> Record:
    return {
        "schema_version": SCHEMA_VERSION,
        **common,
        "frame": frame,
        "time": time,
        "faces": faces,
        "error": error,
    }
