"""Samples -> aligned crops -> sharded records and a manifest.

The rows of a source are shuffled (by a fixed seed: sources list their classes
one after the other, and no shuffle window of training would mix those) and
dealt into chunks. A chunk is one unit of work: it is read, cropped, checked
and written by one worker, to one shard per split. What a chunk holds depends
on the source alone, so any number of workers, stopped and started anywhere,
ends with the same bytes.
"""

import contextlib
import dataclasses
import hashlib
import json
import multiprocessing
import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent import futures

import numpy as np

from data_pipelines import atomic, records
from data_pipelines.atomic import locked
from data_pipelines.cropping import Cropping
from data_pipelines.sources import DataError, Reject, Sample, Source
from data_pipelines.sources.sample import SPLITS
from fer_tf import labels
from fer_tf.faces.crop_spec import CROP_SPECS, CropSpec
from fer_tf.hashing import sha256
from fer_tf.quiet import quiet_imports

_WORK = ".work"
_ROWS_A_CHUNK = 2048


# Crop of a data set unless another is asked for.
_DEFAULT_CROPS = {
    "fer2013": "meen",
    "ferplus": "meen",
    "affectnet": "wang2018",
    "affwild2": "zhang2020",
    "rafdb": "gan2020",
    "ckplus": "gan2020",
    "facenonface": "meen",
    "folder": "meen",
    "csv": "meen",
    "synthetic": "synthetic",
}


# Pictures that come as crops are not searched again; all others are, by MTCNN.
_DEFAULT_DETECTORS = {
    "fer2013": "none",
    "ferplus": "none",
    "facenonface": "none",
    "synthetic": "none",
    "affwild2": "annotated",
}


def detector_for(source: Source) -> str:
    """What finds the faces of a data set unless another is asked for."""
    return _DEFAULT_DETECTORS.get(source.name, "mtcnn")


def crop_spec_for(source: Source, name: str | None = None) -> CropSpec:
    """The crop spec `name`, or the data set's own, as the source can give it.

    Pictures that come already cropped are only scaled, so their spec says how
    they came: FER2013's crops are what the `meen` spec was measured on.
    """
    spec = CROP_SPECS[name or _DEFAULT_CROPS[source.name]]
    if source.name == "synthetic":
        size = source.options.size if name is None else spec.size
        return dataclasses.replace(spec, size=size)
    return spec


