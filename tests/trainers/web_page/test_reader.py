import csv
import itertools
import os
import re
import types

import cv2
import numpy as np
import pytest

from fer_tf import face_table
from fer_tf.faces.crop_spec import CROP_SPECS
from fer_tf.model_io.card import Card
from fer_tf.plotting import pixels
from fer_tf.plotting.timeline import Timeline
from fer_tf.video import video_files
from fer_tf.video.video_writer import VideoWriter
from trainers.web_page import decode

gr = pytest.importorskip("gradio", reason="needs Gradio: pip install 'fer-tf[web]'")

from trainers.web_page import reader  # noqa: E402


class Faceless:
    """A predictor that finds nothing, in clips without end."""

    card = Card(
        model="small_resnet", arguments={}, crop_spec=CROP_SPECS["meen"],
        views="center", average="logits", expressions=("neutral", "happiness", "fear"),
    )  # fmt: skip
    model = types.SimpleNamespace(output={"expression": np.zeros((1, 2))}, card=card)

    def predict(self, image):
        return []

    def columns(self, **options):
        return face_table.columns({"expressions": self.card.expressions}, **options)

    def predict_video(self, path, *, every):
        for index in itertools.count(0, every):
            yield (
                video_files.Frame(index, index / 25, np.zeros((32, 32, 3), np.uint8)),
                [],
            )


@pytest.fixture
def page_reader(tmp_path):
    return reader.Reader(Faceless(), str(tmp_path))


def upload(folder, shape=(20, 10, 3), name="photo.png"):
    path = os.path.join(folder, name)
    cv2.imwrite(path, np.zeros(shape, np.uint8))
    return {"path": path}


@pytest.fixture
def clip(tmp_path):
    pytest.importorskip("av")
    path = str(tmp_path / "clip.mp4")
    with VideoWriter(path) as writer:
        for frame in range(20):
            writer.write(np.zeros((32, 32, 3), np.uint8), frame / 25)
    return path


@pytest.fixture
def plain(monkeypatch):
    """Decodes here: another process takes its time to start."""
    monkeypatch.setattr(decode, "read_apart", decode.read_image)


def test_what_is_shown_is_a_file_of_ours(page_reader, plain, tmp_path):
    """Gradio hands it over as it is."""
    drawn, said, *_ = page_reader.photo(upload(tmp_path, (4000, 2, 3)))
    assert said.startswith("No face found. Try ")
    assert drawn.startswith(str(tmp_path))
    assert cv2.imread(drawn).shape == (800, 200, 3)  # With white beside it.


@pytest.mark.parametrize("path", ["/etc/passwd", "", "../x.png", "x\0.png", None])
def test_only_what_was_uploaded_is_read(page_reader, path):
    with pytest.raises(gr.Error, match="picture cannot be read|page failed"):
        page_reader.photo({"path": path})


def test_a_link_out_of_the_folder_is_not_read(page_reader, tmp_path, tmp_path_factory):
    elsewhere = upload(tmp_path_factory.mktemp("elsewhere"))["path"]
    os.symlink(elsewhere, tmp_path / "link.png")
    with pytest.raises(gr.Error, match="not an upload"):
        page_reader.photo({"path": str(tmp_path / "link.png")})


def test_a_defect_is_a_line_on_the_page_and_a_traceback_on_the_terminal(
    page_reader, plain, tmp_path, monkeypatch, capsys
):
    def broken(image):
        raise KeyError("defect")

    monkeypatch.setattr(page_reader.predictor, "predict", broken, raising=False)
    with pytest.raises(gr.Error, match="The page failed at this picture: KeyError"):
        page_reader.photo(upload(tmp_path))
    assert "KeyError: 'defect'" in capsys.readouterr().err


POINTS = [[12.0, 42.0], [26.0, 42.0], [19.0, 50.0], [14.0, 58.0], [24.0, 58.0]]


def face(number):
    odds = {"neutral": 0.25, "happiness": 0.75}
    return {
        "box": [4 + 40 * number, 30, 30, 40], "landmarks": POINTS, "confidence": 0.99,
        "expression": "happiness", "probabilities": odds, "track": 1,
    }  # fmt: skip


