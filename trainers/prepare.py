r"""Turns a data set as its owner ships it into records that train.

python -m trainers.prepare --dataset=fer2013 --source=fer2013.csv --output=data/fer2013
python -m trainers.prepare --dataset=synthetic --source=seed=1,examples=1200 \
    --output=data/synthetic

Killed and started again with the same command, it continues where it was and ends with
the same bytes. `--format=npz` is for training without TensorFlow. `--exclude` leaves
training pictures out that are copies of others or carry two labels:

python -m trainers.verify  --dataset=fer2013 --source=fer2013.csv \
    --exclude_to=copies.csv
python -m trainers.prepare --dataset=fer2013 --source=fer2013.csv \
    --exclude=copies.csv --output=data/fer2013_single

`--labels=valence_arousal` keeps only those labels, for a network that trains on several
sets: `trainers.train --data=A,B`.

Apache Beam (the extra `beam`) prepares on a cluster: `--runner=FlinkRunner
--runner_options=flink_master=HOST:8081`, with paths that all machines share.
`data_pipelines/README.md` describes the data sets and their options.
"""

import functools
import os

from absl import flags

from data_pipelines.preparation import prepare
from data_pipelines.preparation.cropping import DETECTORS, ON_NO_FACE
from data_pipelines.sources import SOURCES, open_source, parse_options
from data_pipelines.sources.filters import (
    FIELDS,
    Excluding,
    FindingLandmarks,
    KeepingLabels,
)
from data_pipelines.storage.manifests import FORMATS
from fer_tf import labels
from fer_tf.faces.crop_spec import CROP_SPECS
from trainers.common import cli
from trainers.common.progress import Progress

_DATASET = flags.DEFINE_enum("dataset", None, sorted(SOURCES), "Which data set.")
_SOURCE = flags.DEFINE_string(
    "source", "", "The untouched download; for synthetic: seed=1,examples=1200,size=96."
)
_OPTIONS = flags.DEFINE_string(
    "options", "", "Of the data set: rule=majority (ferplus), fold=3 (ckplus), ..."
)
_CLASSES = flags.DEFINE_string(
    "classes", "",
    "Of folder or csv: the classes in order, such as calm:still+at ease,tense.",
)  # fmt: skip
_EXCLUDE = flags.DEFINE_string(
    "exclude",
    None,
    "List of training rows to leave out, from trainers.verify --exclude_to.",
)
_LABELS = flags.DEFINE_list(
    "labels", [], f"Labels to keep, of {', '.join(FIELDS)}; all by default."
)
_FIND_LANDMARKS = flags.DEFINE_bool(
    "find_landmarks", False,
    "Lets MTCNN find five points where the data set has no landmarks: for the region "
    "masks of gan_man. How many faces have none is counted.",
)  # fmt: skip
_OUTPUT = flags.DEFINE_string("output", None, "Folder for the records.")
_CROP = flags.DEFINE_enum(
    "crop", None, sorted(CROP_SPECS), "Crop of a paper; the data set's own by default."
)
_DETECTOR = flags.DEFINE_enum(
    "detector", None, DETECTORS,
    "Where the face is: by MTCNN, by the owner's annotation, or the whole picture; "
    "the data set's own way by default.",
)  # fmt: skip
_ON_NO_FACE = flags.DEFINE_enum(
    "on_no_face", "box", ON_NO_FACE,
    "Where no face is found: the whole picture, the annotated box (or the owner's "
    "landmarks, or the whole), a reject, or an error. Each is counted.",
)  # fmt: skip
_WORKERS = flags.DEFINE_integer(
    "workers", os.cpu_count() or 1, "Processes; changes no byte.", lower_bound=1
)
_FORMAT = flags.DEFINE_enum(
    "format", "tfrecord", FORMATS,
    "Shards for tf.data, or one npz per split, read without TensorFlow into memory.",
)  # fmt: skip
_RUNNER = flags.DEFINE_string(
    "runner", None, "Of Apache Beam, instead of --workers: DirectRunner, FlinkRunner, …"
)
_RUNNER_OPTIONS = flags.DEFINE_string(
    "runner_options", "", "The runner's own: direct_num_workers=4, …"
)


