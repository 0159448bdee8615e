r"""Reads the faces of photographs, or of a video.

python -m trainers.predict --model=saved_models/NAME --input=photo.jpg --output=out
python -m trainers.predict --model=runs/quick --input=photos/ --output=out
python -m trainers.predict --model=runs/quick --input='photos/*.jpg' --output=out
python -m trainers.predict --model=runs/quick --input=clip.mp4 --output=out --every=5
python -m trainers.predict --input=clip.mp4 --output=out --people=2
python -m trainers.predict --model=runs/quick --input=crops/ --output=o --detector=none
python -m trainers.predict --model=runs/quick --serve

Writes predictions.jsonl (a line for each picture or frame), predictions.csv (a line
for each face, and one for a picture without any; trainers/prediction/README.md explains
its columns) and `<name>_annotated.png` for each
picture, in the same subfolder as within --input. For a video it writes the drawn video
with its sound, and a timeline of the six people seen longest. Each face of a video has
its track, which ends at a cut or an absence, and its person, who is known again
afterwards: by --face_weights, else by looks. --people says how many there are. A
picture that cannot be read gets a line
with the reason, and the command exits with 1 once the rest is done. The same command
again reads what is new, has changed or could not be read, and drops the records of
pictures that are gone. A video is always read from the start. Hidden files, and files
that are no pictures, are skipped.

`--detector=none` is for pictures that are crops of faces
already, framed as the model's card says. `--serve` opens a page instead, for this
machine alone unless --host says otherwise.
"""

import contextlib
import importlib.metadata
import importlib.util
import os

from absl import flags

import fer_tf
from trainers.common import cli
from trainers.common.terminal import counted

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
_MIN_FACE_SCORE = flags.DEFINE_float(
    "min_face_score", None,
    "Least confidence of a face, between 0 and 1; 0.9 by default. Lower finds more "
    "faces, helmeted or in profile, and more that are none.",
)  # fmt: skip
_PICTURES = flags.DEFINE_bool("pictures", True, "Write annotated pictures too.")
_EVERY = flags.DEFINE_integer("every", 1, "Read every n-th frame.", lower_bound=1)
_SMOOTHING = flags.DEFINE_float(
    "smoothing", 0.3, "Seconds over which a track's readings in a video are averaged.",
    lower_bound=0,
)  # fmt: skip
_PEOPLE = flags.DEFINE_integer(
    "people", None, "How many people a video shows, if that is known.", lower_bound=1
)
_FACE_WEIGHTS = flags.DEFINE_string(
    "face_weights", None,
    "File of dlib's face-recognition weights (vladmandic-face-api-1.7.15.tgz), by "
    "which people in a video are known again; without it, by their looks.",
)  # fmt: skip
_COLUMNS = flags.DEFINE_enum(
    "columns", "plain", ["plain", "openface", "pyfeat"],
    "Whose names the columns of predictions.csv have, as far as it has such columns.",
)  # fmt: skip
_FORMAT = flags.DEFINE_enum(
    "format", "csv", ["csv", "parquet"],
    "parquet: write predictions.parquet beside the CSV; needs pyarrow.",
)  # fmt: skip
_SERVE = flags.DEFINE_bool("serve", False, "Open a page in place of reading files.")
_HOST = flags.DEFINE_string("host", "127.0.0.1", "Address that the page listens on.")
_PORT = flags.DEFINE_integer("port", 7860, "Port of the page; 0: any free one.",
                             lower_bound=0, upper_bound=65535)  # fmt: skip

# Flags of reading files, which the page does not use.
_NOT_SERVED = (
    "input", "output", "detector", "pictures", "every", "smoothing", "columns", "format"
)  # fmt: skip


def main() -> None:
    """Entry point of the command line."""
    _check_flags()
    if _SERVE.value:
        with cli.quiet_imports():
            from trainers.web_page import app

        app.serve(
            _MODEL.value, host=_HOST.value, port=_PORT.value,
            min_face_score=_MIN_FACE_SCORE.value, people=_PEOPLE.value,
            face_weights=_FACE_WEIGHTS.value,
        )  # fmt: skip
        return
    from trainers.prediction import output_folder, picture_files

    own = lambda path: output_folder.is_own(path, _OUTPUT.value)
    files = picture_files.find(_INPUT.value, own=own)
    with cli.quiet_imports():
        from fer_tf.model_io import model_folder
        from fer_tf.predictor import Predictor
        from fer_tf.utils import atomic
        from fer_tf.utils.hashing import sha256
        from fer_tf.video import video_files

    is_video = len(files.paths) == 1 and video_files.is_video(files.paths[0])
    if not is_video and (_PEOPLE.value or _FACE_WEIGHTS.value):
        cli.fail("--people and --face_weights are for one video as --input", code=2)
    model = model_folder.load(_MODEL.value)
    detector, how = _detector(model)
    predictor = Predictor(model, detector=detector)
    identity = {"weights": model.sha256, **how}
    if is_video:
        # The video comes first: it is what a refusal to mix names.
        identity |= {
            "video": os.path.realpath(files.paths[0]),
            "every": _EVERY.value,
            "smoothing": _SMOOTHING.value,
            "people": _PEOPLE.value,
            "face_weights": _FACE_WEIGHTS.value and sha256(_FACE_WEIGHTS.value),
        }
    os.makedirs(_OUTPUT.value, exist_ok=True)
    with atomic.locked(os.path.join(_OUTPUT.value, ".lock")):
        about = {
            "fer_tf": fer_tf.__version__,
            "model": model.card.model,
            "model_folder": _folder_name(model_folder.find(_MODEL.value)),
            "detector": _detector_name(),
            "calibrated": model.calibrated,
            "unsure_below": model.unsure_below,
        }
        output_folder.begin(_OUTPUT.value, identity, about)
        (_read_video if is_video else _read_pictures)(predictor, files)


