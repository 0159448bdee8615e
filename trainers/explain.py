r"""Shows what a model looks at, and measures it where the right place is known.

python -m trainers.explain --model=runs/gan --input=photo.jpg --output=out
python -m trainers.explain --model=runs/gan --input=synthetic --output=out
python -m trainers.explain --model=runs/man,runs/vgg16,runs/vgg16_se \
    --input=synthetic --output=out --figure=gan_5

A picture for the largest face of each photograph: Grad-CAM, guided Grad-CAM and
whatever attention the model has by itself. On drawn faces (`--input=synthetic`),
where the moving parts are known, localisation.json says how much of each map lies on
them, beside a map that says nothing. `--figure` draws a figure of Gan et al. or Meen
et al. instead.

In a folder, folders named as expressions label their pictures, and pictures of the
same name in several of them show the same person; files that are no pictures are passed
over. Of a picture that cannot be read the reason is printed; the command then exits 1
after the rest is done.
"""

import os

from absl import flags

from fer_tf.utils.names import one_line
from trainers.common import cli

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
_PICTURES = flags.DEFINE_integer(
    "pictures", 12, "Most faces to draw a picture of.", lower_bound=0
)


def main() -> None:
    """Entry point of the command line."""
    if os.path.realpath(_INPUT.value) == os.path.realpath(_OUTPUT.value):
        cli.fail("--output must be another folder than --input", code=2)
    with cli.quiet_imports():
        from fer_tf.model_io import model_folder
        from fer_tf.plotting.style import save_figure
        from trainers.explanation import face_maps, paper_figures
        from trainers.prediction.record_lines import NO_FACE

    models = [model_folder.load(path) for path in _MODEL.value]
    names = face_maps.names(models, _MODEL.value)
    pictures, without, unlisted = _faces(models)
    explained = [
        paper_figures.Explained(name, model, pictures, layer=_LAYER.value)
        for name, model in zip(names, models)
    ]
    if _FIGURE.value:
        figure = paper_figures.FIGURES[_FIGURE.value](explained, _TARGET.value)
        os.makedirs(_OUTPUT.value, exist_ok=True)
        path = os.path.join(_OUTPUT.value, f"{_FIGURE.value}.png")
        save_figure(figure, path)
        print(f"written: {path}")
    else:
        os.makedirs(_OUTPUT.value, exist_ok=True)
        _draw(explained, len(models) * len(pictures), without)
        if _INPUT.value == "synthetic":
            _localise(explained)
    failed = [f"{n}: {reason}" for n, reason in without if reason != NO_FACE]
    cli.fail_if_any([*failed, *unlisted])


def _faces(models):
    """The faces of `--input`, `(name, reason)` of each picture without, and what else.

    That is a line for each folder that could not be listed.
    """
    from trainers.explanation import faces
    from trainers.prediction import picture_files

    if _INPUT.value == "synthetic":
        side = max(model.crop_spec.size for model in models)
        return faces.drawn(_SOURCE.value, side), [], []
    from fer_tf.predictor import face_detector

    files = picture_files.find(_INPUT.value)
    found = list(faces.photographs(files, face_detector()))
    pictures = [face for face in found if isinstance(face, faces.Picture)]
    without = [face for face in found if not isinstance(face, faces.Picture)]
    for name, reason in without:
        print(one_line(f"{name}: {reason}"))
    if files.passed:
        print(files.passed_over())
    if not pictures:
        cli.fail(f"{without[0][0]}: {without[0][1]}")
    return pictures, without, files.unlisted


def _draw(explained, total, without):
    """Pictures of the maps, and `explanations.json` of what they show."""
    from fer_tf.utils import atomic
    from trainers.explanation import face_maps

    described = []
    for each in explained:
        described += face_maps.draw(
            each, _OUTPUT.value, target=_TARGET.value, most=_PICTURES.value
        )
    errors = [{"source": name, "error": reason} for name, reason in without]
    atomic.write_json(
        os.path.join(_OUTPUT.value, "explanations.json"),
        {"faces": described, "errors": errors},
    )
    left = total - len(described)
    more = f" ({left} more faces with a larger --pictures)" if left else ""
    print(f"written: {len(described)} pictures{more}, explanations.json")


def _localise(explained):
    """How much of each map lies on the moving parts of drawn faces."""
    from fer_tf.plotting.style import save_figure
    from fer_tf.utils import atomic
    from trainers.explanation import face_maps

    found = face_maps.localise(explained, target=_TARGET.value)
    found = {"source": _SOURCE.value, **found}
    atomic.write_json(os.path.join(_OUTPUT.value, "localisation.json"), found)
    save_figure(
        face_maps.picture(found), os.path.join(_OUTPUT.value, "localisation.png")
    )
    for line in face_maps.lines(found):
        print(line)


if __name__ == "__main__":
    cli.run(main, required=("model", "input", "output"))
