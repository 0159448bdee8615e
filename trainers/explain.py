r"""Shows what a model looks at, and measures it where the right place is known.

python -m trainers.explain --model=runs/gan --input=photo.jpg --output=out
python -m trainers.explain --model=runs/gan --input=synthetic --output=out
python -m trainers.explain --model=runs/man,runs/vgg16,runs/vgg16_se \
    --input=synthetic --output=out --figure=gan_5

Writes a picture for the largest face of each photograph: Grad-CAM, guided Grad-CAM and
the attention that the model itself computes. On drawn faces (`--input=synthetic`) the
moving parts are known: localisation.json holds how much of each map lies on them,
compared with a uniform map. `--figure` draws a figure of Gan et al. or Meen et al.
instead.

`--detector=none` is for pictures that are crops of faces already, as in
`trainers.predict`. A map that is 0 everywhere says "no evidence".

In a folder, folders named as expressions label their pictures, and pictures of the
same name in several of them show the same person. Files that are no pictures are passed
over. If a picture cannot be read, its reason is printed, and the command exits 1 after
the rest is done.
"""

import os

from absl import flags

from fer_tf.utils.names import one_line
from trainers.common import cli
from trainers.common.terminal import counted

_MODEL = flags.DEFINE_list("model", None, "Model folder, workdir or name, or several.")
_INPUT = flags.DEFINE_string("input", None, "A photograph, a folder, or synthetic.")
_OUTPUT = flags.DEFINE_string("output", None, "Folder for what is written.")
_FIGURE = flags.DEFINE_enum(
    "figure", None, ["gan_5", "gan_6", "gan_7", "gan_8", "meen_3", "meen_4"],
    "Draw this figure of its paper.",
)  # fmt: skip
_TARGET = flags.DEFINE_string(
    "target", None,
    "Output that is explained: happiness, AU12, valence, ...; by default the "
    "labelled expression, or the one that is read.",
)  # fmt: skip
_LAYER = flags.DEFINE_string(
    "layer", None, "Layer whose maps Grad-CAM weighs; by default the last ones."
)
_SOURCE = flags.DEFINE_string(
    "source", "seed=2,examples=200", "Which faces are drawn for --input=synthetic."
)
_DETECTOR = flags.DEFINE_enum(
    "detector", "mtcnn", ["mtcnn", "none"],
    "mtcnn finds the largest face; none takes each picture for a crop of one.",
)  # fmt: skip
_PICTURES = flags.DEFINE_integer(
    "pictures", 12, "Most faces to draw a picture of.", lower_bound=0
)


def main() -> None:
    """Entry point of the command line."""
    if os.path.realpath(_INPUT.value) == os.path.realpath(_OUTPUT.value):
        cli.fail("--output must be another folder than --input", code=2)
    with cli.quiet_imports():
        from fer_tf.face_table import NO_FACE
        from fer_tf.model_io import model_folder
        from fer_tf.plotting.style import save_figure
        from trainers.explanation import explained, face_maps, paper_figures

    models = [model_folder.load(path) for path in _MODEL.value]
    names = face_maps.model_names(models, _MODEL.value)
    pictures, failures, unlisted = _faces(models)
    models = [
        explained.Explained(name, model, pictures, layer=_LAYER.value)
        for name, model in zip(names, models)
    ]
    os.makedirs(_OUTPUT.value, exist_ok=True)
    if _FIGURE.value:
        figure = paper_figures.FIGURES[_FIGURE.value](models, _TARGET.value)
        path = os.path.join(_OUTPUT.value, f"{_FIGURE.value}.png")
        save_figure(figure, path)
        print(f"written: {path}")
    else:
        _draw(models, failures)
        if _INPUT.value == "synthetic":
            _localise(models)
    failed = [f"{name}: {reason}" for name, reason in failures if reason != NO_FACE]
    cli.fail_if_any([*failed, *unlisted])


def _faces(models):
    """The faces of `--input`, and what is missing.

    Returns:
        The faces; `(name, reason)` of each picture without one; and a line for each
        folder that could not be listed.
    """
    from trainers.explanation import faces
    from trainers.prediction import picture_files

    if _INPUT.value == "synthetic":
        side = max(model.crop_spec.size for model in models)
        return faces.drawn(_SOURCE.value, side), [], []
    from fer_tf.predictor import face_detector

    files = picture_files.find(_INPUT.value)
    pictures, failures = [], []
    detector = face_detector() if _DETECTOR.value == "mtcnn" else None
    for face in faces.photographs(files, detector):
        (pictures if isinstance(face, faces.Picture) else failures).append(face)
    for name, reason in failures:
        print(one_line(f"{name}: {reason}"))
    if files.passed:
        print(files.passed_over())
    if not pictures:
        cli.fail(f"{failures[0][0]}: {failures[0][1]}")
    return pictures, failures, files.unlisted


def _draw(models, failures):
    """Writes pictures of the maps, and `explanations.json` of what they show."""
    from fer_tf.utils import atomic
    from trainers.explanation import face_maps

    described = []
    for model in models:
        described += face_maps.draw(
            model, _OUTPUT.value, target=_TARGET.value, most=_PICTURES.value
        )
    errors = [{"source": name, "error": reason} for name, reason in failures]
    atomic.write_json(
        os.path.join(_OUTPUT.value, "explanations.json"),
        {"faces": described, "errors": errors},
    )
    left = sum(len(model.pictures) for model in models) - len(described)
    hint = f" ({left} more faces with a larger --pictures)" if left else ""
    pictures = counted(len(described), "picture", "pictures")
    print(f"written: {pictures}{hint}, explanations.json")


def _localise(models):
    """Writes and prints how much of each map lies on moving parts of drawn faces."""
    from fer_tf.plotting.score_figures import localisation as localisation_figure
    from fer_tf.plotting.style import save_figure
    from fer_tf.utils import atomic
    from trainers.explanation import face_maps

    result = face_maps.localise(models, target=_TARGET.value)
    result = {"source": _SOURCE.value, **result}
    atomic.write_json(os.path.join(_OUTPUT.value, "localisation.json"), result)
    figure = localisation_figure(result["models"])
    save_figure(figure, os.path.join(_OUTPUT.value, "localisation.png"))
    for line in face_maps.in_words(result):
        print(line)


if __name__ == "__main__":
    cli.run(main, required=("model", "input", "output"))
