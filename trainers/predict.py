r"""Reads the faces of photographs and of videos.

python -m trainers.predict --model=saved_models/NAME --input=photo.jpg --output=out
python -m trainers.predict --model=runs/quick --input=photos/ --output=out
python -m trainers.predict --model=runs/quick --input='photos/*.jpg' --output=out
python -m trainers.predict --model=runs/quick --input=clip.mp4 --output=out --every=5
python -m trainers.predict --input=clip.mp4 --output=out --people=2
python -m trainers.predict --input=clips/ --output=out
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
pictures that are gone. Hidden files, and files that are no pictures, are skipped.

Each video of a folder or pattern is read into a folder of its own: before/a.mp4 into
before/a. The first folder below --input is its condition. The same command again reads
those that are not finished or have changed. A video that is the --input itself is
always read.

`--detector=none` is for pictures that are crops of faces
already, framed as the model's card says. `--serve` opens a page instead, for this
machine alone unless --host says otherwise.
"""

import contextlib
import dataclasses
import importlib.metadata
import importlib.util
import os

from absl import flags

import fer_tf
from fer_tf.utils.names import shown
from trainers.common import cli
from trainers.common.terminal import counted

_MODEL = flags.DEFINE_string(
    "model", None, "Model folder, workdir, or catalog name; by default the catalog's."
)
_INPUT = flags.DEFINE_string(
    "input", None, "A photograph or video, or a folder or pattern of them."
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
_SMALLEST_FACE = flags.DEFINE_float(
    "smallest_face", None,
    "Side in pixels of the smallest face to look for, 20 by default, and at least 12. "
    "Larger is faster.",
)  # fmt: skip
_PICTURES = flags.DEFINE_bool("pictures", True, "Write annotated pictures too.")
_EVERY = flags.DEFINE_integer("every", 1, "Read every n-th frame.", lower_bound=1)
_SEARCH_EVERY = flags.DEFINE_integer(
    "search_every", 1, "Search every n-th frame that is read for faces, and the first "
    "of each shot; follow the faces in between, which is faster.", lower_bound=1,
)  # fmt: skip
_SMOOTHING = flags.DEFINE_float(
    "smoothing", 0.3, "Seconds over which a track's readings in a video are averaged.",
    lower_bound=0,
)  # fmt: skip
_PEOPLE = flags.DEFINE_integer(
    "people", None, "How many people each video shows, if known.", lower_bound=1
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
    "input", "output", "detector", "smallest_face", "pictures", "every",
    "search_every", "smoothing", "columns", "format",
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
        from fer_tf.video import video_files

    clips = [path for path in files.paths if video_files.is_video(path)]
    if not clips and (_PEOPLE.value or _FACE_WEIGHTS.value):
        cli.fail("--people and --face_weights are for videos as --input", code=2)
    model = model_folder.load(_MODEL.value)
    detector, how = _detector(model)
    predictor = Predictor(model, detector=detector)
    identity = {"weights": model.sha256, **how}
    about = {
        "fer_tf": fer_tf.__version__,
        "model": model.card.model,
        "model_folder": _folder_name(model_folder.find(_MODEL.value)),
        "detector": _detector_name(),
        "calibrated": model.calibrated,
        "unsure_below": model.unsure_below,
    }
    failed = []
    if len(clips) < len(files.paths):
        with _begun(_OUTPUT.value, identity, about):
            failed += _read_pictures(predictor, files, clips)
    if clips:
        failed += _read_videos(predictor, files, clips, identity, about)
    if files.passed:
        print(files.passed_over())
    if files.bare:
        print(f"no picture found in: {', '.join(map(shown, files.bare))}")
    cli.fail_if_any([*failed, *files.unlisted])


@contextlib.contextmanager
def _begun(output, identity, about):
    """Keeps other processes out of a folder that holds nothing of other settings."""
    from fer_tf.utils import atomic
    from trainers.prediction import output_folder

    os.makedirs(output, exist_ok=True)
    with atomic.locked(os.path.join(output, ".lock")):
        output_folder.begin(output, identity, about)
        yield


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
    smallest = _SMALLEST_FACE.value
    if smallest is not None and not smallest >= 12:
        cli.fail(f"--smallest_face={smallest:g}: must be at least 12", code=2)
    if _DETECTOR.value == "none":
        for flag in (_MIN_FACE_SCORE, _SMALLEST_FACE, _SEARCH_EVERY):
            if flag.present:
                cli.fail(f"--{flag.name} is not for --detector=none", code=2)
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
    smallest = _SMALLEST_FACE.value or predictor.SMALLEST_FACE
    how = {"min_face_score": score}
    if smallest != predictor.SMALLEST_FACE:  # Earlier runs did not note it.
        how["smallest_face"] = smallest
    return predictor.face_detector(score, smallest), how


def _folder_name(path):
    return os.path.basename(os.path.realpath(path))


def _detector_name():
    """What finds the faces, and whose version of its weights, for a methods section."""
    if _DETECTOR.value == "none":
        return "nothing: each picture is a crop"
    return f"MTCNN, with the weights of mtcnn {importlib.metadata.version('mtcnn')}"


def _read_pictures(predictor, files, clips):
    """Reads what is no clip; returns what went wrong."""
    with cli.quiet_imports():
        from fer_tf.face_table import NO_FACE
        from trainers.prediction import output_folder, photographs
        from trainers.prediction.record_lines import in_words

    others = {*clips}
    paths = [path for path in files.paths if path not in others]
    files = dataclasses.replace(files, paths=paths)
    records, names, gone = photographs.run(
        predictor, files, _OUTPUT.value, pictures=_PICTURES.value
    )
    _finish_table(_OUTPUT.value)
    failed, empty = [], 0
    for path, record in zip(paths, map(records.__getitem__, names)):
        print(in_words(record))
        # In a folder, a picture without a face is an answer, not a failure.
        empty += record["error"] == NO_FACE
        if record["error"] not in (None, NO_FACE):
            failed.append(f"{path}: {record['error']}")
    if gone:
        print(f"forgotten: {gone:,} pictures that are gone from {_INPUT.value}")
    print(f"written: {os.path.join(_OUTPUT.value, output_folder.JSONL)}")
    if empty == len(names) and not clips:
        failed.append(f"{_INPUT.value}: {NO_FACE}")
    return failed


def _read_videos(predictor, files, paths, identity, about):
    """Reads each clip into its folder; returns what went wrong."""
    with cli.quiet_imports():
        from fer_tf.faces import FaceEmbedder
        from trainers.prediction import clips, output_folder
        from trainers.prediction.picture_files import sha256

    weights = _FACE_WEIGHTS.value
    embedder = FaceEmbedder(weights) if weights else None
    how = {
        "every": _EVERY.value,
        **({"search_every": _SEARCH_EVERY.value} if _SEARCH_EVERY.value > 1 else {}),
        "smoothing": _SMOOTHING.value,
        "people": _PEOPLE.value,
        "face_weights": weights and sha256(weights),
    }
    folders = dict.fromkeys(paths, _OUTPUT.value)
    if files.searched:
        folders = clips.folders(files, paths, _OUTPUT.value)
    failed, finished = [], 0
    for path, folder in folders.items():
        # The video comes first: it is what a refusal to mix names.
        own = {**identity, "video": os.path.realpath(path), **how}
        settings = {
            "video_sha256": sha256(path) if files.searched else None,
            "pictures": _PICTURES.value,
            "columns": _COLUMNS.value,
            "format": _FORMAT.value,
        }
        if files.searched and output_folder.is_finished(folder, own, about, settings):
            finished += 1
            continue
        with _begun(folder, own, about):
            error = _read_video(predictor, files, path, folder, embedder)
            if error is None:
                output_folder.finish(folder, settings)
            else:
                print(f"{path}: {error}")
                failed.append(f"{path}: {error}")
        if error is not None:
            output_folder.abandon(folder, below=_OUTPUT.value)
    if finished:
        print(f"{counted(finished, 'video', 'videos')} read before")
    return failed


def _read_video(predictor, files, path, folder, embedder):
    """Reads a video; returns what ended the reading early, or None."""
    from trainers.prediction import clips, output_folder, videos

    named = {}
    if files.searched:
        name = files.name(path)
        named = {"source": name, "condition": clips.condition(name)}
    try:
        summary = videos.run(
            predictor, path, folder, pictures=_PICTURES.value,
            every=_EVERY.value, search_every=_SEARCH_EVERY.value,
            smoothing=_SMOOTHING.value, count=_PEOPLE.value,
            embedder=embedder, **named,
        )  # fmt: skip
    except ValueError as error:  # No frame of it can be read.
        return getattr(error, "reason", str(error).removeprefix(f"{shown(path)}: "))
    _finish_table(folder)
    print(f"{path}: {_in_words(summary)}")
    print(f"written: {os.path.join(folder, output_folder.JSONL)}")
    return summary["error"]


def _in_words(summary):
    frames = counted(summary["frames"], "frame", "frames")
    people = counted(summary["people"], "person", "people")
    return f"{frames} read, {people} in {counted(summary['tracks'], 'track', 'tracks')}"


def _finish_table(output):
    """Gives the table other names, and writes it as Parquet, where asked for."""
    from trainers.prediction import csv_table, output_folder

    table = os.path.join(output, output_folder.CSV)
    if _COLUMNS.value != "plain":
        csv_table.rename(table, _COLUMNS.value)
    if _FORMAT.value == "parquet":
        csv_table.to_parquet(table)
    else:  # An earlier one would not be of these predictions.
        with contextlib.suppress(FileNotFoundError):
            os.remove(os.path.join(output, output_folder.PARQUET))


if __name__ == "__main__":
    cli.run(main)
