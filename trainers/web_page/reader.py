"""From an upload of the page, a photograph or a clip, to what the page shows."""

import contextlib
import itertools
import os
import tempfile
import time
import traceback

import cv2
import gradio as gr

from fer_tf import explain, labels
from fer_tf.face_types import Face
from fer_tf.faces.images import ImageError
from fer_tf.faces.pyramid import shrunk
from fer_tf.model_io.serving import names_inside
from fer_tf.plotting import attention_maps, circumplex, overlay, photograph
from fer_tf.plotting.style import save_figure
from fer_tf.plotting.timeline import Timeline
from fer_tf.video import video_files
from fer_tf.video.people import People
from fer_tf.video.video_writer import VideoWriter
from trainers.common.terminal import counted
from trainers.explanation.faces import Picture, windows
from trainers.prediction.csv_table import write_rows
from trainers.web_page import decode, scratch

# A clip is read up to this many frames, a minute at 25 frames a second, and for this
# many seconds at most.
MAX_FRAMES = 1500
MAX_SECONDS = 120
# Most pixels of the longer side of a picture that is shown.
_SHOWN = 1280
# Most faces whose Grad-CAM is shown.
_EXPLAINED = 8

_NUMBERS = ("valence", "arousal", "confidence", "enlargement")
# By the codebook's names: the confidence is the detector's, not the expression's.
_NAMES = ("valence", "arousal", "face_score", "enlargement")
_COLUMNS = ("face", "expression", "action units", *_NAMES)
_CLIP_COLUMNS = ("person", "track", *_COLUMNS[1:])
_NOTHING = ([], None, [], None)
_TRY = {
    "picture": "Try to save it as JPEG or PNG.",
    "clip": "Try to save it as MP4 (H.264).",
}
_NO_FACE = (
    "No face found. Try a picture in which faces are upright, seen from the front and "
    "at least 40 pixels high."
)