def _check_flags():
    score = _MIN_FACE_SCORE.value
    if score is not None and not 0 < score < 1:
        cli.fail(f"--min_face_score={score}: must be between 0 and 1", code=2)
    if _SERVE.value:
        for name in _NOT_SERVED:
            if flags.FLAGS[name].present:
                cli.fail(f"--{name} is not for --serve", code=2)
    else:
        _check_files()
    if score is not None and _DETECTOR.value == "none":
        cli.fail("--min_face_score is not for --detector=none", code=2)
    if _FORMAT.value == "parquet" and importlib.util.find_spec("pyarrow") is None:
        cli.fail("--format=parquet needs pyarrow: pip install 'fer-tf[table]'", code=2)


def _check_files():
    for flag in (_INPUT, _OUTPUT):
        if not flag.value:
            cli.fail(f"--{flag.name} is missing", code=2)
    if os.path.realpath(_INPUT.value) == os.path.realpath(_OUTPUT.value):
        cli.fail("--output must be another folder than --input", code=2)


def _detector(model):
    """What finds the faces, and the settings of it that predictions depend on."""
    from fer_tf import predictor
    from fer_tf.faces import WholePicture

    if _DETECTOR.value == "none":
        return WholePicture(model.card.crop_spec), {"detector": "none"}
    score = _MIN_FACE_SCORE.value or predictor.MIN_FACE_SCORE
    return predictor.face_detector(score), {"min_face_score": score}


def _folder_name(path):
    return os.path.basename(os.path.realpath(path))


def _detector_name():
    """What finds the faces, and whose version of its weights, for a methods section."""
    if _DETECTOR.value == "none":
        return "nothing: each picture is a crop"
    return f"MTCNN, with the weights of mtcnn {importlib.metadata.version('mtcnn')}"


def _read_pictures(predictor, files):
    with cli.quiet_imports():
        from fer_tf.face_table import NO_FACE
        from trainers.prediction import output_folder, photographs
        from trainers.prediction.record_lines import in_words

    records, names, gone = photographs.run(
        predictor, files, _OUTPUT.value, pictures=_PICTURES.value
    )
    _finish_table()
    failed, empty = [], 0
    for path, record in zip(files.paths, map(records.__getitem__, names)):
        print(in_words(record))
        # In a folder, a picture without a face is an answer, not a failure.
        empty += record["error"] == NO_FACE
        if record["error"] not in (None, NO_FACE):
            failed.append(f"{path}: {record['error']}")
    if gone:
        print(f"forgotten: {gone:,} pictures that are gone from {_INPUT.value}")
    if files.passed:
        print(files.passed_over())
    print(f"written: {os.path.join(_OUTPUT.value, output_folder.JSONL)}")
    cli.fail_if_any([*failed, *files.unlisted])
    if empty == len(names):
        cli.fail(f"{_INPUT.value}: {NO_FACE}")


def _read_video(predictor, files):
    with cli.quiet_imports():
        from fer_tf.faces import FaceEmbedder
        from trainers.prediction import output_folder, videos

    (path,) = files.paths
    weights = _FACE_WEIGHTS.value
    summary = videos.run(
        predictor, path, _OUTPUT.value, pictures=_PICTURES.value,
        every=_EVERY.value, smoothing=_SMOOTHING.value, count=_PEOPLE.value,
        embedder=FaceEmbedder(weights) if weights else None,
    )  # fmt: skip
    _finish_table()
    print(f"{path}: {_in_words(summary)}")
    print(f"written: {os.path.join(_OUTPUT.value, output_folder.JSONL)}")
    failed = [f"{path}: {summary['error']}"] if summary["error"] else []
    cli.fail_if_any([*failed, *files.unlisted])


def _in_words(summary):
    frames = counted(summary["frames"], "frame", "frames")
    people = counted(summary["people"], "person", "people")
    return f"{frames} read, {people} in {counted(summary['tracks'], 'track', 'tracks')}"


def _finish_table():
    """Gives the table other names, and writes it as Parquet, where asked for."""
    from trainers.prediction import csv_table, output_folder

    table = os.path.join(_OUTPUT.value, output_folder.CSV)
    if _COLUMNS.value != "plain":
        csv_table.rename(table, _COLUMNS.value)
    if _FORMAT.value == "parquet":
        csv_table.to_parquet(table)
    else:  # An earlier one would not be of these predictions.
        with contextlib.suppress(FileNotFoundError):
            os.remove(os.path.join(_OUTPUT.value, output_folder.PARQUET))


if __name__ == "__main__":
    cli.run(main)
