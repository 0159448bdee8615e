"""What the page does with an upload: a photograph or a clip -> what is shown."""

import contextlib
import os
import tempfile
import time
import traceback

import cv2
import gradio as gr

from fer_tf import explain, labels
from fer_tf.faces.images import ImageError
from fer_tf.faces.pyramid import shrunk
from fer_tf.plotting import attention_maps, circumplex, overlay, photograph
from fer_tf.plotting.timeline import Timeline
from fer_tf.video import video_files
from fer_tf.video.video_writer import VideoWriter
from trainers.explanation.faces import Picture, windows
from trainers.prediction.csv_table import write_rows
from trainers.web_page import decode, scratch

# A minute at 25 frames a second, and the seconds that reading may take; longer
# clips are read to there.
MAX_FRAMES = 1500
MAX_SECONDS = 120
# Pictures are shown no larger than this.
_SHOWN = 1280

_NUMBERS = ("valence", "arousal", "confidence", "enlargement")
_COLUMNS = ("face", "expression", "action units", *_NUMBERS)
_NOTHING = ([], None, None, [], None)


class Reader:
    """Reads one upload at a time; every failure is one line on the page.

    Args:
        predictor: A `fer_tf.Predictor`.
        folder: The page's scratch, for uploads and results.
    """

    columns = _COLUMNS

    def __init__(self, predictor, folder: str):
        self.predictor, self._folder = predictor, os.path.realpath(folder)

    def photo(self, upload: dict | None) -> tuple:
        """One photograph, as Gradio names it -> what the first tab shows."""
        if upload is None:
            return None, "", *_NOTHING
        with self._one_line("picture"):
            image = decode.read_apart(self._uploaded(upload))
            faces = self.predictor.predict(image)
            if not faces:
                return self._picture(image, "faces"), "No face found.", *_NOTHING
            said = f"{len(faces)} face{'s' * (len(faces) != 1)} found."
            rows = [_row(number, face) for number, face in enumerate(faces, 1)]
            return (
                self._picture(overlay.draw_faces(image, faces), "faces"), said, rows,
                photograph.bars(faces), circumplex.circumplex(faces),
                self._looked(image, faces[:8]), self._csv([_COLUMNS, *rows]),
            )  # fmt: skip

    def clip(self, path: str | None, every: int) -> tuple:
        """One clip -> what the second tab shows."""
        if path is None:
            raise _refusal("There is no clip yet.")
        target, line = self._file("faces.mp4"), Timeline()
        rows, note, seen = [("frame", "time", *_COLUMNS)], "", 0
        limit = time.monotonic() + MAX_SECONDS
        # The writer outlives a damaged clip: what was drawn of it is to be finished.
        with self._one_line("clip"), VideoWriter(target) as writer:
            try:
                for frame, faces in self.predictor.predict_video(path, every=every):
                    writer.write(overlay.draw_faces(frame.image, faces), frame.time)
                    seen += 1
                    line.add(frame.time, faces)
                    when = frame.index, round(frame.time, 3)
                    rows += [(*when, *_row(face["track_id"], face)) for face in faces]
                    if not os.path.exists(self._folder):  # The page has ended.
                        raise video_files.VideoError("interrupted")
                    if seen == MAX_FRAMES or time.monotonic() > limit:
                        note = f" The rest, after {frame.time:.0f} s, was not read."
                        break
            except (video_files.VideoError, FloatingPointError) as problem:
                if not seen:
                    raise
                note = f" Then: {problem}."
        people = len({row[2] for row in rows[1:]})
        said = f"{seen} frames read, {people} people.{note}"
        return target, said, line.figure(), self._csv(rows)

    @contextlib.contextmanager
    def _one_line(self, what):
        """Makes every failure a line that the page shows."""
        try:
            yield
        except (ImageError, video_files.VideoError, FloatingPointError) as problem:
            line = f"The {what} cannot be read: {problem}."
            raise _refusal(line) from None
        except Exception as problem:
            # A defect: whoever serves the page sees where. As it ends, all may fail.
            if os.path.exists(self._folder):
                traceback.print_exc()
            line = f"The page failed at this {what}: {type(problem).__name__}."
            raise _refusal(line) from None

    def _uploaded(self, upload):
        """The path of an upload; Gradio has looked too, but that may change."""
        path = os.path.realpath(upload.get("path") or "")
        if os.path.commonpath([path, self._folder]) != self._folder:
            raise ImageError("not an upload")
        return path

    def _picture(self, image, name):
        """A PNG of a picture, for Gradio to hand over as it is."""
        path = self._file(f"{name}.png")
        cv2.imwrite(path, shrunk(image, _SHOWN)[..., ::-1])
        return path

    def _csv(self, rows):
        """A CSV file for the page to hand over."""
        path = self._file("readings.csv")
        with open(path, "w", encoding="utf-8", newline="") as file:
            write_rows(file, rows)
        return path

    def _file(self, name):
        """A path in a folder of its own."""
        scratch.make_room(self._folder)
        return os.path.join(tempfile.mkdtemp(dir=self._folder), name)

    def _looked(self, image, faces):
        """Each face's crop under its Grad-CAM, with what was read."""
        pictures = [Picture("", image, face["landmarks"]) for face in faces]
        crops, _ = windows(pictures, self.predictor.model)
        maps = explain.grad_cam(self.predictor.model, crops)
        return [
            (
                self._picture(attention_maps.overlay(crop, weights), f"face{number}"),
                f"{number} {face.get('expression', '')}".strip(),
            )
            for number, (face, crop, weights) in enumerate(zip(faces, crops, maps), 1)
        ]


def _refusal(line):
    """An error that stays on the page until it is closed, and off the terminal."""
    return gr.Error(line, duration=None, print_exception=False)


def _row(number, face):
    value = lambda name: round(face[name], 3) if name in face else None
    active = " ".join(labels.active_units(face.get("action_units", {})))
    return [number, face.get("expression"), active, *map(value, _NUMBERS)]
