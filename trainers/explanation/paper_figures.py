"""The papers' pictures of what networks look at, as grids of our own.

Gan et al., Figs. 5 to 8, and Meen et al., Figs. 3 and 4. The figures themselves
are lost from the texts that we have; captions and text say what they show. A
figure takes the first faces in order, never the ones that look best.
"""

import numpy as np

from fer_tf import explain
from fer_tf.explain.localisation import enlarged
from fer_tf.faces.region_masks import REGIONS
from fer_tf.plotting import attention_maps
from trainers.explanation.faces import Picture, windows

# The papers' orders of the rows (RAF-DB) and columns (CK+). Fig. 7 runs from right
# to left, as its caption says.
_RAF = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
_CK = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")

_PEOPLE = 6
_MAPS = 6


class Explained:
    """What one model sees and says of some pictures.

    Args:
        name: Of the model, as it is printed.
        model: From `fer_tf.load`.
        pictures: A face each.
        layer: Whose maps Grad-CAM weighs; by default the last ones.

    Raises:
        ValueError: If the model takes region masks as an input, or has no such
            layer.
    """

    def __init__(self, name, model, pictures: list[Picture], *, layer=None):
        if isinstance(model.input, dict):
            raise ValueError(
                f"{name} takes more than an image ({', '.join(model.input)}): only "
                "networks that find their own masks can be explained here"
            )
        shapes = {each.name: getattr(each.output, "shape", ()) for each in model.layers}
        maps = [each for each, shape in shapes.items() if len(shape) == 4]
        if layer is not None and layer not in maps:
            raise ValueError(
                f"--layer must be a layer of {name} that gives maps, such as "
                f"{', '.join(maps[-8:])}. Received: {layer!r}."
            )
        self.name, self.model, self.pictures = name, model, pictures
        self.layer = layer
        self.images, self.moving = windows(pictures, model)

    def explain(self, rows, *, target: str | None = None) -> dict[str, np.ndarray]:
        """`fer_tf.explain.explain` of some rows.

        Args:
            rows: Indices.
            target: An output by name (`happiness`, `AU12`, `valence`); by default
                the labelled expression, or the one that is read where there is none.
        """
        task, index = self._target(rows, target)
        return explain.explain(
            self.model, self.images[rows], task=task, target=index, layer=self.layer
        )

    def output_name(self, target: str | None, index: int) -> str:
        """The name of what was explained, from the index that `explain` gave."""
        if target is not None:
            return target
        task = explain.default_task(self.model)
        named = {place: name for name, place in self._outputs().items()}
        return named.get((task, index), f"{task} {index}")

    def _target(self, rows, target):
        outputs = self._outputs()
        if target is not None:
            if target not in outputs:
                raise ValueError(
                    f"--target must be one of {', '.join(outputs)} for {self.name}. "
                    f"Received: {target!r}."
                )
            return outputs[target]
        labels = [self.pictures[row].expression for row in rows]
        places = [outputs.get(label) for label in labels]
        task = explain.default_task(self.model)
        if task == "expression" and None not in places:
            return "expression", [index for _, index in places]
        return task, None

    def _outputs(self):
        """`{name: (task, index)}` of everything the model says."""
        columns = {
            "expression": self.model.card.expressions,
            "valence_arousal": ("valence", "arousal"),
            "action_units": self.model.card.action_units,
            "valence": ("valence",),
            "arousal": ("arousal",),
            "is_face": ("nonface", "face"),
            "region_masks": REGIONS,
        }
        return {
            name: (task, index)
            for task, value in self.model.output.items()
            for index, name in enumerate(columns.get(task, ())[: value.shape[-1]])
        }


def gan_5(models: list[Explained], target=None):
    """Rows: expressions. For each network Grad-CAM and guided Grad-CAM."""
    rows = _first_of_each(models[0].pictures, _RAF)
    order = [models[0].pictures.index(picture) for picture in rows.values()]
    cells = [[attention_maps.face(models[0].images[row])] for row in order]
    names = ["face"]
    for each in models:
        found = each.explain(order, target=target)
        for place, row in enumerate(order):
            cells[place] += [
                attention_maps.overlay(each.images[row], found["grad_cam"][place]),
                attention_maps.signed(found["guided_grad_cam"][place]),
            ]
        names += [f"{each.name}\nGrad-CAM", "guided"]
    return attention_maps.grid(cells, rows=list(rows), columns=names)


