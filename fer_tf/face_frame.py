"""Pictures and videos as a pandas frame, for `fer_tf.Predictor.frame`."""

import os
from collections.abc import Iterator, Sequence

from fer_tf import face_table
from fer_tf.faces.images import ImageError
from fer_tf.video import video_files
from fer_tf.video.people import People

# How many pictures are searched together.
_TOGETHER = 8


def frame(predictor, paths, *, every: int, smoothing: float):
    """Reads files into a frame; see `fer_tf.Predictor.frame`."""
    try:
        import pandas
    except ModuleNotFoundError as error:
        hint = "a frame needs pandas: pip install 'fer-tf[table]'"
        raise ModuleNotFoundError(hint, name="pandas") from error

    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    paths = [os.fspath(path) for path in paths]
    videos = any(map(video_files.is_video, paths))
    columns = predictor.columns(videos=videos, smoothed=smoothing > 0)
    records = _records(predictor, paths, every=every, smoothing=smoothing)
    rows = [row for record in records for row in face_table.rows(record)]
    return pandas.DataFrame(rows, columns=columns)


def _records(predictor, paths: Sequence[str], **options) -> Iterator[dict]:
    """Records in the order of the paths; neighbouring pictures are read together."""
    pictures = []
    for path in paths:
        is_video = video_files.is_video(path)
        if is_video or len(pictures) == _TOGETHER:
            yield from _pictures(predictor, pictures)
            pictures = []
        if is_video:
            yield from _video(predictor, path, **options)
        else:
            pictures.append(path)
    yield from _pictures(predictor, pictures)


def _video(predictor, path, **options):
    """Records of a video; who is who is known at its end, by looks."""
    people, records = People(), []
    for shot, faces in predictor.predict_video(path, **options):
        people.add(shot.image, shot.time, faces)
        time = round(shot.time, 6)
        records.append(_record(path, faces, frame=shot.index, time=time))
    persons = people.persons()
    for record in records:
        faces = [face | {"person": persons[face["track"]]} for face in record["faces"]]
        yield record | {"faces": faces}


def _pictures(predictor, paths):
    try:
        for path, faces in zip(paths, predictor.predict_many(paths)):
            yield _record(path, faces)
    except ImageError as error:
        if len(paths) == 1:
            yield _record(paths[0], [], error=str(error))
            return
        for path in paths:
            yield from _pictures(predictor, [path])


def _record(path, faces, **known):
    folder = os.path.basename(os.path.dirname(os.path.abspath(path)))
    error = None if faces else face_table.NO_FACE
    record = {"source": path, "condition": folder, "faces": faces, "error": error}
    return record | known
