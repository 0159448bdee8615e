r"""Reads the faces of photographs, or of a video.

python -m trainers.predict --model=saved_models/NAME --input=photo.jpg --output=out
python -m trainers.predict --model=runs/quick --input=photos/ --output=out
python -m trainers.predict --model=runs/quick --input='photos/*.jpg' --output=out
python -m trainers.predict --model=runs/quick --input=clip.mp4 --output=out --every=5
python -m trainers.predict --model=runs/quick --input=crops/ --output=o --detector=none
python -m trainers.predict --model=runs/quick --serve

Writes predictions.jsonl (a line a picture or frame), predictions.csv (a line a face)
and an annotated picture each; for a video the drawn video and a timeline of the six
people seen longest. A picture that cannot be read is a line with its reason; the
command then exits 1 after the rest is done. The same command again goes on where it was
stopped, and reads what is new in the folder or could not be read; a video it reads
anew. Of a folder, hidden files and folders are passed over. `--detector=none` is for
pictures that are crops of faces already, framed as the model's card says. `--serve`
opens a page instead, for this machine alone unless --host says otherwise.
"""

import glob
import os

from absl import flags

from trainers import cli

_MODEL = flags.DEFINE_string(
    "model", None, "Model folder, workdir, or catalog name; by default the catalog's."
)
_INPUT = flags.DEFINE_string(
    "input", None, "A photograph, a folder or pattern of them, or a video."
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder for what is written.")
_DETECTOR = flags.DEFINE_enum(
    "detector", "mtcnn", ["mtcnn", "none"],
    "What finds the faces; none: each picture is the crop of a face already.",
)  # fmt: skip
_PICTURES = flags.DEFINE_bool("pictures", True, "Write annotated pictures too.")
_EVERY = flags.DEFINE_integer("every", 1, "Read every n-th frame.", lower_bound=1)
_SMOOTHING = flags.DEFINE_float(
    "smoothing", 0.3, "Seconds over which a person's readings in a video are averaged.",
    lower_bound=0,
)  # fmt: skip
_SERVE = flags.DEFINE_bool("serve", False, "Open a page in place of reading files.")
_HOST = flags.DEFINE_string("host", "127.0.0.1", "Address that the page listens on.")
_PORT = flags.DEFINE_integer("port", 7860, "Port of the page; 0: any free one.",
                             lower_bound=0, upper_bound=65535)  # fmt: skip


def main() -> None:
    """Entry point of the command line."""
    if _SERVE.value:
        if _DETECTOR.value != "mtcnn":
            cli.fail("--detector is not for --serve, which searches faces", code=2)
        with cli.quiet_imports():
            from trainers import page

        page.serve(_MODEL.value, host=_HOST.value, port=_PORT.value)
        return
    for flag in (_INPUT, _OUTPUT):
        if not flag.value:
            cli.fail(f"--{flag.name} is missing", code=2)
    if os.path.realpath(_INPUT.value) == os.path.realpath(_OUTPUT.value):
        cli.fail("--output must be another folder than --input", code=2)
    paths = _files(_INPUT.value)
    if not paths:
        raise ValueError(f"{_INPUT.value}: no file here")
    with cli.quiet_imports():
        from data_pipelines import atomic
        from fer_tf import loading, video
        from fer_tf import predictor as predictors
        from fer_tf.faces import WholePicture
        from trainers import prediction

    model = loading.load(_MODEL.value)
    identity = {"weights": model.sha256}
    detector = None
    if _DETECTOR.value == "none":
        detector = WholePicture(model.card.crop_spec)
        identity["detector"] = "none"
    predictor = predictors.Predictor(model, detector=detector)
    moving = len(paths) == 1 and video.is_video(paths[0])
    if moving:
        # The video first: it is what a refusal to mix names.
        identity |= {
            "video": os.path.realpath(paths[0]),
            "every": _EVERY.value,
            "smoothing": _SMOOTHING.value,
        }
    os.makedirs(_OUTPUT.value, exist_ok=True)
    with atomic.locked(os.path.join(_OUTPUT.value, ".lock")):
        prediction.begin(_OUTPUT.value, identity)
        (_read_video if moving else _read_pictures)(predictor, paths)


def _read_pictures(predictor, paths):
    from trainers import prediction

    records, names = prediction.run(
        predictor, paths, _OUTPUT.value, root=_INPUT.value, pictures=_PICTURES.value
    )
    first, unread, empty = None, 0, 0
    for record in map(records.__getitem__, names):
        print(prediction.describe(record))
        # In a folder, a picture without a face is an answer, not a failure.
        empty += record["error"] == prediction.NO_FACE
        if record["error"] not in (None, prediction.NO_FACE):
            first, unread = first or record, unread + 1
    print(f"written: {os.path.join(_OUTPUT.value, prediction.JSONL)}")
    if unread:
        more = f" (and {unread - 1} more)" if unread > 1 else ""
        cli.fail(f"{first['source']}: {first['error']}{more}")
    if empty == len(names):
        cli.fail(f"{_INPUT.value}: {prediction.NO_FACE}")


def _read_video(predictor, paths):
    from trainers import prediction, video_prediction

    found = video_prediction.run(
        predictor, paths[0], _OUTPUT.value, pictures=_PICTURES.value,
        every=_EVERY.value, smoothing=_SMOOTHING.value,
    )  # fmt: skip
    print(f"{paths[0]}: {found['frames']:,} frames read, {found['people']} people")
    print(f"written: {os.path.join(_OUTPUT.value, prediction.JSONL)}")
    if found["error"]:
        cli.fail(f"{paths[0]}: {found['error']}")


def _files(path):
    """The files that `--input` means, in order."""
    if os.path.isdir(path):
        return list(_files_in(path))
    if os.path.lexists(path):
        return [path]
    from trainers import prediction

    found = sorted(
        file
        for file in glob.glob(path, recursive=True)
        if os.path.isfile(file) and not prediction.is_own(file, _OUTPUT.value)
    )
    if not found:
        raise ValueError(f"{path}: no such file or folder")
    return found


def _files_in(path):
    """Files below a folder, hidden ones and hidden folders passed over.

    Links to folders are followed, but for those whose pictures are below the folder
    anyway, or that lead back up.
    """
    root, output = map(os.path.realpath, (path, _OUTPUT.value))
    seen = set()
    inside = lambda one, other: f"{one}{os.sep}".startswith(f"{other}{os.sep}")
    for folder, folders, names in os.walk(path, followlinks=True):
        kept = []
        for name in sorted(folders):
            whole = os.path.join(folder, name)
            real = os.path.realpath(whole)
            # What an earlier run wrote is not input.
            passed = name.startswith(".") or real == output
            if os.path.islink(whole):
                passed |= inside(real, root) or inside(root, real) or real in seen
                seen.add(real)
            if not passed:
                kept.append(name)
        folders[:] = kept
        for name in sorted(names):
            if not name.startswith("."):
                yield os.path.join(folder, name)


if __name__ == "__main__":
    cli.run(main)