def test_boxes_have_the_numbers_of_the_cards_and_of_the_codebooks_table(
    page_reader, plain, tmp_path, monkeypatch
):
    labels = []
    faces = [face(0), face(1) | {"unsure": True}]
    monkeypatch.setattr(
        page_reader.predictor, "predict", lambda _: faces, raising=False
    )
    monkeypatch.setattr(page_reader, "_looked", lambda *_: [])
    note = lambda picture, text, *rest: labels.append(text)
    monkeypatch.setattr(pixels, "draw_label", note)
    _, said, about, _, cards, file = page_reader.photo(upload(tmp_path, (90, 300, 3)))
    assert said == "2 faces found."
    assert about == "1 happiness, 2 happiness? unsure"
    assert labels == ["1 happiness 75%", "2 happiness 75%? unsure"]
    assert re.findall("<figcaption>(.*?)</figcaption>", cards) == about.split(", ")
    with open(file, newline="") as opened:
        lines = list(csv.DictReader(opened))
    assert list(lines[0]) == page_reader.predictor.columns(pictures=False)
    assert [line["face"] for line in lines] == ["1", "2"]
    assert [line["happiness"] for line in lines] == ["0.75", "0.75"]
    assert [line["x"] for line in lines] == ["4", "44"]


def test_one_person_is_one_person(page_reader, clip, monkeypatch):
    frame = video_files.Frame(0, 0.0, np.zeros((96, 96, 3), np.uint8))
    said = lambda path, every: iter([(frame, [face(0)])])
    monkeypatch.setattr(page_reader.predictor, "predict_video", said, raising=False)
    _, said, _, file = page_reader.clip(clip, 1)
    assert said == "1 frame read, 1 person."
    with open(file, newline="") as opened:
        assert next(csv.DictReader(opened))["neutral"] == "0.25"


def test_a_clip_ends_at_so_many_frames(page_reader, clip, monkeypatch):
    monkeypatch.setattr(reader, "MAX_FRAMES", 7)
    path, said, _, lines = page_reader.clip(clip, 2)
    assert said == "7 frames read, 0 people. The rest, after 0 s, was not read."
    assert len(list(video_files.read_frames(path))) == 7
    with open(lines, newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["frame"] for row in rows] == [str(2 * n) for n in range(7)]
    assert {row["source"] for row in rows} == {"clip.mp4"}


def test_a_clip_ends_after_so_many_seconds(page_reader, clip, monkeypatch):
    monkeypatch.setattr(reader, "MAX_SECONDS", 0.2)
    monkeypatch.setattr(reader, "MAX_FRAMES", 10**9)
    path, said, *_ = page_reader.clip(clip, 1)
    assert "was not read" in said
    assert 1 <= len(list(video_files.read_frames(path)))


class TwoTracks(Faceless):
    """A face, and after a cut its like."""

    def predict_video(self, path, *, every):
        for index, (frame, _) in zip(range(20), super().predict_video(path, every=1)):
            seen = {**face(0), "box": [4, 4, 20, 24], "track": 1 + index // 10}
            yield frame, [seen]


def test_a_clip_shows_people_not_tracks(clip, tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(Timeline, "figure", watched(Timeline.figure, figures))
    path, said, picture, lines = reader.Reader(TwoTracks(), str(tmp_path)).clip(clip, 1)
    assert said == "20 frames read, 1 person."
    titles = [axes.get_title(loc="left") for axes in figures[0].axes]
    assert [title for title in titles if title] == ["person 1"]
    assert picture.endswith(".png") and cv2.imread(picture) is not None
    with open(lines, newline="") as opened:
        seen = [(row["person"], row["track"]) for row in csv.DictReader(opened)]
    assert seen == [("1", "1")] * 10 + [("1", "2")] * 10
    assert len(list(video_files.read_frames(path))) == 20


def watched(call, results):
    """The same call, whose results are kept."""

    def wrapped(*args):
        results.append(call(*args))
        return results[-1]

    return wrapped


@pytest.mark.parametrize("embedded", [False, True])
def test_a_clip_has_as_many_people_as_asked_for(clip, tmp_path, embedded):
    """Though the two look alike; and faces go to the embedder where there is one."""
    crops = []

    class Embedder:
        def embed(self, faces):
            crops.extend(faces)
            return np.zeros((len(faces), 128))

    read = reader.Reader(TwoTracks(), str(tmp_path), Embedder() if embedded else None)
    assert read.clip(clip, 1, 2)[1] == "20 frames read, 2 people."
    assert bool(crops) == embedded


def test_a_clip_ends_when_the_page_does(page_reader, monkeypatch):
    pytest.importorskip("av")
    monkeypatch.setattr(reader, "MAX_FRAMES", 100)
    read = []

    def removed(path, *, every):
        for each in Faceless().predict_video(path, every=every):
            read.append(each)
            if len(read) == 5:
                os.rename(page_reader._folder, f"{page_reader._folder}.gone")
            yield each

    monkeypatch.setattr(page_reader.predictor, "predict_video", removed, raising=False)
    # Its other results have no place any more.
    with pytest.raises((gr.Error, FileNotFoundError)):
        page_reader.clip("clip.mp4", 1)
    assert len(read) == 5
