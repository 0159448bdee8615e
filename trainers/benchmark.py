r"""Measures speed, as rates and as ratios within one run.

python -m trainers.benchmark --what=train --model=vgg19_fer --batch_size=64 \
    --dtype_policy=mixed_bfloat16 --json=train.json
python -m trainers.benchmark --what=input --data=data/fer2013 --json=input.json

--what is one of:
train: images per second of the compiled training step, of the same graph with Keras'
own layers and optimizer, and of the step in the training loop, all on one batch in
memory. The memory is the peak after two steps of ours.
precision: images per second of the training step in float32 and in mixed_bfloat16, and
which of them dtype_policy="auto" takes on this machine.
input: images that the pipeline reads, decodes and augments, per second and per second
of processor time.
detect: photographs (--data) per second, one by one and together, compared with the
stock `mtcnn` package, and how many of its faces are found.
predict: photographs per second (--photos, --trained), compared with the stock `mtcnn`
package and one `model.predict` for each face; faces per second; the seconds of a cold
start.
growth: how the time of detection grows with the pixels of a photograph, that of
preparation with the rows, of prediction with the faces, and of a step with the batch.
faces: aligned faces per second of several trained models (--trained=A,B,C) in turns.
"""

import os
import shlex
import subprocess
import sys
import tempfile

from absl import flags

from trainers.common import cli

_WHAT = flags.DEFINE_enum(
    "what", None,
    ["detect", "faces", "growth", "input", "precision", "predict", "train"],
    "What is timed.",
)  # fmt: skip
_MODEL = flags.DEFINE_string("model", "vgg19_fer", "Model, or several: a,b,c.")
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 64, "Examples per step.", lower_bound=1
)
_DTYPE_POLICY = flags.DEFINE_string(
    "dtype_policy", "float32", "Keras dtype policy; auto: the faster one here."
)
_DATA = flags.DEFINE_string(
    "data", None,
    "input: prepared folder; drawn faces by default. detect: folders of photographs, "
    "A,B; scikit-image's astronaut by default.",
)  # fmt: skip
_PHOTOS = flags.DEFINE_string(
    "photos", None, "Folder of photographs; scikit-image's astronaut by default."
)
_TRAINED = flags.DEFINE_string(
    "trained", None, "Model that predicts, as fer_tf.load takes it; faces: several."
)
_SECONDS = flags.DEFINE_float(
    "seconds", 10.0, "About how long each rate is measured.", lower_bound=0.1
)
_JSON = flags.DEFINE_string("json", None, "File for the result.")


def main() -> None:
    """Entry point of the command line."""
    folder = os.path.dirname(_JSON.value or "") or "."
    if not os.path.isdir(folder):
        cli.fail(f"--json: no folder {folder}", code=2)
    if _WHAT.value == "faces" and not _TRAINED.value:
        cli.fail("--trained is needed: models to compare, A,B,C", code=2)
    with cli.quiet_imports():
        from fer_tf import models
        from fer_tf.utils import atomic
        from trainers.speed import timing

    unknown = [n for n in _MODEL.value.split(",") if n not in models.MODELS]
    if unknown:
        cli.fail(f"--model: no model {unknown[0]!r}; see fer_tf.list_models()", code=2)
    if _WHAT.value == "train" and "," in _MODEL.value:
        result = _train_each(_MODEL.value.split(","))
    elif _WHAT.value == "train":
        result = timing.train(
            _MODEL.value,
            batch_size=_BATCH_SIZE.value,
            dtype_policy=_DTYPE_POLICY.value,
            seconds=_SECONDS.value,
        )
    elif _WHAT.value == "precision":
        result = timing.policies(
            _MODEL.value.split(","),
            batch_size=_BATCH_SIZE.value,
            seconds=_SECONDS.value,
        )
    elif _WHAT.value == "predict":
        from trainers.speed import prediction

        result = prediction.compare(
            _TRAINED.value, _PHOTOS.value, seconds=_SECONDS.value
        )
    elif _WHAT.value == "growth":
        from trainers.speed import growth

        result = growth.measure(seconds=_SECONDS.value)
    elif _WHAT.value == "faces":
        from trainers.speed import prediction

        result = prediction.faces(_TRAINED.value.split(","), seconds=_SECONDS.value)
    elif _WHAT.value == "detect":
        from trainers.speed import detection

        result = detection.compare(_DATA.value, seconds=_SECONDS.value)
    else:
        result = timing.input_rate(
            _DATA.value, batch_size=_BATCH_SIZE.value, seconds=_SECONDS.value
        )
    if _JSON.value:
        options = [text for text in sys.argv[1:] if not text.startswith("--json")]
        command = shlex.join(["python", "-m", "trainers.benchmark", *options])
        atomic.write_json(_JSON.value, {**result, "command": command})
    _show(result)


def _show(result, indent=""):
    for name, value in result.items():
        if isinstance(value, dict):
            print(f"{indent}{name}")
            _show(value, indent + "  ")
        else:
            shown = f"{value:,.2f}" if isinstance(value, float) else value
            print(f"{indent}{name:{32 - len(indent)}} {shown}")


def _train_each(names):
    """Times each model in a separate process, so that the memory is its own."""
    from fer_tf.utils import atomic

    results = {}
    for name in names:
        with tempfile.TemporaryDirectory() as scratch:
            path = os.path.join(scratch, "result.json")
            done = subprocess.run(
                [sys.executable, "-m", "trainers.benchmark", "--what=train",
                 f"--model={name}", f"--batch_size={_BATCH_SIZE.value}",
                 f"--dtype_policy={_DTYPE_POLICY.value}",
                 f"--seconds={_SECONDS.value}", f"--json={path}"],
            )  # fmt: skip
            if done.returncode:
                cli.fail(f"{name}: not timed; its process says why above")
            results[name] = atomic.read_json(path)
    return {"what": "train", "device": results[names[0]]["device"], "models": results}


if __name__ == "__main__":
    cli.run(main, required=("what",))
