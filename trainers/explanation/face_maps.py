"""Pictures of every map of a face, and how much of the maps lies on moving parts."""

import itertools
import os
from collections.abc import Iterator

import keras
import numpy as np

from fer_tf.explain.localisation import edges, mass_inside, spatial_maps
from fer_tf.faces import region_masks
from fer_tf.plotting import attention_maps
from fer_tf.plotting.style import map_title, save_figure
from fer_tf.scores import SumScores, bootstrap
from trainers.common.progress import Progress
from trainers.explanation.explained import Explained

# Most faces that go through a network together.
_BATCH = 16


def model_names(models: list[keras.Model], paths: list[str]) -> list[str]:
    """Distinct names of models, which the names of their pictures contain.

    It is the model's own name; the folder's where models have the same; and with a
    number where folders have too, as in `a/best/clean,b/best/clean`.
    """
    own = [model.card.model for model in models]
    names = [
        name if own.count(name) == 1 else os.path.basename(os.path.normpath(path))
        for name, path in zip(own, paths)
    ]
    return [
        name if names.count(name) == 1 else f"{name}{number}"
        for number, name in enumerate(names, 1)
    ]


def draw(model: Explained, folder: str, *, target: str | None, most: int) -> list[dict]:
    """Writes a picture of each face with all of its maps.

    Args:
        model: With its faces.
        folder: Existing.
        target: Name of the output that is explained.
        most: Most faces.

    Returns:
        `{"source", "model", "labelled", "output", "score", "picture"}` for each face;
        "output" is what is explained and "score" the model's value there.
    """
    described = []
    files = _file_names([picture.name for picture in model.pictures])
    for rows in _batches(min(most, len(model.pictures))):
        maps = model.explain(rows, target=target)
        for place, row in enumerate(rows):
            of_face = {name: value[place : place + 1] for name, value in maps.items()}
            picture = model.pictures[row]
            output = model.output_name(target, int(of_face["target"][0]))
            file = f"{files[row]}_{model.name}.png"
            figure = _figure(model.images[row], of_face, f"{model.name}: {output}")
            save_figure(figure, os.path.join(folder, file))
            described.append(
                {
                    "source": picture.name,
                    "model": model.name,
                    "labelled": picture.expression,
                    "output": output,
                    "score": float(of_face["score"][0]),
                    "picture": file,
                }
            )
    return described


def _file_names(names):
    """Names without folders and ending; a number tells equal ones apart."""
    used = {}
    for name in names:
        plain = os.path.splitext(name)[0].replace(os.sep, "_")
        numbered = (f"{plain}-{number}" for number in itertools.count(2))
        free = (n for n in itertools.chain([plain], numbered) if n not in used)
        used[next(free)] = name
    return list(used)


def _figure(image, explanation, title):
    """The face and its maps, and the eight regions where the model has them."""
    maps = spatial_maps(explanation, image.shape[:2])
    cam = maps.pop("grad_cam")[0]
    cells = {
        "face": attention_maps.face(image),
        "Grad-CAM": attention_maps.overlay(image, cam),
        "guided Grad-CAM": attention_maps.signed(explanation["guided_grad_cam"][0]),
    }
    for name, values in maps.items():
        if not name.startswith("guided"):
            cells[map_title(name)] = attention_maps.overlay(image, values[0])
    if "region_weights" in explanation:
        masks = explanation["region_masks"][0]
        weights = explanation["region_weights"][0]
        for number, region in enumerate(region_masks.REGIONS):
            name = f"{region.replace('_', ' ')}\nq = {weights[number]:.2f}"
            cells[name] = attention_maps.overlay(image, masks[..., number])
    across = 6 if len(cells) > 7 else len(cells)
    pairs = list(cells.items())
    rows = [pairs[i : i + across] for i in range(0, len(pairs), across)]
    return attention_maps.captioned(rows, title=title, bar=True)


def localise(models: list[Explained], *, target: str | None = None) -> dict:
    """How much of each map lies where action units move the drawn faces.

    Faces on which nothing moves visibly are left out and counted. For each map, so are
    faces whose map is empty.

    Args:
        models: With the same drawn faces.
        target: Name of the output that is explained.

    Returns:
        `"num_faces"`, `"num_still"` and `"models"`: `{name: {map: {"mass",
        "interval", "uniform", "ratio", "num_empty"}}}`. "mass" is the mean share of
        the map on the moving parts, with a 95 % interval over people; "uniform" is
        the mean share of the moving parts in the picture's area; "ratio" is mass over
        uniform. The map "edges" is of the picture itself, for comparison.

    Raises:
        ValueError: If no face moves.
    """
    summaries = {}
    for model in models:
        moves = model.moving.any((1, 2))
        rows = np.flatnonzero(moves)
        if not len(rows):
            raise ValueError("no drawn face moves; draw more of them with --source")
        people = np.array([model.pictures[row].person for row in rows])
        shares = _shares(model, rows, target)
        area = model.moving[rows].mean((1, 2))
        summaries[model.name] = {
            name: _summary(share, area, people) for name, share in shares.items()
        }
    return {
        "num_faces": len(moves),
        "num_still": int((~moves).sum()),
        "models": summaries,
    }


def _shares(model, rows, target):
    """Share of each map's mass on the moving parts of each face, `{map: (n,)}`."""
    shares = {}
    size = model.images.shape[1:3]
    progress = Progress(f"explain {model.name}", len(rows), unit="faces")
    progress.update(0)
    for places in _batches(len(rows)):
        batch = rows[places]
        maps = spatial_maps(model.explain(batch, target=target), size)
        maps["edges"] = edges(model.images[batch])
        for name, values in maps.items():
            # Facial features are negative in places with some backbones.
            inside = mass_inside(np.maximum(values, 0), model.moving[batch])
            shares.setdefault(name, []).append(inside)
        progress.update(places[-1] + 1)
    return {name: np.concatenate(parts) for name, parts in shares.items()}


def _summary(share, area, people):
    full = np.isfinite(share)
    empty = int((~full).sum())
    if not full.any():
        return {"mass": None, "uniform": None, "ratio": None, "num_empty": empty}
    rows = np.stack([share[full], area[full], np.ones(full.sum())], axis=1)
    scores = SumScores(rows, _means)
    return {
        **scores.values(),
        "interval": list(bootstrap.intervals(scores, people[full]).get("mass", ())),
        "num_empty": empty,
    }


def _means(sums):
    inside, area, count = np.moveaxis(sums, -1, 0)
    return {"mass": inside / count, "uniform": area / count, "ratio": inside / area}


def in_words(localisation: dict) -> Iterator[str]:
    """What `localise` returns, as lines for people."""
    moving = localisation["num_faces"] - localisation["num_still"]
    yield f"share of each map on the moving parts of {moving} drawn faces:"
    for model, maps in localisation["models"].items():
        for name, row in maps.items():
            if row["mass"] is None:
                yield f"  {model} {name}: empty on every face"
                continue
            ends = row["interval"]
            shown = f" [{ends[0]:.3f}, {ends[1]:.3f}]" if ends else ""
            yield (
                f"  {model} {name}: {row['mass']:.3f}{shown}, {row['ratio']:.2f} times "
                f"a uniform map's {row['uniform']:.3f}"
                + (f", empty on {row['num_empty']}" if row["num_empty"] else "")
            )


def _batches(count):
    rows = np.arange(count)
    return np.split(rows, range(_BATCH, count, _BATCH)) if count else []
