"""A picture of every map that a model gives of a face, and where the maps lie."""

import itertools
import os

import numpy as np

from fer_tf.explain.localisation import edges, mass_inside, spatial_maps
from fer_tf.faces import region_masks
from fer_tf.plotting import attention_maps, score_figures
from fer_tf.plotting.style import map_title, save_figure
from fer_tf.scores import SumScores, bootstrap
from trainers.common.progress import Progress

# Faces that go through a network together.
_BATCH = 16


def names(models, paths: list[str]) -> list[str]:
    """What the models are called: what they are, or else their folder's name.

    Where two folders end alike, as in `a/best/clean,b/best/clean`, a number tells
    them apart: one's pictures would replace the other's.
    """
    kinds = [model.card.model for model in models]
    found = [
        kind if kinds.count(kind) == 1 else os.path.basename(os.path.normpath(path))
        for kind, path in zip(kinds, paths)
    ]
    return [
        name if found.count(name) == 1 else f"{name}{number}"
        for number, name in enumerate(found, 1)
    ]


def draw(each, folder: str, *, target: str | None, most: int) -> list[dict]:
    """Writes a picture of each face with all of its maps.

    Args:
        each: A `figures.Explained`.
        folder: Existing.
        target: Output that is explained, by name.
        most: Faces at most.

    Returns:
        `{"source", "model", "labelled", "output", "score", "picture"}` a face;
        "output" is what is explained and "score" the model's value there.
    """
    described = []
    files = _file_names([picture.name for picture in each.pictures])
    for rows in _batches(min(most, len(each.pictures))):
        found = each.explain(rows, target=target)
        for place, row in enumerate(rows):
            one = {name: value[place : place + 1] for name, value in found.items()}
            picture = each.pictures[row]
            named = each.output_name(target, int(one["target"][0]))
            file = f"{files[row]}_{each.name}.png"
            figure = _of_face(each.images[row], one, f"{each.name}: {named}")
            save_figure(figure, os.path.join(folder, file))
            described.append(
                {
                    "source": picture.name,
                    "model": each.name,
                    "labelled": picture.expression,
                    "output": named,
                    "score": float(one["score"][0]),
                    "picture": file,
                }
            )
    return described


def _file_names(names):
    """Names without folders and ending; of equal ones the later have a number."""
    found = {}
    for name in names:
        plain = os.path.splitext(name)[0].replace(os.sep, "_")
        numbered = (f"{plain}-{number}" for number in itertools.count(2))
        free = (n for n in itertools.chain([plain], numbered) if n not in found)
        found[next(free)] = name
    return list(found)


def _of_face(image, found, title):
    """The face and its maps, and the eight regions where the model has them."""
    maps = spatial_maps(found, image.shape[:2])
    cam = maps.pop("grad_cam")[0]
    cells = {
        "face": attention_maps.face(image),
        # Where nothing speaks for the output, the map is 0 everywhere.
        f"Grad-CAM{'' if cam.any() else ': empty'}": attention_maps.overlay(image, cam),
        "guided Grad-CAM": attention_maps.signed(found["guided_grad_cam"][0]),
    }
    for name, values in maps.items():
        if not name.startswith("guided"):
            cells[map_title(name)] = attention_maps.overlay(image, values[0])
    if "region_weights" in found:
        masks, weights = found["region_masks"][0], found["region_weights"][0]
        for number, region in enumerate(region_masks.REGIONS):
            name = f"{region.replace('_', ' ')}\nq = {weights[number]:.2f}"
            cells[name] = attention_maps.overlay(image, masks[..., number])
    across = 6 if len(cells) > 7 else len(cells)
    pairs = list(cells.items())
    rows = [pairs[i : i + across] for i in range(0, len(pairs), across)]
    return attention_maps.captioned(rows, title=title)


def localise(models, *, target: str | None = None) -> dict:
    """How much of each map lies where action units move the drawn faces.

    A face on which nothing moves visibly is left out and counted, and so is, map
    by map, one whose map is empty.

    Args:
        models: `figures.Explained`s of the same drawn faces.
        target: Output that is explained, by name.

    Returns:
        `"num_faces"`, `"num_still"` and `"models"`: `{name: {map: {"mass",
        "interval", "uniform", "ratio", "num_empty"}}}`, where "mass" is the mean
        share of the map on the moving parts, with a 95 % interval over people,
        "uniform" the parts' mean share of the picture, "ratio" the one over the
        other. The map "edges" is the picture's own, for comparison.
    """
    found = {}
    for each in models:
        moves = each.moving.any((1, 2))
        rows = np.flatnonzero(moves)
        if not len(rows):
            raise ValueError("no drawn face moves; draw more of them with --source")
        people = np.array([each.pictures[row].person for row in rows])
        shares = _shares(each, rows, target)
        area = each.moving[rows].mean((1, 2))
        found[each.name] = {
            name: _summary(share, area, people) for name, share in shares.items()
        }
    return {
        "num_faces": len(moves),
        "num_still": int((~moves).sum()),
        "models": found,
    }


def _shares(each, rows, target):
    """Share of the moving parts in every map of every face, `{map: (n,)}`."""
    shares = {}
    bar = Progress(f"explain {each.name}", len(rows), unit="faces")
    bar.update(0)
    for part in _batches(len(rows)):
        chosen = rows[part]
        maps = spatial_maps(each.explain(chosen, target=target), each.images.shape[1:3])
        maps["edges"] = edges(each.images[chosen])
        for name, values in maps.items():
            # Facial features are not bounded from below in every backbone.
            values = np.maximum(values, 0)
            shares.setdefault(name, []).append(mass_inside(values, each.moving[chosen]))
        bar.update(part[-1] + 1)
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


def picture(found: dict):
    """The localisation of every map as a figure."""
    return score_figures.localisation(found["models"])


def lines(found: dict):
    """The localisation for people."""
    moving = found["num_faces"] - found["num_still"]
    yield f"share of each map on the moving parts of {moving} drawn faces:"
    for model, maps in found["models"].items():
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
