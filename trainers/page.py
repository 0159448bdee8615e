"""`trainers.predict --serve`: a local page for a photograph, webcam or clip.

Gradio (extra `web`) is the page; what it shows is the predictor's. Uploads are
capped in bytes, pixels and frames, one is worked on at a time, and Gradio hands
over nothing but files that were uploaded to it.
"""

import collections
import csv
import os
import shutil
import tempfile

from fer_tf import (
    circumplex,
    explain,
    labels,
    overlay,
    plotting,
    plotting_maps,
    timeline,
    video,
)
from fer_tf.faces.images import read_image
from fer_tf.predictor import Predictor
from trainers.faces import Picture, windows
from trainers.photos import shrunk

MAX_UPLOAD = "64mb"
# A minute at 25 frames a second; longer clips are read to here.
MAX_FRAMES = 1500
# Gradio has a queue for each listener, unless they share one by its name.
_ONE_AT_A_TIME = "reader"
# Pictures are shown no larger than this.
_SHOWN = 1280

_NUMBERS = ("valence", "arousal", "confidence", "enlargement")
_COLUMNS = ("face", "expression", "action units", *_NUMBERS)


def serve(model: str | None, *, host: str, port: int) -> None:
    """Opens the page and stays until it is interrupted.

    Args:
        model: What `fer_tf.load` takes.
        host: Address to listen on.
        port: Port there; 0 takes a free one.

    Raises:
        ValueError: If Gradio is not installed.
        OSError: If the port is taken.
    """
    page = build(Predictor(model))
    page.queue(max_size=16, default_concurrency_limit=1)
    page.launch(
        server_name=host, server_port=port or None, max_file_size=MAX_UPLOAD,
        share=False, quiet=True, prevent_thread_lock=True, footer_links=[],
    )  # fmt: skip
    print(f"serving {page.local_url}, Ctrl-C ends it", flush=True)
    page.block_thread()


def build(predictor: Predictor):
    """Returns the page as `gradio.Blocks`."""
    # Gradio reports every start to its makers unless told not to.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    try:
        import gradio as gr
    except ImportError as error:
        raise ValueError(
            "the page needs Gradio, the extra `web`: pip install -e '.[web]'"
        ) from error

    reader = _Reader(predictor, gr.Error)
    hour = 3600
    with gr.Blocks(
        title="fer-tf", analytics_enabled=False, delete_cache=(hour, hour)
    ) as page:
        gr.Markdown(
            f"### Emotion in faces\nModel `{predictor.card.model}`. A reading is what "
            "a face shows to a network that learned from labelled pictures; it is not "
            "what somebody feels."
        )
        with gr.Tab("Photograph"):
            _photograph_tab(gr, reader)
        with gr.Tab("Clip"):
            _clip_tab(gr, reader)
    return page


def _photograph_tab(gr, reader):
    model, name = reader.predictor.model, "valence_arousal"
    dimensional = name in model.output and model.card.reads(name)
    with gr.Row():
        photo = gr.Image(
            type="filepath", sources=["upload", "webcam", "clipboard"],
            label="photograph", elem_id="photo",
        )  # fmt: skip
        drawn = gr.Image(label="faces", format="png", elem_id="drawn",
                         buttons=["download", "fullscreen"])  # fmt: skip
    said = gr.Markdown(elem_id="said")
    table = gr.Dataframe(headers=list(_COLUMNS), label="readings",
                         interactive=False, elem_id="table")  # fmt: skip
    with gr.Row():
        bars = gr.Plot(label="probabilities")
        plane = gr.Plot(label="circumplex", visible=dimensional)
        looked = gr.Gallery(
            label="where it looked (Grad-CAM)", columns=4, height=260,
            object_fit="contain", fit_columns=False, elem_id="looked",
            buttons=["download", "fullscreen"],
        )  # fmt: skip
    file = gr.File(label="the readings as CSV", elem_id="csv")
    outputs = [drawn, said, table, bars, plane, looked, file]
    photo.change(
        reader.photo, photo, outputs, api_name="photo", concurrency_id=_ONE_AT_A_TIME
    )


