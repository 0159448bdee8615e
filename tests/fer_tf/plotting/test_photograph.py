import itertools

import numpy as np
import pytest

from fer_tf.plotting import photograph, pixels
from fer_tf.plotting.colors import COLORS, rgb
from fer_tf.plotting.photograph import annotated

NOISE = np.random.default_rng(0).integers(0, 256, (534, 800, 3), np.uint8)
# Four heads in a row, as in a family's photograph.
BOXES = [[304, 175, 104, 145], [405, 211, 84, 124], [502, 218, 84, 107],
         [209, 145, 83, 100]]  # fmt: skip
# Of a picture 800 pixels wide and 534 high, drawn 576 high.
WIDTH = round(576 * 800 / 534)


def four_faces(**more):
    names = list(COLORS)
    odds = [0.3, *[0.1] * 7]
    return [
        dict(box=box, landmarks=np.add(box[:2], 40 * np.ones((5, 2))),
             expression=names[i],
             probabilities=dict(zip(names[i:] + names[:i], odds)), **more)
        for i, box in enumerate(BOXES)
    ]  # fmt: skip


@pytest.fixture
def labels(monkeypatch):
    """`(text, box, colour)` of every label that is drawn."""
    drawn, draw = [], pixels.draw_label

    def note(picture, text, box, color, size):
        drawn.append((text, box, color))
        draw(picture, text, box, color, size)

    monkeypatch.setattr(pixels, "draw_label", note)
    return drawn


@pytest.fixture
def written(monkeypatch):
    """`(text, x, y, size)` of every line of words, in the array it is written to."""
    words, write = [], pixels.write

    def note(picture, text, corner, size, color):
        words.append((text, *corner, size))
        write(picture, text, corner, size, color)

    monkeypatch.setattr(pixels, "write", note)
    return words


def overlap(a, b):
    return (a[0] < b[0] + b[2] and b[0] < a[0] + a[2]
            and a[1] < b[1] + b[3] and b[1] < a[1] + a[3])  # fmt: skip


@pytest.mark.parametrize("shape", [(2, 3000), (3000, 2)])
def test_a_strip_of_a_picture_is_drawn_at_a_size_that_can_be_held(shape):
    face = dict(box=[0, 0, 2, 2], landmarks=np.zeros((5, 2)), expression="fear",
                probabilities=dict(fear=1.0))  # fmt: skip
    image = np.zeros((*shape, 3), np.uint8)
    for faces in ([], [face]):
        assert max(annotated(image, faces).size) <= 4 * 576 + 300


def test_a_large_photograph_is_drawn_small_at_its_own_places():
    face = dict(box=[3000, 2000, 800, 1000], landmarks=np.full((5, 2), 3200.0),
                expression="fear", probabilities=dict(fear=1.0))  # fmt: skip
    drawn = np.asarray(annotated(np.zeros((6000, 8000, 3), np.uint8), [face]))
    assert drawn.shape == (576, 768 + 300, 3)
    fear = (drawn[:, :768] == rgb(COLORS["fear"])).all(-1)
    # 0.096 of its own pixels: from 288 to 364.8, and from 192 to 288; a point at 307.
    assert fear[240, 287:290].any() and fear[240, 364:367].any()
    assert fear[191:194, 320].any() and fear[287:290, 320].any()
    assert fear[307, 307] and not fear[240, 295:360].any()


def test_a_small_photograph_is_drawn_as_high_as_asked():
    assert annotated(NOISE[:60, :80], []).size == (768, 576)
    assert annotated(NOISE[:60, :80], [], height=90).size == (120, 90)


@pytest.mark.parametrize("name", ["valence", "arousal"])
def test_a_model_of_one_dimension_titles_its_faces(name, written):
    face = {"box": [10, 10, 40, 40], "landmarks": np.full((5, 2), 20.0), name: -0.25}
    annotated(np.zeros((90, 90, 3), np.uint8), [face])
    assert f"face 1  {name[0]} -0.25" in [text for text, *_ in written]


@pytest.mark.parametrize("unsure", [False, True])
def test_labels_of_four_neighbours_cover_neither_each_other_nor_the_edge(
    unsure, labels
):
    annotated(NOISE, four_faces(unsure=unsure))
    assert len(labels) == 4
    for (_, one, _), (_, other, _) in itertools.combinations(labels, 2):
        assert not overlap(one, other)
    for text, (x, y, w, h), color in labels:
        assert x >= 0 and y >= 0 and x + w <= WIDTH and y + h <= 576
        assert pixels.text_size(text, 15)[0] <= w
        assert unsure == (color == "#ffffff")
        assert ("unsure" in text) == (unsure and not text.isdigit())
    # One that would stand far from its face is the number alone.
    assert sum(text.isdigit() for text, *_ in labels) <= unsure