def main() -> None:
    """Entry point of the command line."""
    if not _SOURCE.value and _DATASET.value != "synthetic":
        cli.fail("--source is needed: where the download is", code=2)
    options = parse_options(_OPTIONS.value)
    if _CLASSES.value:
        options["classes"] = _CLASSES.value
    source = open_source(_DATASET.value, _SOURCE.value, **options)
    if _EXCLUDE.value:
        source = Excluding(source, _EXCLUDE.value)
    if _LABELS.value:
        source = KeepingLabels(source, _LABELS.value)
    if _FIND_LANDMARKS.value:
        source = FindingLandmarks(source)
    runner_options = parse_options(_RUNNER_OPTIONS.value)
    spec = source.crop_spec(_CROP.value)
    bar = Progress("list", None, unit="rows")

    def progress(done, total):
        nonlocal bar
        if bar.total is None:
            bar.close()
            bar = Progress("prepare", total, unit="rows")
        bar.update(done)

    try:
        manifest = prepare.prepare(
            source,
            _OUTPUT.value,
            crop_spec=spec,
            detector=_DETECTOR.value or source.default_detector,
            on_no_face=_ON_NO_FACE.value,
            format=_FORMAT.value,
            workers=_WORKERS.value,
            notice=print,
            listed=lambda rows: bar.update(rows),
            progress=progress,
            run=_beam(_RUNNER.value, runner_options) if _RUNNER.value else None,
        )
    finally:
        bar.close()
    print(report(manifest, _OUTPUT.value))


def _beam(runner, options):
    """A function that runs the chunks on a cluster."""
    try:
        with cli.quiet_imports():
            from data_pipelines.preparation import beam
    except ModuleNotFoundError as error:
        if error.name.partition(".")[0] != "apache_beam":
            raise
        cli.fail(
            '--runner needs Apache Beam, the extra `beam`: pip install -e ".[beam]"',
            code=2,
        )
    runner_flags = [f"--{key}={value}" for key, value in options.items()]
    return functools.partial(beam.run, options=[f"--runner={runner}", *runner_flags])


def report(manifest: dict, output: str) -> str:
    """A few lines: the examples by split and class, the rejects, and the folder."""
    spec = manifest["crop_spec"]
    lines = [
        f"{manifest['dataset']}: {manifest['num_examples']:,} examples in {output}, "
        f"crop {spec['name']} {spec['size']}x{spec['size']} {spec['color']}"
    ]
    for split, counts in manifest["counts"].items():
        classes = ", ".join(f"{name} {n:,}" for name, n in counts.items())
        lines.append(f"  {split:10} {sum(counts.values()):7,}  ({classes})")
    if labels.are_own(names := manifest["expressions"]):
        lines.append(f"  classes    {', '.join(names)}: the data's own, in this order")
    ways = sorted(manifest["cropped"].items())
    cropped = ", ".join(f"{way} {n:,}" for way, n in ways)
    lines.append(f"  cropped    {cropped}")
    if manifest["num_landmarks"]:
        found = manifest["with_landmarks"]
        missing = manifest["num_examples"] - found
        lines.append(f"  landmarks  {found:,} faces have them, {missing:,} have none")
    if manifest["derived"]:
        lines.append(f"  derived    {', '.join(manifest['derived'])}")
    rejects = manifest["rejects"]
    if rejects:
        lines.append(f"  rejected   {len(rejects):7,}  (all in manifest.json); first:")
        lines += [f"    {r['path']}: {r['reason']}" for r in rejects[:5]]
    return "\n".join(lines)


if __name__ == "__main__":
    cli.run(main, required=("dataset", "output"))
