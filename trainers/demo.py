r"""Every step in a few minutes, on data that the package draws itself.

python -m trainers.demo --output=runs/demo

Prepares drawn faces, trains and evaluates a small network, exports it as a
SavedModel, and reads the faces of a photograph: with that network, and with the model
that comes with the package, which was trained on real faces. Each step prints its
command. Run again, the demo skips what is done already.
"""

import os
import shlex
import subprocess
import sys

from absl import flags

from trainers.common import cli

_OUTPUT = flags.DEFINE_string("output", "runs/demo", "Folder for everything.")
_PHOTO = flags.DEFINE_string(
    "photo", None, "Photograph to read; scikit-image's astronaut by default."
)
_CONFIG = flags.DEFINE_string(
    "config", "small_resnet_synthetic", "Config to train, by name."
)


def main() -> None:
    """Entry point of the command line."""
    from trainers.common import sample_photograph

    output = _OUTPUT.value
    os.makedirs(output, exist_ok=True)
    photo = _PHOTO.value or sample_photograph.write_astronaut(output)
    if not os.path.isfile(photo):
        raise ValueError(f"{photo}: no such photograph")
    data, workdir = os.path.join(output, "data"), os.path.join(output, "run")
    model, pictures = os.path.join(output, "model"), os.path.join(output, "predictions")
    drawn = os.path.join(output, "predictions_from_drawn_faces")
    config = os.path.join(os.path.dirname(__file__), "configs", f"{_CONFIG.value}.py")
    _command("prepare", "--dataset=synthetic", "--source=seed=1,examples=4000",
             f"--output={data}")  # fmt: skip
    _command("train", f"--config={config}", f"--data={data}", f"--workdir={workdir}")
    _command("evaluate", f"--workdir={workdir}", f"--data={data}", "--split=test")
    if not os.path.exists(model):
        _command("export", f"--workdir={workdir}", f"--output={model}")
    _command("predict", f"--model={model}", f"--input={photo}", f"--output={drawn}")
    _command("predict", f"--input={photo}", f"--output={pictures}")
    print(
        "\nPictures to look at:\n"
        f"  {os.path.join(workdir, 'curves.png')}     how it trained\n"
        f"  {os.path.join(workdir, 'confusion.png')}  what it confuses\n"
        f"  {_annotated(pictures, photo)}  the photograph, read by\n"
        "      the model that comes with the package, trained on real faces\n"
        f"  {_annotated(drawn, photo)}  read by\n"
        "      the model just trained, which has seen drawn faces only"
    )


def _annotated(output, photo):
    """Path of the annotated photograph; its name depends on what was read before."""
    from trainers.prediction.records import Records

    records = Records(output)
    own = os.path.realpath(photo)
    (name,) = (name for name, path in records.files.items() if path == own)
    return os.path.join(output, records.pictures[name])


def _command(name, *arguments):
    """Prints a command as a user would type it, and runs it."""
    here = os.getcwd() + os.sep
    shown = [argument.replace(here, "") for argument in arguments]
    print(f"\n$ python -m trainers.{name} {shlex.join(shown)}", flush=True)
    code = subprocess.call([sys.executable, "-m", f"trainers.{name}", *arguments])
    if code:
        sys.exit(code)


if __name__ == "__main__":
    cli.run(main)