def test_a_face_in_doubt_has_another_box_and_pale_bars():
    sure, unsure = (
        np.asarray(annotated(np.zeros_like(NOISE), four_faces(unsure=u)[:1]))
        for u in (False, True)
    )
    scale = 576 / 534
    left, top, height = round(304 * scale), round(175 * scale), round(145 * scale)
    line = slice(top + 5, top + height - 5)
    neutral = rgb(COLORS["neutral"])
    assert (sure[line, left] == neutral).all()
    # White and the dark line below it by turns.
    white = (unsure[line, left] > 200).all(-1)
    assert 0.3 < white.mean() < 0.8 and np.count_nonzero(np.diff(white)) >= 10
    count = lambda drawn: (drawn[:, WIDTH:] == rgb(COLORS["anger"])).all(-1).sum()
    assert count(sure) > 50 and count(unsure) == 0


def test_bars_are_as_long_as_their_values_and_say_them(written):
    values = dict(happiness=0.75, fear=0.25, anger=0.0)
    face = {**four_faces()[0], "expression": "happiness", "probabilities": values}
    drawn = np.asarray(annotated(NOISE, [face]))[:, WIDTH:]
    length = lambda name: (drawn == rgb(COLORS[name])).all(-1).any(0).sum()
    assert length("happiness") - 1 == pytest.approx(3 * (length("fear") - 1), abs=2)
    texts = [text for text, *_ in written]
    assert ["happiness", "75%", "fear", "25%", "anger", "0%"] == texts[2:]


@pytest.mark.parametrize("units", [{}, True])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_no_line_of_a_panel_reaches_into_another(count, units, written):
    units = units and {f"AU{number}": 0.5 for number in range(1, 13)}
    annotated(NOISE, four_faces(action_units=units)[:count])
    words = written[count:]  # After the labels.
    assert min(size for *_, size in words) >= 8
    panels = [i for i, (text, *_) in enumerate(words) if text.startswith("face ")]
    assert len(panels) == (2 if units and count > 2 else count)
    for begin, end in zip(panels, [*panels[1:], len(words)]):
        boxes = [(x, y, *pixels.text_size(text, size))
                 for text, x, y, size in words[begin:end]]  # fmt: skip
        for one, other in itertools.combinations(boxes, 2):
            # The lines of a font have room above and below their letters.
            inner = lambda box: (box[0], box[1] + 2, box[2], box[3] - 4)
            assert not overlap(inner(one), inner(other))
        high = (576 - 8) // len(panels) - 8
        assert max(y + h for _, y, _, h in boxes) <= high + 2
        assert min(x for x, *_ in boxes) >= 0
        assert max(x + w for x, _, w, _ in boxes) <= 300


def test_a_crowd_in_a_small_picture_has_numbers(labels):
    annotated(np.ascontiguousarray(NOISE[150:330, 200:600]), four_faces() * 4)
    assert len(labels) == 16 and {text for text, *_ in labels} & set("123456789")
    for (_, one, _), (_, other, _) in itertools.combinations(labels, 2):
        assert not overlap(one, other)


def test_a_picture_without_faces_says_so(labels):
    drawn = annotated(NOISE, [])
    ((text, (x, y, w, h), _),) = labels
    assert text == "no face found" and drawn.size == (WIDTH, 576)
    assert x > 0 and y > 0 and x + w < WIDTH


def test_a_face_without_detail_looks_blurred_and_a_tiny_one_small(labels, written):
    faces = four_faces(sharpness=0.1)
    faces[1]["box"] = [405, 211, 12, 14]
    annotated(np.full_like(NOISE, 90), faces)
    assert [text.split("? ")[1] for text, *_ in labels] == [
        "blurred", "small", "blurred", "blurred"
    ]  # fmt: skip
    assert "face 2, small" in [text for text, *_ in written]


def test_a_long_name_of_a_class_stays_in_its_panel(written):
    name = "a class with a name of very many words"
    face = {**four_faces()[0], "expression": name, "probabilities": {name: 1.0}}
    annotated(NOISE, [face])
    ((_, x, _, size),) = [row for row in written if row[0] == name]
    assert x >= 0 and size >= 8
    bar = x + pixels.text_size(name, size)[0] + photograph._GAP
    assert bar < 300


def test_landmarks_do_not_hide_a_small_face():
    small = dict(box=[100, 100, 30, 40], landmarks=np.full((5, 2), 115.0),
                 expression="fear", probabilities=dict(fear=1.0))  # fmt: skip
    large = {**small, "box": [80, 60, 80, 100]}
    fear = lambda face: (
        np.asarray(annotated(np.zeros((576, 768, 3), np.uint8), [face]))[115, 115]
        == rgb(COLORS["fear"])
    ).all()
    assert fear(large) and not fear(small)