def prepare(
    source: Source,
    output: str,
    *,
    crop_spec: CropSpec,
    detector: str = "none",
    on_no_face: str = "box",
    workers: int = 1,
    rows_a_chunk: int = _ROWS_A_CHUNK,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict:
    """Writes a prepared folder; continues one that was interrupted.

    Args:
        source: Where the samples come from.
        output: Folder to write. An unfinished one is finished, a finished one
            is left as it is.
        crop_spec: How a crop is made; written into the manifest.
        detector: What says where the face is; see `Cropping`.
        on_no_face: What happens where none is found; see `Cropping`.
        workers: Processes. The result does not depend on it.
        rows_a_chunk: About how many rows share a shard.
        progress: Called with rows done and rows in all.

    Returns:
        The manifest.

    Raises:
        DataError: If the source is damaged, empty, or not the one that the
            folder was begun with.
    """
    _check_folders(source, output)
    cropping = Cropping(crop_spec, detector, on_no_face)
    plan = _describe(source, cropping, rows_a_chunk)
    finished = os.path.join(output, records.MANIFEST)
    if os.path.exists(finished):
        manifest = records.read_manifest(output)
        _require_same(manifest["plan"], plan, output)
        # A kill may have come between the manifest and the clearing up.
        shutil.rmtree(os.path.join(output, _WORK), ignore_errors=True)
        return manifest
    work = os.path.join(output, _WORK)
    _begin(work, plan, output)
    with locked(os.path.join(work, "lock")):
        return _prepare(source, cropping, output, plan, workers, progress)


def _prepare(source, cropping, output, plan, workers, progress):
    """Does what is left of the work and writes the manifest."""
    work = os.path.join(output, _WORK)
    for name in os.listdir(output):
        if name.startswith(".part-"):  # Of a run that was killed.
            os.remove(os.path.join(output, name))
    rows_a_chunk = plan["rows_a_chunk"]
    rows = _Rows(os.path.join(work, "rows.jsonl"), source)
    num_chunks = max(1, -(-rows.count // rows_a_chunk))
    chunks = [
        _Chunk(source, cropping, output, rows.path, rows.offsets(k, num_chunks), k,
               num_chunks)
        for k in range(num_chunks)
    ]  # fmt: skip
    summaries = _run(chunks, workers, progress, rows.count)
    _remove_empty_splits(chunks, summaries)
    manifest = _manifest(source, plan, cropping.crop_spec, rows.rejects, summaries)
    if not manifest["num_examples"]:
        shutil.rmtree(work)
        first = manifest["rejects"][:1]
        reason = f"; the first: {first[0]['path']}: {first[0]['reason']}" * bool(first)
        raise DataError(f"{source.name}: none of {rows.count} rows is usable{reason}")
    atomic.write_json(os.path.join(output, records.MANIFEST), manifest)
    shutil.rmtree(work)
    return manifest


def _check_folders(source, output):
    if not source.folder:
        return
    inside = os.path.realpath(output) + os.sep
    if inside.startswith(os.path.realpath(source.folder) + os.sep):
        raise DataError(f"{output}: lies inside the source folder {source.folder}")


def _describe(source, cropping, rows_a_chunk):
    """All that decides the bytes of the records, as JSON."""
    return {
        "dataset": source.name,
        "fingerprint": source.fingerprint,
        **dataclasses.asdict(cropping),
        "rows_a_chunk": rows_a_chunk,
        "validation": source.holdout,
        "schema_version": records.SCHEMA_VERSION,
    }


def _require_same(old, new, output):
    # Through JSON, where a tuple becomes a list.
    new = json.loads(json.dumps(new))
    different = [key for key in new if old.get(key) != new[key]]
    if different:
        raise DataError(
            f"{output}: begun with another {', '.join(different)}; choose another "
            "folder, or remove this one"
        )


def _begin(work, plan, output):
    """Makes the work folder, or checks that it belongs to this plan."""
    path = os.path.join(work, "plan.json")
    if os.path.exists(path) and any(n.startswith("chunk-") for n in os.listdir(work)):
        with open(path, encoding="utf-8") as file:
            _require_same(json.load(file), plan, output)
        return
    with contextlib.suppress(FileNotFoundError):
        left = [n for n in os.listdir(output) if n != _WORK and ".part-" not in n]
        if left:
            raise DataError(f"{output}: not empty (holds {left[0]}); choose another")
    os.makedirs(work, exist_ok=True)
    atomic.write_json(path, plan)


class _Rows:
    """The source's rows spooled to a file, so that memory stays flat.

    Only the offset of each row is kept, 8 bytes a row.
    """

    def __init__(self, path, source):
        self.path = path
        self.rejects = []
        offsets = []
        with atomic.replacing(path) as temporary, open(temporary, "wb") as file:
            for row in source.rows():
                if isinstance(row, Reject):
                    self.rejects.append({"path": row.path, "reason": row.reason})
                    continue
                offsets.append(file.tell())
                file.write(json.dumps(row.to_dict(), default=_plain).encode() + b"\n")
        order = np.random.default_rng(0).permutation(len(offsets))
        self._offsets = np.array(offsets, np.int64)[order]
        self.count = len(offsets)

    def offsets(self, chunk, num_chunks):
        """Offsets of the rows dealt to a chunk."""
        return self._offsets[chunk::num_chunks]


def _plain(value):
    return np.asarray(value).tolist()


class _Chunk:
    """One unit of work; `run` is what a worker process calls."""

    def __init__(self, source, cropping, output, rows, offsets, number, count):
        self.source, self.cropping, self.output = source, cropping, output
        self.rows, self.offsets = rows, offsets
        self.number, self.count = number, count
        self.done = os.path.join(output, _WORK, f"chunk-{number:05d}.json")

    def run(self) -> dict:
        """Writes the chunk's shards unless that is done; returns its summary."""
        if os.path.exists(self.done):
            with open(self.done, encoding="utf-8") as file:
                return json.load(file)
        with quiet_imports():
            import tensorflow as tf

        rejects, counts = [], {split: Counter() for split in SPLITS}
        how = Counter()
        with contextlib.ExitStack() as stack:
            writers = {}
            for split in SPLITS:
                part = stack.enter_context(atomic.replacing(self.shard(split)))
                writers[split] = stack.enter_context(tf.io.TFRecordWriter(part))
            for sample, features in self._examples(rejects, how):
                writers[sample.split].write(records.serialize(features))
                counts[sample.split][_class_of(sample)] += 1
        summary = {
            "rows": len(self.offsets),
            "rejects": rejects,
            "counts": {split: dict(c) for split, c in counts.items()},
            "cropped": dict(how),
            "sha256": {split: sha256(self.shard(split)) for split in SPLITS},
        }
        atomic.write_json(self.done, summary)
        return summary

    def _samples(self) -> Iterator[Sample]:
        with open(self.rows, "rb") as file:
            for offset in self.offsets:
                file.seek(offset)
                yield Sample(**json.loads(file.readline()))

    def _examples(self, rejects, how):
        """The chunk's examples; what cannot be used goes to the rejects."""

        def reject(sample, reason):
            where = sample.path or sample.sample_id
            if self.source.strict:
                raise DataError(f"{where}: {reason}")
            rejects.append({"path": where, "reason": str(reason)})

        def pictures():
            for sample in self._samples():
                try:
                    yield self.source.load(sample)
                except (ValueError, OSError) as error:
                    reject(sample, error)

        for sample, image, crop in self.cropping.crops(pictures(), how):
            if crop is None:
                where = sample.path or sample.sample_id
                rejects.append({"path": where, "reason": "no face found"})
                continue
            sample = dataclasses.replace(sample, split=self._split(sample, image))
            try:
                features = records.to_features(
                    sample,
                    crop,
                    action_units=labels.ACTION_UNITS,
                    num_landmarks=self.source.num_landmarks,
                )
            except ValueError as error:
                reject(sample, error)
                continue
            yield sample, features

    def _split(self, sample, image):
        if sample.split is None:
            return split_by_pixels(image)
        if sample.split == "train" and self.source.holdout == "pixels":
            # Copies of a picture stay on one side.
            return "validation" if _first_tenth(image) else "train"
        return sample.split

    def shard(self, split: str) -> str:
        """Path of this chunk's shard of one split."""
        name = shard_name(self.source.name, split, self.number, self.count)
        return os.path.join(self.output, name)


def shard_name(dataset: str, split: str, number: int, count: int) -> str:
    """File name of a shard, as TFDS names them."""
    return f"{dataset}-{split}.tfrecord-{number:05d}-of-{count:05d}"


def split_by_pixels(image: np.ndarray) -> str:
    """A split drawn from the picture itself: 80 % train, 10 %, 10 %.

    Identical pictures fall into the same split, whatever they are called.
    """
    place = _place(image)
    return "test" if place < 6554 else "validation" if place < 13107 else "train"


def _first_tenth(image):
    return _place(image) < 6554


def _place(image):
    """Where in 0..65535 a picture falls by its pixels."""
    digest = hashlib.sha256(np.ascontiguousarray(image).tobytes()).digest()
    return digest[0] * 256 + digest[1]


def _class_of(sample):
    if sample.expression is not None:
        return sample.expression
    if sample.is_face is not None:
        return "face" if sample.is_face else "nonface"
    return "unlabelled"


def _run(chunks, workers, progress, total):
    """Runs every chunk, in this process or in several; first error wins."""
    summaries, done = [None] * len(chunks), 0
    progress(0, total)

    def finish(number, summary):
        nonlocal done
        summaries[number] = summary
        done += summary["rows"]
        progress(done, total)

    if workers <= 1 or len(chunks) == 1:
        for number, chunk in enumerate(chunks):
            finish(number, chunk.run())
        return summaries
    # Spawned, not forked: a fork of a process that has used TensorFlow hangs.
    pool = futures.ProcessPoolExecutor(
        min(workers, len(chunks)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_end_with_parent,
        initargs=(os.getpid(),),
    )
    with pool:
        running = {pool.submit(chunk.run): n for n, chunk in enumerate(chunks)}
        try:
            for future in futures.as_completed(running):
                finish(running[future], future.result())
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return summaries


def _end_with_parent(parent):
    """Ends a worker soon after the process that started it was killed."""

    def watch():
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _remove_empty_splits(chunks, summaries):
    for split in SPLITS:
        if not any(summary["counts"][split] for summary in summaries):
            for chunk in chunks:
                with contextlib.suppress(FileNotFoundError):
                    os.remove(chunk.shard(split))


def _manifest(source, plan, crop_spec, rejects, summaries):
    counts = {}
    for split in SPLITS:
        total = sum((Counter(s["counts"][split]) for s in summaries), Counter())
        if total:
            counts[split] = dict(sorted(total.items()))
    shards = [
        {
            "name": shard_name(source.name, split, number, len(summaries)),
            "num_examples": sum(summary["counts"][split].values()),
            "sha256": summary["sha256"][split],
        }
        for split in counts
        for number, summary in enumerate(summaries)
    ]
    return {
        "schema_version": records.SCHEMA_VERSION,
        "dataset": source.name,
        "num_examples": sum(shard["num_examples"] for shard in shards),
        "counts": counts,
        "rejects": rejects + [r for s in summaries for r in s["rejects"]],
        "cropped": dict(sum((Counter(s["cropped"]) for s in summaries), Counter())),
        "crop_spec": crop_spec.to_dict(),
        "source": {"layout": source.layout, "sha256": source.fingerprint},
        "action_units": list(labels.ACTION_UNITS),
        "expressions": list(labels.EXPRESSIONS),
        "num_landmarks": source.num_landmarks,
        "shards": shards,
        "plan": plan,
    }
