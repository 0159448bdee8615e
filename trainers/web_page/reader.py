"""From an upload of the page, a photograph or a clip, to what the page shows."""

import contextlib
import itertools
import os
import tempfile
import time
import traceback

import gradio as gr
import numpy as np

from fer_tf import explain
from fer_tf.faces.images import ImageError
from fer_tf.faces.sharpness import doubt
from fer_tf.plotting import attention_maps, circumplex, overlay, photograph
from fer_tf.plotting.pixels import save_png
from fer_tf.plotting.style import save_figure
from fer_tf.plotting.timeline import Timeline
from fer_tf.video import video_files
from fer_tf.video.people import People
from fer_tf.video.video_writer import VideoWriter
from trainers.common.terminal import counted
from trainers.explanation.faces import Picture, windows
from trainers.prediction import csv_table
from trainers.web_page import cards, decode, scratch

# A clip is read up to this many frames, a minute at 25 frames a second, and for this
# many seconds at most.
MAX_FRAMES = 1500
MAX_SECONDS = 120
# Pixels of the height of a photograph that is shown.
_SHOWN_HEIGHT = 800
# Most faces whose Grad-CAM is shown.
_EXPLAINED = 8

_NOTHING = ("", None, "", None)
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
        embedder: See `fer_tf.video.people.People`.
    """

    def __init__(self, predictor, folder: str, embedder=None):
        self.predictor, self._folder = predictor, os.path.realpath(folder)
        self._embedder = embedder

    def photo(self, upload: dict | None) -> tuple:
        """Reads a photograph for the first tab.

        Args:
            upload: As Gradio describes it, with its "path".

        Returns:
            Path of the drawn picture, a sentence, the faces in a line, path of a
            picture of the circumplex, the faces as HTML, path of the CSV file.
        """
        if upload is None:
            return None, "", *_NOTHING
        with self._one_line("picture"):
            path = self._uploaded(upload)
            image = decode.read_apart(path)
            faces = self.predictor.predict(image)
            if not faces:
                return self._drawn(image, []), _NO_FACE, *_NOTHING
            columns = self.predictor.columns(pictures=False)
            record = {"source": os.path.basename(path), "faces": faces}
            return (
                self._drawn(image, faces),
                f"{counted(len(faces), 'face', 'faces')} found.", _in_a_line(faces),
                self._figure(circumplex.circumplex(faces), "circumplex"),
                cards.cards(faces, self._looked(image, faces[:_EXPLAINED])),
                self._csv([record], columns),
            )  # fmt: skip

    def clip(self, path: str | None, every: int, count: int | None = None) -> tuple:
        """Reads every n-th frame of a clip for the second tab.

        Args:
            path: Of the clip.
            every: Reads every n-th frame.
            count: How many people it shows, if that is known.

        Returns:
            Path of the drawn clip, a sentence, path of a picture of the timeline, path
            of the CSV file.
        """
        if path is None:
            raise _refusal("There is no clip yet. Upload or record one first.")
        read, people, note = [], People(self._embedder), ""
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
            persons = people.persons(count)
            for face in itertools.chain(*(faces for _, _, faces in read)):
                face["person"] = persons[face["track"]]
            target = self._file("faces.mp4")
            figure = _drawn_again(path, every, read, target, people.portraits(persons))
        seen = counted(len({*persons.values()} - {None}), "person", "people")
        sentence = f"{counted(len(read), 'frame', 'frames')} read, {seen}.{note}"
        name = os.path.basename(path)
        records = [
            {"source": name, "frame": index, "time": round(when, 6), "faces": faces}
            for index, when, faces in read
        ]
        columns = self.predictor.columns(pictures=False, videos=True, smoothed=True)
        picture = self._figure(figure, "timeline")
        return target, sentence, picture, self._csv(records, columns)

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

    def _drawn(self, image, faces):
        """Writes the photograph with its faces as PNG, which Gradio passes on."""
        path = self._file("faces.png")
        drawn = photograph.annotated(image, faces, height=_SHOWN_HEIGHT)
        save_png(np.asarray(drawn), path)
        return path

    def _figure(self, figure, name):
        """Writes a figure as PNG; returns its path."""
        path = self._file(f"{name}.png")
        save_figure(figure, path, dpi=160)
        return path

    def _csv(self, records, columns):
        """Writes records as `trainers.predict` does; returns the table's path."""
        path = self._file("readings.csv")
        csv_table.write(path, records, columns)
        return path

    def _file(self, name):
        """A path in a new folder of the scratch."""
        scratch.make_room(self._folder)
        return os.path.join(tempfile.mkdtemp(dir=self._folder), name)

    def _looked(self, image, faces):
        """Each face's crop under its Grad-CAM."""
        pictures = [Picture("", image, face["landmarks"]) for face in faces]
        crops, _ = windows(pictures, self.predictor.model)
        maps = explain.grad_cam(self.predictor.model, crops)
        return [attention_maps.overlay(*pair) for pair in zip(crops, maps)]


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


def _in_a_line(faces):
    """The labels of the boxes: `1 happiness, 2 neutral? unsure`."""
    named = (face.get("expression", "face") for face in faces)
    doubted = (f"? {why}" if (why := doubt(face)) else "" for face in faces)
    return ", ".join(
        f"{number} {name}{why}"
        for number, (name, why) in enumerate(zip(named, doubted), 1)
    )
