"""The papers' figures of what networks look at: Gan et al. 5-8, Meen et al. 3 and 4.

The figures themselves are missing from the texts that we have; captions and text state
what they show. Every figure takes the first faces in order, never the ones that look
best.
"""

import numpy as np
from matplotlib.figure import Figure

from fer_tf import explain
from fer_tf.explain.localisation import enlarged
from fer_tf.plotting import attention_maps
from trainers.explanation.explained import Explained

# The order of the rows (RAF-DB) and of the columns (CK+) in Gan et al. By its caption,
# Fig. 7 runs from right to left.
_RAF = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
_CK = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")

_MOST_PEOPLE = 6
_MOST_MAPS = 6


def gan_5(models: list[Explained], target: str | None = None) -> Figure:
    """Rows: expressions. Columns: Grad-CAM and guided Grad-CAM of each network."""
    order = _first_of_each(models[0].pictures, _RAF)
    rows = list(order.values())
    cells = [[attention_maps.face(models[0].images[row])] for row in rows]
    columns = ["face"]
    for model in models:
        maps = model.explain(rows, target=target)
        for place, row in enumerate(rows):
            cells[place] += [
                attention_maps.overlay(model.images[row], maps["grad_cam"][place]),
                attention_maps.signed(maps["guided_grad_cam"][place]),
            ]
        columns += [f"{model.name}\nGrad-CAM", "guided\nGrad-CAM"]
    return attention_maps.grid(cells, rows=list(order), columns=columns, bar=True)


def gan_6(models: list[Explained], target: str | None = None) -> Figure:
    """Rows: expressions. Columns: people, with Grad-CAM over their faces."""
    model = _only(models)
    people = {}
    for row, picture in enumerate(model.pictures):
        people.setdefault(picture.expression, {}).setdefault(picture.person, row)
    shown = [name for name in _RAF if name in people]
    _require_labels(shown)
    cells = [
        _overlays(model, list(people[name].values())[:_MOST_PEOPLE], target)
        for name in shown
    ]
    title = f"{model.name}: Grad-CAM of several people"
    return attention_maps.grid(cells, rows=shown, title=title, bar=True)


def gan_7(models: list[Explained], target: str | None = None) -> Figure:
    """Rows: networks. Columns: expressions, with guided Grad-CAM."""
    order = dict(reversed(_first_of_each(models[0].pictures, _CK).items()))
    rows = list(order.values())
    cells = [[attention_maps.face(models[0].images[row]) for row in rows]]
    for model in models:
        maps = model.explain(rows, target=target)["guided_grad_cam"]
        cells.append([attention_maps.signed(values) for values in maps])
    names = ["face", *(model.name for model in models)]
    return attention_maps.grid(
        cells, rows=names, columns=list(order), title="guided Grad-CAM"
    )


def gan_8(models: list[Explained], target: str | None = None) -> Figure:
    """Rows: people. Columns: their expressions, with Grad-CAM over the faces."""
    model = _only(models)
    people = {}
    for row, picture in enumerate(model.pictures):
        if picture.expression in _CK:
            person = people.setdefault(picture.person, {})
            person.setdefault(picture.expression, row)
    # People with the most expressions come first; the sort keeps the order of equals.
    names = sorted(people, key=lambda name: len(people[name]), reverse=True)
    shown = {name: people[name] for name in names[:_MOST_PEOPLE]}
    _require_labels(shown)
    columns = [name for name in _CK if any(name in rows for rows in shown.values())]
    cells = []
    for rows in shown.values():
        drawn = dict(zip(rows, _overlays(model, list(rows.values()), target)))
        cells.append([drawn.get(name) for name in columns])
    title = f"{model.name}: Grad-CAM, a person a row"
    return attention_maps.grid(
        cells, rows=[_short(name) for name in shown], columns=columns, title=title,
        bar=True,
    )  # fmt: skip


def meen_3(models: list[Explained], target: str | None = None) -> Figure:
    """Rows: faces. Columns: the face times each facial feature (Eq. 1)."""
    return _products(models, "U · image (Eq. 1)", lambda u: u)


def meen_4(models: list[Explained], target: str | None = None) -> Figure:
    """Rows: faces. Columns: the face times one plus each facial feature (Eq. 2)."""
    return _products(models, "(1 + U) · image (Eq. 2)", lambda u: 1 + u)


FIGURES = {f.__name__: f for f in (gan_5, gan_6, gan_7, gan_8, meen_3, meen_4)}


def _products(models, title, weigh):
    model = _only(models)
    images = model.images[:_MOST_PEOPLE]
    attention = explain.attention(model.model, images)
    if "face_features" not in attention:
        raise ValueError(
            f"{model.name} has no facial features: figures 3 and 4 need Meen et al.'s "
            "Model 1 or 2"
        )
    maps = attention["face_features"]
    # There may be hundreds of features: those that are strongest over all faces.
    strongest = np.argsort(-maps.mean((0, 1, 2)), kind="stable")[:_MOST_MAPS]
    large = enlarged(maps[..., strongest], images.shape[1:3])
    cells = [
        [attention_maps.face(image)]
        + [attention_maps.product(image, weigh(u[..., k])) for k in range(u.shape[-1])]
        for image, u in zip(images, large)
    ]
    columns = ["face", *(f"feature {number}" for number in strongest)]
    rows = [_short(picture.name) for picture in model.pictures[: len(images)]]
    title = f"{model.name}: {title}"
    return attention_maps.grid(cells, rows=rows, columns=columns, title=title)


def _short(name):
    """A name in at most 24 letters, which keeps its end."""
    return name if len(name) <= 24 else f"…{name[-23:]}"


def _overlays(model, rows, target):
    maps = model.explain(rows, target=target)["grad_cam"]
    return [
        attention_maps.overlay(model.images[row], values)
        for row, values in zip(rows, maps)
    ]


def _first_of_each(pictures, names):
    """Row of the first picture of each expression, for those that have one."""
    first = {}
    for row, picture in enumerate(pictures):
        first.setdefault(picture.expression, row)
    rows = {name: first[name] for name in names if name in first}
    _require_labels(rows)
    return rows


def _require_labels(shown):
    if not shown:
        raise ValueError(
            "this figure needs labelled faces: drawn ones, or a folder with a folder "
            "for each expression"
        )


def _only(models):
    if len(models) != 1:
        raise ValueError(f"this figure shows one model. Received: {len(models)}.")
    return models[0]