def gan_6(models: list[Explained], target=None):
    """Rows: expressions. Columns: people, with Grad-CAM over their faces."""
    (each,) = _only(models)
    kinds = {}
    for number, picture in enumerate(each.pictures):
        kind = kinds.setdefault(picture.expression, {})
        kind.setdefault(picture.person, number)
    order = {
        name: list(kinds[name].values())[:_PEOPLE] for name in _RAF if name in kinds
    }
    _require(order)
    return attention_maps.grid(
        [_overlays(each, numbers, target) for numbers in order.values()],
        rows=list(order),
        title=f"{each.name}: Grad-CAM of several people",
    )


def gan_7(models: list[Explained], target=None):
    """Rows: networks. Columns: expressions, with guided Grad-CAM."""
    chosen = dict(reversed(_first_of_each(models[0].pictures, _CK).items()))
    order = [models[0].pictures.index(picture) for picture in chosen.values()]
    cells = [[attention_maps.face(models[0].images[row]) for row in order]]
    for each in models:
        found = each.explain(order, target=target)["guided_grad_cam"]
        cells.append([attention_maps.signed(values) for values in found])
    names = ["face", *(each.name for each in models)]
    return attention_maps.grid(
        cells, rows=names, columns=list(chosen), title="guided Grad-CAM"
    )


def gan_8(models: list[Explained], target=None):
    """Rows: people. Columns: their expressions, with Grad-CAM over the faces."""
    (each,) = _only(models)
    people = {}
    for number, picture in enumerate(each.pictures):
        if picture.expression in _CK:
            person = people.setdefault(picture.person, {})
            person.setdefault(picture.expression, number)
    # Those of whom most is known; the sort keeps the order among equals.
    people = dict(sorted(people.items(), key=lambda p: -len(p[1]))[:_PEOPLE])
    _require(people)
    columns = [name for name in _CK if any(name in found for found in people.values())]
    cells = []
    for found in people.values():
        drawn = dict(zip(found, _overlays(each, list(found.values()), target)))
        cells.append([drawn.get(name) for name in columns])
    return attention_maps.grid(
        cells, columns=columns, title=f"{each.name}: Grad-CAM, a person a row"
    )


def meen_3(models: list[Explained], target=None):
    """Rows: faces. Columns: the face times each facial feature (Eq. 1)."""
    return _products(models, "U · image (Eq. 1)", lambda u: u)


def meen_4(models: list[Explained], target=None):
    """Rows: faces. Columns: the face times one plus each facial feature (Eq. 2)."""
    return _products(models, "(1 + U) · image (Eq. 2)", lambda u: 1 + u)


FIGURES = {f.__name__: f for f in (gan_5, gan_6, gan_7, gan_8, meen_3, meen_4)}


def _products(models, title, weigh):
    (each,) = _only(models)
    order = list(range(min(_PEOPLE, len(each.pictures))))
    found = explain.attention(each.model, each.images[order])
    if "face_features" not in found:
        raise ValueError(
            f"{each.name} has no facial features: figures 3 and 4 need Meen et al.'s "
            "Model 1 or 2"
        )
    maps = found["face_features"]
    # Of hundreds of features those that are strongest over all the faces shown.
    strongest = np.argsort(-maps.mean((0, 1, 2)), kind="stable")[:_MAPS]
    large = enlarged(maps[..., strongest], each.images.shape[1:3])
    cells = [
        [attention_maps.face(image)]
        + [attention_maps.product(image, weigh(u[..., k])) for k in range(u.shape[-1])]
        for image, u in zip(each.images[order], large)
    ]
    columns = ["face", *(f"feature {number}" for number in strongest)]
    return attention_maps.grid(cells, columns=columns, title=f"{each.name}: {title}")


def _overlays(each, rows, target):
    found = each.explain(rows, target=target)["grad_cam"]
    return [
        attention_maps.overlay(each.images[row], values)
        for row, values in zip(rows, found)
    ]


def _first_of_each(pictures, names):
    """The first picture of every expression that there is one of."""
    found = {}
    for picture in pictures:
        found.setdefault(picture.expression, picture)
    chosen = {name: found[name] for name in names if name in found}
    _require(chosen)
    return chosen


def _require(found):
    if not found:
        raise ValueError(
            "this figure needs labelled faces: drawn ones, or a folder with a folder "
            "for each expression"
        )


def _only(models):
    if len(models) != 1:
        raise ValueError(f"this figure shows one model. Received: {len(models)}.")
    return models