class Reader:
    """Reads uploads; every failure is one line on the page.

    Args:
        predictor: A `fer_tf.Predictor`.
        folder: The page's scratch, for uploads and results.
    """

    columns = _COLUMNS

    def __init__(self, predictor, folder: str):
        self.predictor, self._folder = predictor, os.path.realpath(folder)
        self._expressions = names_inside(predictor.model).get("expressions", [])

    def photo(self, upload: dict | None) -> tuple:
        """Reads a photograph for the first tab.

        Args:
            upload: As Gradio describes it, with its "path".

        Returns:
            Path of the drawn picture, a sentence, rows of the table, a figure of the
            circumplex, a gallery, path of the CSV file.
        """
        if upload is None:
            return None, "", *_NOTHING
        with self._one_line("picture"):
            image = decode.read_apart(self._uploaded(upload))
            faces = self.predictor.predict(image)
            if not faces:
                return self._picture(image, "faces"), _NO_FACE, *_NOTHING
            sentence = f"{counted(len(faces), 'face', 'faces')} found."
            rows = [_row(number, face) for number, face in enumerate(faces, 1)]
            whole = [[*row, *self._odds(face)] for row, face in zip(rows, faces)]
            return (
                self._figure(photograph.annotated(image, faces)),
                sentence, rows, circumplex.circumplex(faces),
                self._looked(image, faces[:_EXPLAINED]),
                self._csv([(*_COLUMNS, *self._expressions), *whole]),
            )  # fmt: skip

    def clip(self, path: str | None, every: int) -> tuple:
        """Reads every n-th frame of a clip for the second tab.

        Returns:
            Path of the drawn clip, a sentence, the timeline, path of the CSV file.
        """
        if path is None:
            raise _refusal("There is no clip yet. Upload or record one first.")
        read, people, note = [], People(), ""
        limit = time.monotonic() + MAX_SECONDS
        with self._one_line("clip"):
            try:
                for frame, faces in self.predictor.predict_video(path, every=every):
                    people.add(frame.image, frame.time, faces)
                    read.append((frame.index, frame.time, faces))
                    if not os.path.exists(self._folder):  # The page has ended.
                        raise video_files.VideoError("interrupted")
                    if len(read) == MAX_FRAMES or time.monotonic() > limit:
                        note = f" The rest, after {frame.time:.0f} s, was not read."
                        break
            except (video_files.VideoError, FloatingPointError) as problem:
                if not read:
                    raise
                note = f" Then: {problem}."
            persons = people.persons()
            for face in itertools.chain(*(faces for _, _, faces in read)):
                face["person"] = persons[face["track"]]
            target = self._file("faces.mp4")
            figure = _drawn_again(path, every, read, target, people.portraits(persons))
        count = counted(len({*persons.values()} - {None}), "person", "people")
        sentence = f"{counted(len(read), 'frame', 'frames')} read, {count}.{note}"
        rows = [("frame", "time", *_CLIP_COLUMNS, *self._expressions)]
        rows += [
            (index, round(when, 3), face["person"], *_row(face["track"], face),
             *self._odds(face))
            for index, when, faces in read
            for face in faces
        ]  # fmt: skip
        return target, sentence, figure, self._csv(rows)

    @contextlib.contextmanager
    def _one_line(self, what):
        """Turns every failure into a line that the page shows."""
        try:
            yield
        except (ImageError, video_files.VideoError, FloatingPointError) as problem:
            line = f"The {what} cannot be read: {problem}. {_TRY[what]}"
            raise _refusal(line) from None
        except Exception as problem:
            # A defect, which the terminal shows; but while the page ends all may fail.
            if os.path.exists(self._folder):
                traceback.print_exc()
            line = (
                f"The page failed at this {what}: {type(problem).__name__}. Try "
                "another; the terminal of the page shows what went wrong."
            )
            raise _refusal(line) from None

    def _uploaded(self, upload):
        """The path of an upload. Gradio checks that too, but may cease to."""
        path = os.path.realpath(upload.get("path") or "")
        if os.path.commonpath([path, self._folder]) != self._folder:
            raise ImageError("not an upload")
        return path

    def _picture(self, image, name):
        """Writes a picture as PNG, which Gradio passes on as it is."""
        path = self._file(f"{name}.png")
        cv2.imwrite(path, shrunk(image, _SHOWN)[..., ::-1])
        return path

    def _figure(self, figure):
        """Writes a figure as PNG; returns its path."""
        path = self._file("faces.png")
        save_figure(figure, path, dpi=160)
        return path

    def _odds(self, face):
        """The probability of each expression, as the CSV file has it."""
        odds = face.get("probabilities", {})
        return [round(odds[name], 4) if name in odds else None
                for name in self._expressions]  # fmt: skip

    def _csv(self, rows):
        """Writes rows as a CSV file; returns its path."""
        path = self._file("readings.csv")
        with open(path, "w", encoding="utf-8", newline="") as file:
            write_rows(file, rows)
        return path

    def _file(self, name):
        """A path in a new folder of the scratch."""
        scratch.make_room(self._folder)
        return os.path.join(tempfile.mkdtemp(dir=self._folder), name)

    def _looked(self, image, faces):
        """Each face's crop under its Grad-CAM, with its number and expression."""
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


def _drawn_again(path, every, read, target, portraits):
    """Writes the clip with its people and its sound; returns the timeline."""
    timeline, frames = Timeline(), video_files.read_frames(path, every=every)
    with VideoWriter(target, sound=path) as writer:
        for (_, when, faces), frame in zip(read, frames):
            writer.write(overlay.draw_faces(frame.image, faces), when)
            timeline.add(when, faces)
    return timeline.figure(portraits)


def _refusal(line):
    """An error that stays on the page until it is closed, and off the terminal."""
    return gr.Error(line, duration=None, print_exception=False)


def _row(number: int, face: Face) -> list:
    value = lambda name: round(face[name], 3) if name in face else None
    active = " ".join(labels.active_units(face.get("action_units", {})))
    return [number, face.get("expression"), active, *map(value, _NUMBERS)]