def _clip_tab(gr, reader):
    with gr.Row():
        clip = gr.Video(sources=["upload", "webcam"], label="clip",
                        elem_id="clip")  # fmt: skip
        played = gr.Video(label="faces", elem_id="played")
    every = gr.Slider(1, 10, 2, step=1, label="read every n-th frame")
    start = gr.Button("Read the clip", variant="primary")
    told = gr.Markdown()
    spans = gr.Plot(label="each person over time")
    lines = gr.File(label="the readings as CSV")
    results = [played, told, spans, lines]
    inputs = [clip, every]
    start.click(
        reader.clip, inputs, results, api_name="clip", concurrency_id=_ONE_AT_A_TIME
    )


class _Reader:
    """What happens to an upload; every failure is one line on the page."""

    def __init__(self, predictor, error):
        self.predictor, self.error = predictor, error
        self._scratch = tempfile.TemporaryDirectory(prefix="fer-tf-")
        self._folders = collections.deque()

    def photo(self, path):
        """One photograph -> everything that the first tab shows."""
        if path is None:
            return None, "", [], None, None, [], None
        try:
            image = read_image(path)
        except ValueError as problem:
            raise self.error(f"The picture cannot be read: {problem}.") from None
        try:
            faces = self.predictor.predict(image)
        except FloatingPointError as problem:
            raise self.error(f"{problem}.") from None
        said = f"{len(faces)} face{'s' * (len(faces) != 1)} found."
        if not faces:
            return shrunk(image, _SHOWN), "No face found.", [], None, None, [], None
        rows = [_row(number, face) for number, face in enumerate(faces, 1)]
        return (
            shrunk(overlay.draw_faces(image, faces), _SHOWN), said, rows,
            plotting.bars(faces), circumplex.circumplex(faces),
            self._looked(image, faces[:8]), self._csv([_COLUMNS, *rows]),
        )  # fmt: skip

    def clip(self, path, every):
        """One clip -> everything that the second tab shows."""
        if path is None:
            raise self.error("There is no clip yet.")
        target, line = self._file("faces.mp4"), timeline.Timeline()
        rows, note, seen = [("frame", "time", *_COLUMNS)], "", 0
        try:
            writer = video.VideoWriter(target)
        except video.VideoError as problem:  # No PyAV.
            raise self.error(f"{problem}.") from None
        # The block outlives a damaged clip: what was drawn of it is to be finished.
        with writer:
            try:
                for frame, faces in self.predictor.predict_video(path, every=every):
                    writer.write(overlay.draw_faces(frame.image, faces), frame.time)
                    seen += 1
                    line.add(frame.time, faces)
                    when = frame.index, round(frame.time, 3)
                    rows += [(*when, *_row(face["track_id"], face)) for face in faces]
                    if seen == MAX_FRAMES:
                        note = f" The rest, after {frame.time:.0f} s, was not read."
                        break
            except (video.VideoError, FloatingPointError) as problem:
                if not seen:
                    raise self.error(f"The clip cannot be read: {problem}.") from None
                note = f" Then: {problem}."
        people = len({row[2] for row in rows[1:]})
        said = f"{seen} frames read, {people} people.{note}"
        return target, said, line.figure(), self._csv(rows)

    def _csv(self, rows):
        """A CSV file for the page to hand over."""
        path = self._file("readings.csv")
        with open(path, "w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
        return path

    def _file(self, name):
        """A path in a folder of its own; Gradio takes a copy of what is there."""
        folder = tempfile.mkdtemp(dir=self._scratch.name)
        self._folders.append(folder)
        if len(self._folders) > 16:
            shutil.rmtree(self._folders.popleft(), ignore_errors=True)
        return os.path.join(folder, name)

    def _looked(self, image, faces):
        """Each face's crop under its Grad-CAM, with what was read."""
        pictures = [Picture("", image, face["landmarks"]) for face in faces]
        crops, _ = windows(pictures, self.predictor.model)
        maps = explain.grad_cam(self.predictor.model, crops)
        return [
            (
                plotting_maps.overlay(crop, weights),
                f"{number} {face.get('expression', '')}".strip(),
            )
            for number, (face, crop, weights) in enumerate(zip(faces, crops, maps), 1)
        ]


def _row(number, face):
    value = lambda name: round(face[name], 3) if name in face else None
    active = " ".join(labels.active_units(face.get("action_units", {})))
    return [number, face.get("expression"), active, *map(value, _NUMBERS)]
